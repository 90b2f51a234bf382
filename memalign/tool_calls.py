"""Tool calls in chat messages, in the forms of common libraries and services."""

import json
from collections.abc import Iterable, Mapping

from memalign.records import Json
from memalign.turns import ToolCall

CALL_ID_NAMES = ("id", "call_id", "tool_call_id", "tool_use_id", "toolCallId", "toolUseId")
TOOL_NAMES = ("name", "toolName", "tool_name")
_ARGUMENT_NAMES = ("arguments", "input", "args", "parameters", "action", "query", "queries", "code")


def read_call(call: Mapping[str, Json]) -> ToolCall:
    """Read a tool call, whatever its form.

    Args:
        call: The object that holds it.

    Returns:
        The call; its arguments are read as JSON where they are a text of it.
    """
    outer = call["tool_call"] if isinstance(call.get("tool_call"), Mapping) else call
    inner = outer["function"] if isinstance(outer.get("function"), Mapping) else outer
    name = first(inner, TOOL_NAMES) or str(call.get("type", "")).removeprefix("tool-") or "tool"
    arguments: Json = next((inner[each] for each in _ARGUMENT_NAMES if inner.get(each) is not None), {})
    return ToolCall(name=name, arguments=from_json(arguments), call_id=first(outer, CALL_ID_NAMES))


def first(value: Mapping[str, Json], names: Iterable[str]) -> str:
    """Find the first text under some names.

    Args:
        value: An object.
        names: In order of preference.

    Returns:
        The text; empty without one.
    """
    return next((value[name] for name in names if isinstance(value.get(name), str) and value[name]), "")


def from_json(value: Json) -> Json:
    """Read a text of a JSON object or list.

    Args:
        value: Any JSON.

    Returns:
        What the text says; anything else as it is.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
