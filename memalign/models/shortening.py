"""Shortening of JSON to a number of tokens: the longest parts first, so that short ones stay whole.

Each part of an object or a list gets what it needs, and the long ones share the rest equally. A long text loses its
middle. A question is kept so, as long as something longer than it is left to be cut.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from memalign import spans, turns
from memalign.fair_cut import fair_shares
from memalign.models.prompt_json import as_json, encode
from memalign.records import Json
from memalign.spans import is_span_list
from memalign.tokens import count_tokens, cut_middle
from memalign.turns import is_turn

MIN_PART_TOKENS = 16
"""Parts are not cut below this as long as there are few enough of them; of more, some are left out. Set by hand."""
MIN_ITEM_TOKENS = 48
"""The same of the items of a list, which mostly are objects, such as messages. Set by hand."""
MIN_SPAN_TOKENS = 150
"""The same of spans: name, times, and an error with its message. Set by hand."""
MIN_TURN_TOKENS = 60
"""The same of turns: a short question. Set by hand."""
MAX_DEPTH = 24
"""Levels of objects and lists that are looked into; what lies deeper is cut as a text."""
_PUNCTUATION_TOKENS = 2
"""Of a part: quotes, colon and comma, rounded up."""


def encoded_tokens(value: Json) -> int:
    """Count the tokens that a value takes in a prompt.

    Args:
        value: Any JSON.

    Returns:
        The number of tokens of its line.
    """
    return count_tokens(encode(value))


def shorten_fields(fields: Mapping[str, Json], max_tokens: int) -> dict[str, Json]:
    """Shorten a record's fields until all fit.

    Args:
        fields: Values by name.
        max_tokens: Most tokens that their JSON may have; from about 10 tokens a field.

    Returns:
        All fields, those that fit as they are.
    """
    if encoded_tokens(fields) <= max_tokens:
        return dict(fields)
    room = max_tokens
    while True:
        names = {name: encoded_tokens(name) + _PUNCTUATION_TOKENS for name in fields}
        shares = fair_shares(map(encoded_tokens, fields.values()), room - sum(names.values()) - 1)
        shortened = {
            name: shorten(value, share) for (name, value), share in zip(fields.items(), shares, strict=True)
        }
        excess = encoded_tokens(shortened) - max_tokens
        if excess <= 0 or room <= 0:
            return shortened
        room -= excess


def shorten(value: Json, max_tokens: int, depth: int = 0) -> Json:
    """Shorten a value until it fits.

    Args:
        value: Any JSON.
        max_tokens: Most tokens of its line in a prompt.
        depth: Objects and lists around it.

    Returns:
        The value as it is when it fits; else with its longest parts cut, or a part of its text; an empty text where
        there is no room for anything.
    """
    if encoded_tokens(value) <= max_tokens:
        return value
    shortened: Json = None
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        shortened = _shorten_object(value, max_tokens, depth + 1)
    elif depth < MAX_DEPTH and isinstance(value, list | tuple):
        shortened = _shorten_list(value, max_tokens, depth + 1)
    if shortened is None or encoded_tokens(shortened) > max_tokens:
        return cut_text(value if isinstance(value, str) else as_json(value), max_tokens)
    return shortened


def cut_text(text: str, max_tokens: int) -> str:
    """Cut the middle out of a text until its line fits: quotes and line ends take more room once they are encoded.

    Args:
        text: Any text.
        max_tokens: Most tokens of its line in a prompt.

    Returns:
        The text as it is when it fits; else its beginning and its end; empty where not even that fits.
    """
    room = max_tokens
    kept = cut_middle(text, room)
    while kept and (size := encoded_tokens(kept)) > max_tokens:
        room = min(room - 1, room * max_tokens // size)
        kept = cut_middle(text, room)
    return kept


def _shorten_object(value: Mapping[str, Json], max_tokens: int, depth: int) -> Json:
    """Return the object with its values cut; where there are too many, the longest ones are left out."""
    names = {name: encoded_tokens(str(name)) + _PUNCTUATION_TOKENS for name in value}
    sizes = {name: encoded_tokens(part) for name, part in value.items()}
    by_size = sorted(value, key=lambda name: sizes[name] + names[name])
    count = _fitting_parts(
        [names[name] + min(sizes[name], MIN_PART_TOKENS) for name in by_size], max_tokens - 1
    )
    fitting = set(by_size[:count])
    kept = [name for name in value if name in fitting]
    gap = {"…": _left_out(len(value) - count)} if count < len(value) else {}
    room = max_tokens - 1 - sum(names[name] for name in kept) - (encoded_tokens(gap) if gap else 0)
    shares = fair_shares([sizes[name] for name in kept], room)
    return {name: shorten(value[name], share, depth) for name, share in zip(kept, shares, strict=True)} | gap


def _shorten_list(value: Sequence[Json], max_tokens: int, depth: int) -> Json:
    """Return the list with its items cut; where there are too many, the least important ones are left out."""
    sizes = [encoded_tokens(part) for part in value]
    ranking = _ranking(value)
    count = _fitting_parts(
        [1 + min(sizes[place], ranking.least_tokens) for place in ranking.places], max_tokens - 1
    )
    kept = sorted(ranking.places[:count])
    gap: list[Json] = [_left_out(len(value) - count, ranking.noun)] if count < len(value) else []
    room = max_tokens - 1 - count - sum(map(encoded_tokens, gap))
    shares = fair_shares([sizes[place] for place in kept], room)
    cut = [shorten(value[place], share, depth) for place, share in zip(kept, shares, strict=True)]
    head = next((rank for rank, place in enumerate(kept) if rank != place), len(kept))
    return [*cut[:head], *gap, *cut[head:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranking:
    """The order in which the items of a list are kept."""

    places: Sequence[int]
    least_tokens: int = MIN_PART_TOKENS
    noun: str = ""


def _ranking(value: Sequence[Json]) -> _Ranking:
    """Rank spans and turns by what they tell; of other lists both ends stay."""
    if is_span_list(value):
        return _Ranking(places=spans.places_by_importance(value), least_tokens=MIN_SPAN_TOKENS, noun="spans ")
    if len(value) > 1 and all(map(is_turn, value)):
        return _Ranking(places=turns.places_by_importance(value), least_tokens=MIN_TURN_TOKENS, noun="turns ")
    places = range(len(value))
    inward = [place for pair in zip(places, reversed(places), strict=True) for place in pair]
    return _Ranking(places=inward[: len(value)])


def _fitting_parts(least_sizes: Sequence[int], max_tokens: int) -> int:
    """Return how many of the parts fit, each at its least size; with a note where not all do."""
    sums = list(accumulate(least_sizes))
    if not sums or sums[-1] <= max_tokens:
        return len(sums)
    return max(1, bisect_right(sums, max_tokens - MIN_PART_TOKENS))


def _left_out(count: int, noun: str = "") -> str:
    return f"… {count:,} {noun}left out …"
