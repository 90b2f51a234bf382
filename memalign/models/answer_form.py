"""The form of an answer: its names and types by the schema that was asked for, and what only repeats the form."""

import re
from collections.abc import Mapping

from memalign.errors import InputError
from memalign.models.cited_numbers import CASES, GUIDELINES
from memalign.models.json_answers import parse_body
from memalign.records import Json
from memalign.text_folding import fold
from memalign.value_types import ValueType, value_type_of_schema

VALUE, RATIONALE = "value", "rationale"
"""Names of a verdict's parts."""
RATIONALE_WORDS = "the reason for your verdict in two or three sentences"
"""The judging prompt's words for a rationale."""
_NO_WRAPPERS_LIST = """
example examples sample format schema template draft drafts thinking thought thoughts analysis reasoning reflection
previous before
"""
_NO_WRAPPERS = frozenset(_NO_WRAPPERS_LIST.split())
"""Names under which an object is no answer."""
MAX_WRAPPERS = 2
"""Objects around an answer: `{"answer": {…}}`, `{"tool_call": {"name": …, "arguments": {…}}}`."""
_PLACEHOLDER = re.compile(r"<.*>|\{.*\}|\[.*\]|[\s._…-]*", re.DOTALL)
_TYPE_WORDS_LIST = """
string str text boolean bool integer int number float value label verdict rationale reason true|false true/false yes/no
"""
_FORM_WORDS = frozenset(_TYPE_WORDS_LIST.split()) | {"true or false", "yes or no", RATIONALE_WORDS}
_FORM_PHRASE = re.compile(
    r"(?:an? |the |your |my |some |brief |short |detailed |concise |step-by-step )*"
    r"(?:reasons?|reasoning|rationale|explanations?|justification|analysis|verdict|judge?ment|thoughts|text|answer)"
    r"(?: (?:goes )?here| (?:for|of|behind) (?:the|your) (?:verdict|value|judge?ment|decision|answer|rating|score))?",
)
"""Words that stand for a reason in a form, and are none."""


def value_type_in(schema: Mapping[str, Json]) -> ValueType | None:
    """Find the type of a verdict's value.

    Args:
        schema: The JSON schema that was asked for.

    Returns:
        The value type; None where the answer is no verdict.
    """
    value = schema.get("properties", {}).get(VALUE)
    return value_type_of_schema(value) if isinstance(value, dict) else None


def answer_in(
    document: Json, schema: Mapping[str, Json], *, wrappers: int = MAX_WRAPPERS
) -> dict[str, Json] | None:
    """Take an answer from an object: the object itself, or the one object that it wraps.

    Args:
        document: JSON from a model.
        schema: The JSON schema that was asked for.
        wrappers: Objects that may be around the answer.

    Returns:
        The answer by the schema's names; None where it is none. A verdict may lack its rationale and its lists, and a
        distillation all lists but one. The value and the lists of a verdict are not read yet.
    """
    if not isinstance(document, dict):
        return None
    answer = _by_names(document, schema)
    if answer is not None or not wrappers or not {fold(name) for name in document}.isdisjoint(_names(schema)):
        return answer
    inner = [
        wrapped
        for name, each in document.items()
        if fold(name) not in _NO_WRAPPERS and isinstance(wrapped := _object_in(each), dict)
    ]
    return answer_in(inner[0], schema, wrappers=wrappers - 1) if len(inner) == 1 else None


def usable(answer: dict[str, Json] | None, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Keep an answer whose value can be read, and that does not just repeat the form.

    Args:
        answer: As `answer_in` took it; None for none.
        schema: The JSON schema that was asked for.

    Returns:
        The answer, or None.
    """
    return (
        answer if answer is not None and is_readable(answer, schema) and not is_echo(answer, schema) else None
    )


def is_readable(answer: Mapping[str, Json], schema: Mapping[str, Json]) -> bool:
    """Check that the value of a verdict is one of the judge's.

    Args:
        answer: As `answer_in` took it.
        schema: The JSON schema that was asked for.

    Returns:
        True if it is; always True for other answers, which have no value.
    """
    value_type = value_type_in(schema)
    if value_type is None:
        return True
    try:
        value_type.parse(answer[VALUE])
    except InputError:
        return False
    return True


def is_echo(answer: Mapping[str, Json], schema: Mapping[str, Json]) -> bool:
    """Check whether a verdict only repeats the form that was asked for: `{"rationale": "...", "value": "boolean"}`.

    Args:
        answer: As `answer_in` took it.
        schema: The JSON schema that was asked for.

    Returns:
        True if it does; never for other answers.
    """
    value_type = value_type_in(schema)
    if value_type is None:
        return False
    value, rationale = answer[VALUE], answer.get(RATIONALE)
    if isinstance(value, dict) or (isinstance(rationale, str) and rationale and _is_placeholder(rationale)):
        return True
    if not isinstance(value, str) or (value_type.kind != "str" and is_readable(answer, schema)):
        return False
    return _is_placeholder(value) or fold(value) == fold(value_type.description)


def _is_placeholder(text: str) -> bool:
    words = fold(text).rstrip(".…")
    is_form = words in _FORM_WORDS or _FORM_PHRASE.fullmatch(words) is not None
    return is_form or _PLACEHOLDER.fullmatch(text.strip()) is not None


def _object_in(value: Json) -> Json:
    """Read an object that is a text of JSON, as the arguments of tool calls are."""
    return parse_body(value) if isinstance(value, str) and value.lstrip().startswith("{") else value


def _by_names(document: Mapping[str, Json], schema: Mapping[str, Json]) -> dict[str, Json] | None:
    parts = {fold(name): value for name, value in document.items()}
    properties = schema.get("properties")
    if not properties:
        return dict(document)
    answer = {name: parts[name] for name in properties if name in parts}
    if VALUE in properties:
        return _verdict(answer)
    return _lists(answer, properties)


def _names(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    names: Mapping[str, Json] = schema.get("properties", {})
    return names


def _verdict(answer: dict[str, Json]) -> dict[str, Json] | None:
    rationale = answer.get(RATIONALE)
    if isinstance(rationale, list) and all(isinstance(line, str) for line in rationale):
        rationale = "\n".join(rationale)
    if VALUE not in answer or not (rationale is None or isinstance(rationale, str)):
        return None
    reason = {} if rationale is None else {RATIONALE: rationale}
    # whatever stands in place of the lists, the verdict counts
    lists = {name: answer[name] for name in (GUIDELINES, CASES) if name in answer}
    return {**reason, **lists, VALUE: answer[VALUE]}


def _lists(answer: dict[str, Json], properties: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the lists of a distillation; an optional one that is no list counts as missing."""
    first = next(iter(properties))
    lists = {name: _listed(value) for name, value in answer.items() if name == first or _is_listed(value)}
    if not lists or not isinstance(lists.get(first, []), list):
        return None
    return {name: lists.get(name, []) for name in properties}


def _is_listed(value: Json) -> bool:
    return value is None or isinstance(value, list | dict)


def _listed(value: Json) -> Json:
    """Return a list; a lone draft of a guideline is its one item, and nothing is none."""
    if isinstance(value, dict) and "text" in value:
        return [value]
    return [] if value in (None, {}) else value
