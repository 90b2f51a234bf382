"""The text by which a case is found again: the words of a trace's fields, without what is wrapped around them."""

import json
import re
from collections.abc import Mapping, Sequence

from memalign.fair_cut import cut_lines
from memalign.json_leaves import Leaf, leaves
from memalign.messages import without_envelopes
from memalign.records import CaseText, Json

TEXT_TOKENS = 8_000
"""Most tokens of a text that is embedded; below OpenAI's limit of 8,192. A client whose model takes less cuts further,
stored texts and queries in the same way."""

_ANSWERING_ROLES = frozenset({"assistant", "ai", "model", "tool"})
_HALF = re.compile("[\ud800-\udfff]")
"""Half surrogate pairs, which no request can carry."""


def text_of(fields: Mapping[str, Json]) -> CaseText:
    """Make the text that is embedded, of a stored case and of a query in the same way.

    Keys of texts are left out: two systems that wrap the same words differently should find each other. The words
    that an application was given and those that it made are apart, since a long document in the request would hide
    the answer that is judged.

    Args:
        fields: Values by template variable, as `memalign.template.fields_of` reads them.

    Returns:
        For each part a line for each scalar, sorted by where it lies; empty when there is nothing. Of a part that is
        too long the longest lines are cut.
    """
    sides = [_sides(name, value) for name, value in fields.items()]
    return CaseText(_lines(dict(given for given, _ in sides)), _lines(dict(made for _, made in sides)))


def _sides(name: str, value: Json) -> tuple[tuple[str, Json], tuple[str, Json]]:
    """Part a field into what was given and what was made of it."""
    if name == "outputs":
        return (name, None), (name, value)
    if name == "trace" and isinstance(value, Mapping):
        made = {key: part for key, part in value.items() if key != "inputs"}
        return (name, {"inputs": value.get("inputs")}), (name, made)
    if name == "conversation" and isinstance(value, list):
        answer = _place_of_answer(value)
        return (name, value[:answer]), (name, value[answer:])
    return (name, value), (name, None)


def _place_of_answer(messages: Sequence[Json]) -> int:
    """Return the place behind the last message that is not the application's; 0 where all are its own."""
    places = (place for place, message in enumerate(messages, start=1) if not _is_answer(message))
    return max(places, default=0)


def _is_answer(message: Json) -> bool:
    return isinstance(message, Mapping) and str(message.get("role")) in _ANSWERING_ROLES


def _lines(fields: Mapping[str, Json]) -> str:
    spoken = {name: without_envelopes(value) for name, value in fields.items()}
    lines = map(_line, sorted(leaves(spoken), key=_order))
    text = "\n".join(line for line in lines if line)
    return cut_lines(_HALF.sub("\ufffd", text), TEXT_TOKENS)


def has_text(value: Json) -> bool:
    """Tell whether a value holds any word, number or truth value.

    Args:
        value: Any JSON, as `memalign.messages.read_messages` returns it.

    Returns:
        False for null, blanks, and objects and lists of nothing else.
    """
    return any(map(_line, leaves(without_envelopes(value))))


def _order(leaf: Leaf) -> list[tuple[bool, str | int]]:
    # positions before names: keys that differ in type only, as 1 and "1", would else be compared with each other
    return [(isinstance(step, str), step) for step in leaf.path]


def _line(leaf: Leaf) -> str:
    if isinstance(leaf.value, str):
        return leaf.value.strip()
    return f"{leaf.key}: {json.dumps(leaf.value, ensure_ascii=False, default=str)}"
