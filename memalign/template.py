"""What a judge looks at in a trace, and the one text by which a case is found again."""

import json
import re
from collections.abc import Mapping

from memalign.json_leaves import Leaf, leaves
from memalign.records import Json, Trace
from memalign.tokens import cut_to_tokens

VARIABLES = ("inputs", "outputs", "expectations", "conversation", "trace")
"""The template variables there are."""

TEXT_TOKENS = 8_000
"""The longest text that is embedded; a client whose model takes less cuts further, for both sides alike."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half characters, which no request can carry."""
_VARIABLE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def variables_in(instructions: str) -> tuple[str, ...]:
    """The template variables used, known or not, each once, in template order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(instructions)))


def fields_of(trace: Trace, variables: tuple[str, ...]) -> dict[str, Json]:
    """The values of these variables; None for what the trace does not have."""
    values = {
        "inputs": trace.inputs,
        "outputs": trace.outputs,
        "expectations": trace.expectations,
        "conversation": trace.conversation,
        "trace": _whole(trace),
    }
    return {name: values[name] for name in variables}


def _whole(trace: Trace) -> Json:
    parts: dict[str, Json] = {"inputs": trace.inputs, "outputs": trace.outputs, "spans": list(trace.spans)}
    return {name: part for name, part in parts.items() if part not in (None, [])} or None


def text_of(fields: Mapping[str, Json]) -> str:
    """The text that is embedded, for a stored case and for a query alike; empty when there is nothing in it.

    Keys of texts are left out: two systems that wrap the same words differently should find each other.
    """
    lines = map(_line, sorted(leaves(fields), key=lambda leaf: leaf.path))
    text = "\n".join(line for line in lines if line)
    return cut_to_tokens(_HALF.sub("\ufffd", text), TEXT_TOKENS)


def _line(leaf: Leaf) -> str:
    if isinstance(leaf.value, str):
        return leaf.value.strip()
    return f"{leaf.key}: {json.dumps(leaf.value, ensure_ascii=False, default=str)}"
