"""Attributes of spans and events, by name, however a tool exports them."""

import re
from collections.abc import Iterator, Mapping

from memalign.records import Json
from memalign.tool_calls import from_json

BOOKKEEPING = ("mlflow.traceRequestId", "mlflow.spanLogLevel", "input.mime_type", "output.mime_type")
_MLFLOW_JSON = ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType")
"""Attributes that are always a text of JSON, `null` included."""
_NESTED_ROOTS = ("openinference", "input", "output", "llm", "gen_ai", "ai", "traceloop", "langfuse")
"""First words of names that Phoenix exports as objects in objects."""
_REPEATED_PREFIXES = ("message.", "message_content.", "tool_call.", "function.", "prompt.", "completion.")
"""OpenInference repeats these inside the names of a message's parts."""
_MAX_PLACE_DIGITS = 9
_INT64 = re.compile(r"-?[0-9]{1,19}")
_PLACED = re.compile(r"[^.]+\.(?=\d+\.)")


def read_attributes(attributes: Json) -> dict[str, Json]:
    """Read the attributes of a span or an event.

    Args:
        attributes: By name, or, as OTLP keeps them, a list of keys and typed values.

    Returns:
        Values by name; none where it is something else.
    """
    if isinstance(attributes, list):
        pairs = [each for each in attributes if isinstance(each, Mapping) and "key" in each]
        values = {str(each["key"]): _otlp_value(each.get("value")) for each in pairs}
        return {name: _unquoted(part) if name in _MLFLOW_JSON else part for name, part in values.items()}
    if not isinstance(attributes, Mapping):
        return {}
    flat = {
        inner: part
        for name, value in attributes.items()
        for inner, part in (_flat(str(name), value) if name in _NESTED_ROOTS else [(str(name), value)])
    }
    return {
        name: _json_value(part) if name in _MLFLOW_JSON else _unquoted(part) for name, part in flat.items()
    }


def attributes_of(span: Mapping[str, Json]) -> Mapping[str, Json]:
    """Find the attributes in a span's document.

    Args:
        span: As `memalign.span_forms.span_document` returns it.

    Returns:
        Values by name; none where it has no attributes.
    """
    attributes = span.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


def _flat(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for inner, part in value.items():
        yield from _flat(f"{name}.{inner}", part)


def _json_value(value: Json) -> Json:
    read = from_json(f"[{value}]") if isinstance(value, str) else None
    return read[0] if isinstance(read, list) and len(read) == 1 else _unquoted(value)


def _otlp_value(value: Json) -> Json:
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    # camel case in OTLP, snake case in MLflow's answers
    name = kind.replace("_", "").lower()
    if name == "arrayvalue" and isinstance(inner, Mapping):
        return [_otlp_value(each) for each in inner.get("values") or ()]
    if name == "kvlistvalue" and isinstance(inner, Mapping):
        return read_attributes(inner.get("values"))
    is_number = name == "intvalue" and isinstance(inner, str) and _INT64.fullmatch(inner)
    return int(inner) if is_number else inner


def _unquoted(value: Json) -> Json:
    """Return what MLflow keeps as JSON in a text."""
    is_quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return (
        from_json(f"[{value}]")[0]
        if is_quoted and isinstance(from_json(f"[{value}]"), list)
        else from_json(value)
    )


def unflattened_messages(attributes: Mapping[str, Json], prefix: str) -> Json:
    """Put messages together whose parts are attributes: `gen_ai.prompt.0.role`, `gen_ai.prompt.0.tool_calls.0.name`.

    Args:
        attributes: By name.
        prefix: What their names begin with, such as `gen_ai.prompt.`.

    Returns:
        A list of messages, in order.
    """
    items: dict[int, dict[str, Json]] = {}
    for name, value in attributes.items():
        place, _, rest = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and place.isdecimal() and len(place) <= _MAX_PLACE_DIGITS and rest:
            items.setdefault(int(place), {})[_without_repetition(rest)] = value
    return [_with_lists(items[place]) for place in sorted(items)]


def _without_repetition(name: str) -> str:
    for prefix in _REPEATED_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _with_lists(item: Mapping[str, Json]) -> dict[str, Json]:
    """Return an item whose parts with places in their names, such as `contents.0.text`, are lists."""
    prefixes = dict.fromkeys(match[0] for name in item if (match := _PLACED.match(name)))
    plain = {name: part for name, part in item.items() if not _PLACED.match(name)}
    return plain | {prefix.rstrip("."): unflattened_messages(item, prefix) for prefix in prefixes}
