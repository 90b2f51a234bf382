"""How long a text is for a model, without its tokenizer, and how to cut it."""

import re
from bisect import bisect_right

CUT = " …(cut)"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def count_tokens(text: str) -> int:
    """Estimate the tokens of a text: a quarter of its ASCII characters, and each other character as one."""
    if text.isascii():
        return (len(text) + 3) // 4
    others = sum(len(run) for run in _BEYOND_ASCII.findall(text))
    return (len(text) - others + 3) // 4 + others


def cut_to_tokens(text: str, limit: int) -> str:
    """Leave a short text as it is; cut a long one until it has at most `limit` tokens, and mark the cut."""
    if count_tokens(text) <= limit:
        return text
    room = max(limit - count_tokens(CUT), 0)
    fitting = bisect_right(range(4 * room + 1), room, key=lambda length: count_tokens(text[:length])) - 1
    return text[:fitting] + CUT if room else ""
