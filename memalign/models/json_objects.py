"""The JSON objects in a text, wherever they stand in it, in bounded time."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from memalign.records import Json
from memalign.surrogates import replace_surrogates

MAX_SCANNED_CHARACTERS = 20_000_000
"""Looked at in search of objects in one text, all attempts together; some tenths of a second.

Each attempt may read to the end of the text, so that a text of braces alone would take quadratic time.
"""
_OBJECT_START = re.compile(r'\{(?=\s*["}])')


class JsonObject(NamedTuple):
    """An object, and where it stands in the text."""

    start: int
    end: int
    document: dict[str, Json]


def json_objects(text: str) -> list[JsonObject]:
    """Find the complete objects of a text, until `MAX_SCANNED_CHARACTERS` have been looked at.

    Line ends and tabs may stand in texts as they are.

    Args:
        text: What a model wrote.

    Returns:
        The outermost objects, in order. A name that an object gives two different values has None.
    """
    return list(_scan(text))


def _scan(text: str) -> Iterator[JsonObject]:
    decoder, budget = (
        json.JSONDecoder(strict=False, object_pairs_hook=_without_contradictions),
        MAX_SCANNED_CHARACTERS,
    )
    place = 0
    while budget > 0 and (match := _OBJECT_START.search(text, place)):
        start = place = match.start()
        place += 1
        try:
            document, end = decoder.raw_decode(text, start)
            document = replace_surrogates(document)
        except json.JSONDecodeError as error:
            budget -= error.pos  # it has also counted the lines before
        except (ValueError, RecursionError):  # a number of too many digits; nested too deeply
            budget -= len(text)
        else:
            yield JsonObject(start, end, document)
            budget -= end - start
            place = end


def _without_contradictions(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document: dict[str, Json] = {}
    for name, value in pairs:
        document[name] = None if name in document and document[name] != value else value
    return document
