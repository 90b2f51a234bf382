"""Length of texts in tokens, estimated without a tokenizer, and cutting to a length."""

import re
from bisect import bisect_right

CUT = " …(cut)"
"""Marks where a text was cut."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def count_tokens(text: str) -> int:
    """Estimate the tokens of a text: a quarter of its ASCII characters, and each other character as one.

    Four characters a token is OpenAI's rule of thumb for English.

    Args:
        text: Any text.

    Returns:
        The number of tokens, rounded up.
    """
    if text.isascii():
        return (len(text) + 3) // 4
    others = sum(len(run) for run in _BEYOND_ASCII.findall(text))
    return (len(text) - others + 3) // 4 + others


def cut_to_tokens(text: str, limit: int) -> str:
    """Cut a text that is too long, and mark the cut.

    Args:
        text: Any text.
        limit: Most tokens, by `count_tokens`.

    Returns:
        The text as it is when it fits; else its beginning and ` …(cut)`; empty where not even that fits.
    """
    if count_tokens(text) <= limit:
        return text
    room = max(limit - count_tokens(CUT), 0)
    fitting = bisect_right(range(4 * room + 1), room, key=lambda length: count_tokens(text[:length])) - 1
    return text[:fitting] + CUT if room else ""
