"""Cutting of a text by lines: few long lines lose their middle, and of many lines the middle ones go."""

from collections.abc import Callable, Iterable
from itertools import accumulate

from memalign.tokens import count_tokens, cut_middle

GAP = " … "
"""Stands in the middle of a cut line, and as a line of its own in the place of lines that are left out."""
LONG_LINE_SHARE = 4
"""A line may be cut down to this part of the room, 1/4, not further: text in lines of equal width, each without its
middle, is unreadable. Set by hand."""
TAIL_SHARE = 3
"""The last lines get this part of the room, 1/3, where middle lines are left out. Set by hand."""


def cut_lines(text: str, limit: int, measure: Callable[[str], int] = count_tokens) -> str:
    """Cut a text that is too long, so that a short question beside long texts stays whole.

    Args:
        text: Any text.
        limit: Greatest size.
        measure: Returns the size of a text; by default its tokens.

    Returns:
        The text as it is when it fits; else with the middle of its few longest lines left out, or, where that is not
        enough, its middle lines.
    """
    if measure(text) <= limit:
        return text
    lines = text.split("\n")
    longest = max(limit // LONG_LINE_SHARE, 1)
    room = limit - measure("\n") * len(lines)
    shares = fair_shares(map(measure, lines), room)
    if len(lines) == 1 or max(shares) >= longest:
        return "\n".join(_cut(line, share, measure) for line, share in zip(lines, shares, strict=True))
    return _outer_lines([_cut(line, longest, measure) for line in lines], limit, measure)


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


def _outer_lines(lines: list[str], limit: int, measure: Callable[[str], int]) -> str:
    """Return as many whole lines of both ends as have room, with a gap between them."""
    room = limit - measure(f"\n{GAP.strip()}\n")
    tail = _count_fitting(lines[::-1], room // TAIL_SHARE, measure)
    tail_lines = lines[len(lines) - tail :]
    head = _count_fitting(lines, room - sum(measure(f"{line}\n") for line in tail_lines), measure)
    return "\n".join([*lines[:head], GAP.strip(), *tail_lines])


def _count_fitting(lines: list[str], room: int, measure: Callable[[str], int]) -> int:
    """Return how many of the first lines have room together."""
    return sum(used <= room for used in accumulate(measure(f"{line}\n") for line in lines))


def _cut(line: str, limit: int, measure: Callable[[str], int]) -> str:
    if measure(line) <= limit:
        return line
    gap = GAP.strip()
    cut = cut_middle(line, limit, measure, GAP)
    if not cut:
        return gap if limit >= measure(gap) else ""
    return _at_words(cut) if GAP not in line else cut


def _at_words(cut: str) -> str:
    """Take the halves of words beside the gap out, where a half of the line has words."""
    head, _, tail = cut.partition(GAP)
    last, first = head.rfind(" "), tail.find(" ")
    head = head[:last] if last > len(head) // 2 else head
    tail = tail[first + 1 :] if -1 < first < len(tail) // 2 else tail
    return f"{head}{GAP}{tail}"
