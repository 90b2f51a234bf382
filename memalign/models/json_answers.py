"""Reading of what services and language models answer: nothing is taken for granted about its form."""

import json
import re
import string
from collections.abc import Iterator, Mapping

from memalign.records import Json
from memalign.surrogates import replace_surrogates

MAX_SCANNED_CHARACTERS = 20_000_000
"""Looked at in search of objects in one text, all attempts together; some tenths of a second.

Each attempt may read to the end of the text, so that a text of braces alone would take quadratic time.
"""
_FENCE = "```"
_OBJECT_START = re.compile(r'\{(?=\s*["}])')
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
}


def parse_body(text: str) -> Json:
    """Parse a response's body.

    Args:
        text: The body.

    Returns:
        Its JSON; None when it is none, or nested too deeply to be read.
    """
    try:
        return replace_surrogates(json.loads(text))
    except (ValueError, RecursionError):
        return None


def value_at(document: Json, *path: str | int) -> Json:
    """Read a value inside a JSON document.

    Args:
        document: Any JSON.
        path: Names and list positions that lead to the value.

    Returns:
        The value; None when it is not there.
    """
    for step in path:
        if isinstance(document, dict) and isinstance(step, str):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def text_at(document: Json, *path: str | int) -> str:
    """Read a text inside a JSON document.

    Args:
        document: Any JSON.
        path: Names and list positions that lead to the text.

    Returns:
        The text; empty when there is none.
    """
    value = value_at(document, *path)
    return value if isinstance(value, str) else ""


def integer_at(document: Json, *path: str | int) -> int:
    """Read a whole number inside a JSON document.

    Args:
        document: Any JSON.
        path: Names and list positions that lead to the number.

    Returns:
        The number; 0 when there is none.
    """
    value = value_at(document, *path)
    return value if isinstance(value, int) else 0


def objects_at(document: Json, *path: str | int) -> list[dict[str, Json]]:
    """Read the objects of a list inside a JSON document.

    Args:
        document: Any JSON.
        path: Names and list positions that lead to the list.

    Returns:
        The list's objects, without what is none; empty when there is no list.
    """
    value = value_at(document, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def find_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Find the answer in a model's text: the whole text, then fenced blocks, then anywhere in prose.

    Args:
        text: What the model wrote.
        schema: The JSON schema that was asked for.

    Returns:
        The first object that fits the schema; None when there is none.
    """
    for candidate in _candidates(text):
        if isinstance(candidate, dict) and fits(candidate, schema):
            return candidate
    return None


def fits(answer: Json, schema: Mapping[str, Json]) -> bool:
    """Check whether all required parts are there, and are objects, lists or texts where that is asked for.

    Numbers, truth values and categories are left to the reader of the answer, who knows more spellings.

    Args:
        answer: What the model gave.
        schema: The JSON schema that was asked for.

    Returns:
        True if the answer can be read.
    """
    types = _TYPES.get(schema.get("type", ""))
    if types and "enum" not in schema and not isinstance(answer, types):
        return False
    if not isinstance(answer, dict):
        return True
    properties = schema.get("properties", {})
    return all(name in answer and fits(answer[name], properties[name]) for name in schema.get("required", ()))


def _candidates(text: str) -> Iterator[Json]:
    for block in (text, *_fenced(text)):
        yield parse_body(block)
    yield from _objects_in(text)


def _fenced(text: str) -> list[str]:
    """Return the blocks between pairs of fences, without the name of a language after the first one."""
    parts = text.split(_FENCE)
    return [part.lstrip(string.ascii_letters) for part in parts[1 : len(parts) - 1 : 2]]


def _objects_in(text: str) -> Iterator[Json]:
    """Yield the objects that begin somewhere in a text, until `MAX_SCANNED_CHARACTERS` have been looked at."""
    decoder, budget = json.JSONDecoder(), MAX_SCANNED_CHARACTERS
    for start in (match.start() for match in _OBJECT_START.finditer(text)):
        if budget <= 0:
            return
        try:
            document, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            budget -= error.pos  # it has also counted the lines before
        except (ValueError, RecursionError):  # a number of too many digits; nested too deeply
            budget -= len(text)
        else:
            yield replace_surrogates(document)
            budget -= end - start
