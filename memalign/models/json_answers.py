"""Reading what services and language models answer: nothing is taken for granted about its form."""

import json
import re
from collections.abc import Iterator, Mapping

from memalign.records import Json

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
}


def body_of(text: str) -> Json:
    """The JSON of a response's body; None when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def part(value: Json, *path: str | int) -> Json:
    """What lies at the path in a JSON value; None when it is not there."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_in(value: Json, *path: str | int) -> str:
    """The text at the path; empty when there is none."""
    found = part(value, *path)
    return found if isinstance(found, str) else ""


def number_in(value: Json, *path: str | int) -> int:
    """The whole number at the path; 0 when there is none."""
    found = part(value, *path)
    return found if isinstance(found, int) else 0


def find_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """The first object that fits the schema: the whole text, then fences, then anywhere in prose."""
    for candidate in _candidates(text):
        if isinstance(candidate, dict) and fits(candidate, schema):
            return candidate
    return None


def fits(answer: Json, schema: Mapping[str, Json]) -> bool:
    """Whether all required parts are there and are objects, lists or texts where that is asked for.

    Numbers, truth values and categories are left to the reader of the answer, who knows more spellings.
    """
    wanted = _TYPES.get(schema.get("type", ""))
    if wanted and "enum" not in schema and not isinstance(answer, wanted):
        return False
    if not isinstance(answer, dict):
        return True
    properties = schema.get("properties", {})
    return all(name in answer and fits(answer[name], properties[name]) for name in schema.get("required", ()))


def _candidates(text: str) -> Iterator[Json]:
    for part in (text, *_FENCE.findall(text)):
        try:
            yield json.loads(part)
        except ValueError:
            continue
    decoder = json.JSONDecoder()
    for start in (match.start() for match in re.finditer(r"\{", text)):
        try:
            yield decoder.raw_decode(text, start)[0]
        except ValueError:
            continue
