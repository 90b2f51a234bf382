"""Cutting of a text line by line: the longest lines first, so that a short question among long texts stays whole."""

from collections.abc import Callable, Iterable

from memalign.tokens import count_tokens, cut_middle

GAP = " … "
"""Stands in the middle of a cut line."""
_MIN_LINE = 12
"""Least room for a line, in tokens or characters; where there are more lines than that allows, the middle ones go."""


def cut_lines(text: str, limit: int, measure: Callable[[str], int] = count_tokens) -> str:
    """Cut a text that is too long: short lines stay whole, and the long ones share what is left.

    Args:
        text: Any text.
        limit: Greatest size.
        measure: Returns the size of a text; by default its tokens.

    Returns:
        The text as it is when it fits; else with the middle of its longest lines, or its middle lines, left out.
    """
    if measure(text) <= limit:
        return text
    lines = _outer(text.split("\n"), limit)
    gap = measure("\n")
    shares = fair_shares([measure(line) for line in lines], limit - gap * len(lines))
    return "\n".join(_cut(line, share, measure) for line, share in zip(lines, shares, strict=True))


def fair_shares(sizes: Iterable[int], room: int) -> list[int]:
    """Share room among parts: short parts get what they need, and the long ones equal shares of the rest.

    Args:
        sizes: Tokens, or characters, that each part would take.
        room: The room of all parts together; below 0 counts as 0.

    Returns:
        The share of each part, in the same order; at most its size.
    """
    wanted = list(sizes)
    shares = [0] * len(wanted)
    left = max(room, 0)
    for rank, place in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[place] = min(wanted[place], left // (len(wanted) - rank))
        left -= shares[place]
    return shares


def _outer(lines: list[str], limit: int) -> list[str]:
    """Return the lines at both ends, as many as have room."""
    count = max(limit // (_MIN_LINE + 1), 1)
    if len(lines) <= count:
        return lines
    tail = (count - 1) // 2
    head = max(count - 1 - tail, 1)
    return [*lines[:head], GAP.strip(), *lines[len(lines) - tail :]]


def _cut(line: str, limit: int, measure: Callable[[str], int]) -> str:
    if measure(line) <= limit:
        return line
    gap = GAP.strip()
    return cut_middle(line, limit, measure, GAP) or (gap if limit >= measure(gap) else "")
