"""Template variables: the fields of a trace that a judge sees, and the text by which a case is found again."""

import json
import re
from collections.abc import Mapping

from memalign.json_leaves import Leaf, leaves
from memalign.records import Json, Trace
from memalign.tokens import cut_to_tokens

VARIABLES = ("inputs", "outputs", "expectations", "conversation", "trace")
"""All template variables."""

TEXT_TOKENS = 8_000
"""Most tokens of a text that is embedded; below OpenAI's limit of 8,192. A client whose model takes less cuts further,
stored texts and queries in the same way."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half surrogate pairs, which no request can carry."""
_VARIABLE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def variables_in(instructions: str) -> tuple[str, ...]:
    """Find the template variables in instructions.

    Args:
        instructions: Text with {{ variables }}.

    Returns:
        Their names, known or not, each once, in the order of the text.
    """
    return tuple(dict.fromkeys(_VARIABLE.findall(instructions)))


def fields_of(trace: Trace, variables: tuple[str, ...]) -> dict[str, Json]:
    """Read the values of template variables.

    Args:
        trace: The trace.
        variables: Names out of `VARIABLES`.

    Returns:
        Values by name; None for what the trace does not have.

    Raises:
        KeyError: If a variable does not exist.
    """
    values = {
        "inputs": trace.inputs,
        "outputs": trace.outputs,
        "expectations": trace.expectations,
        "conversation": trace.conversation,
        "trace": _trace_document(trace),
    }
    return {name: values[name] for name in variables}


def _trace_document(trace: Trace) -> Json:
    parts: dict[str, Json] = {"inputs": trace.inputs, "outputs": trace.outputs, "spans": list(trace.spans)}
    return {name: part for name, part in parts.items() if part not in (None, [])} or None


def text_of(fields: Mapping[str, Json]) -> str:
    """Make the text that is embedded, of a stored case and of a query in the same way.

    Keys of texts are left out: two systems that wrap the same words differently should find each other.

    Args:
        fields: Values by template variable.

    Returns:
        A line for each scalar, sorted by where it lies; empty when there is nothing in the fields.
    """
    lines = map(_line, sorted(leaves(fields), key=_order))
    text = "\n".join(line for line in lines if line)
    return cut_to_tokens(_HALF.sub("\ufffd", text), TEXT_TOKENS)


def _order(leaf: Leaf) -> list[tuple[bool, str | int]]:
    # positions before names: keys that differ in type only, as 1 and "1", would else be compared with each other
    return [(isinstance(step, str), step) for step in leaf.path]


def _line(leaf: Leaf) -> str:
    if isinstance(leaf.value, str):
        return leaf.value.strip()
    return f"{leaf.key}: {json.dumps(leaf.value, ensure_ascii=False, default=str)}"
