"""Length of texts in tokens, estimated without a tokenizer, and cutting to a length."""

import re
from bisect import bisect_right
from collections.abc import Callable

CUT = " …(cut)"
"""Marks where the end of a text was cut off."""
MIDDLE_CUT = " …(cut)… "
"""Marks where the middle of a text was cut out."""
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
    return text[: _fitting_length(text, room)] + CUT if room else ""


def cut_middle(
    text: str, limit: int, measure: Callable[[str], int] = count_tokens, mark: str = MIDDLE_CUT
) -> str:
    """Cut the middle out of a text that is too long, and mark the cut: a question stands at one of the ends.

    Args:
        text: Any text.
        limit: Greatest size.
        measure: Returns the size of a text; by default its tokens.
        mark: Stands in the place of the middle.

    Returns:
        The text as it is when it fits; else its beginning, the mark and its end; empty where not even that fits.
    """
    if measure(text) <= limit:
        return text
    room = limit - measure(mark)
    if room < 2:
        return ""
    head = _fitting_length(text, room - room // 2, measure)
    tail = _fitting_length(text[::-1], room // 2, measure)
    return text[:head] + mark + text[len(text) - tail :]


def _fitting_length(text: str, room: int, measure: Callable[[str], int] = count_tokens) -> int:
    """Return how many characters from the beginning fit; a token has at most four."""
    start = text[: 4 * room + 1]
    return bisect_right(range(len(start) + 1), room, key=lambda length: measure(start[:length])) - 1
