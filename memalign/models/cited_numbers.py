"""Reading of the numbers by which a model names the guidelines and cases that led it."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from memalign.records import Json

GUIDELINES, CASES = "guidelines", "cases"
"""Names of the lists in a verdict."""
MAX_CITED = 10
"""Most numbers of each list. Set by hand: a model that names more names none in particular."""
MAX_LIST_CHARACTERS = 400
"""Of a list in words; a longer text is prose."""
MAX_WORDS_BEFORE_NUMBER = 2
"""In a list in words: "Guideline 2 and guideline 5". More words are prose, whose numbers may mean anything."""
MAX_LIST_DEPTH = 3
"""Lists and objects inside each other."""
_NUMBER_NAMES = ("number", "guideline", "case", "id", "index")
_TOKEN = re.compile(r"(?P<number>(?<![\w)])-?\d+(?:\.\d+)?|\d+(?:\.\d+)?)|(?P<word>[^\W\d_]+)")
_NEGATIONS = frozenset({"no", "none", "not", "null", "nothing", "neither"})

ItemT = TypeVar("ItemT")


def cited(value: Json, shown: Sequence[ItemT]) -> tuple[ItemT, ...]:
    """Find what a model names, among what it was shown.

    Args:
        value: What it wrote in place of a list of numbers; None for nothing.
        shown: By number, from 1 on.

    Returns:
        What it names, each once, in its order; at most `MAX_CITED`. Numbers of nothing shown are passed over.
    """
    numbers = (each for each in _numbers(value, MAX_LIST_DEPTH) if 0 < each <= len(shown))
    return tuple(shown[number - 1] for number in islice(dict.fromkeys(numbers), MAX_CITED))


def number_of(value: Json) -> int | None:
    """Read one number in whatever form a model writes it.

    Args:
        value: What it wrote in place of the number.

    Returns:
        The first number there; None where there is none.
    """
    return next(_numbers(value, MAX_LIST_DEPTH), None)


def _numbers(value: Json, depth: int) -> Iterator[int]:
    if isinstance(value, str):
        yield from _numbers_in_words(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _whole(value)
    elif isinstance(value, dict) and depth:
        yield from _numbers(_numbers_of_object(value), depth - 1)
    elif isinstance(value, list) and depth:
        for each in value:
            yield from _numbers(each, depth - 1)


def _numbers_of_object(value: dict[str, Json]) -> Json:
    """Return the number that an object holds, `{"guideline": 2, "why": "…"}`, or the names of `{"2": "…"}`."""
    parts = {name.strip().casefold(): each for name, each in value.items()}
    named = [parts[name] for name in _NUMBER_NAMES if name in parts]
    return named[:1] or [name for name in parts if name.isdecimal()]


def _numbers_in_words(text: str) -> list[int]:
    """Read `G2`, `[2, 3]` or `guidelines 2 and 5`; prose names nothing."""
    numbers: list[int] = []
    words = 0
    for token in _TOKEN.finditer(text) if len(text) <= MAX_LIST_CHARACTERS else ():
        if token["number"]:
            numbers += _whole(float(token["number"]))
            words = 0
            continue
        words += 1
        if words > MAX_WORDS_BEFORE_NUMBER or token["word"].casefold() in _NEGATIONS:
            return []
    return numbers


def _whole(value: float) -> list[int]:
    # an integer of any length stays one: a float has no room for more than 308 digits
    return [int(value)] if isinstance(value, int) or value.is_integer() else []
