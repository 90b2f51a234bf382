"""Reading of what services answer: nothing is taken for granted about its form."""

import json

from memalign.records import Json
from memalign.surrogates import replace_surrogates


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
