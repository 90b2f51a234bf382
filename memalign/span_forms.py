"""One span of a trace in one form, whichever tool wrote it: OpenTelemetry (also OTLP), MLflow, LangSmith, Langfuse.

Inputs, outputs and types that a convention keeps among the attributes (OpenTelemetry's GenAI, OpenInference,
OpenLLMetry, Vercel, MLflow) take their own place.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from memalign.media import replace_media
from memalign.message_parts import from_json
from memalign.messages import read_messages
from memalign.records import Json

_IDS = ("spanid", "id", "runid")
_PARENTS = ("parentspanid", "parentid", "parentrunid", "parentobservationid", "spanparents", "parent")
_STARTS = ("starttimeunixnano", "starttimens", "starttime", "start", "startedat", "timestamp")
_ENDS = ("endtimeunixnano", "endtimens", "endtime", "end", "endedat")
_DURATIONS = ("ms", "durationms", "latencyms")
_TYPES = ("spantype", "runtype", "type", "kind")
_CHILDREN = ("children", "childruns", "spans")
_INPUTS = ("inputs", "input", "request", "arguments")
_OUTPUTS = ("outputs", "output", "response", "result")
_INPUT_ATTRIBUTES = (
    "mlflow.spanInputs", "gen_ai.input.messages", "gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input",
    "langfuse.observation.input", "ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "gen_ai.prompt",
    "llm.input_messages", "pydantic_ai.all_messages", "all_messages_events", "request_data", "gen_ai.event.content",
)  # fmt: skip
_OUTPUT_ATTRIBUTES = (
    "mlflow.spanOutputs", "gen_ai.output.messages", "gen_ai.tool.call.result", "output.value",
    "traceloop.entity.output", "langfuse.observation.output", "ai.response.text", "ai.response.toolCalls",
    "ai.response.object", "ai.toolCall.result", "gen_ai.completion", "llm.output_messages", "final_result",
    "response_data",
)  # fmt: skip
_TYPE_ATTRIBUTES = (
    "mlflow.spanType", "openinference.span.kind", "traceloop.span.kind", "langfuse.observation.type",
    "gen_ai.operation.name",
)  # fmt: skip
_MESSAGE_PREFIXES = {
    "inputs": ("llm.input_messages.", "gen_ai.prompt."),
    "outputs": ("llm.output_messages.", "gen_ai.completion."),
}
_BOOKKEEPING = ("mlflow.traceRequestId", "mlflow.spanLogLevel", "input.mime_type", "output.mime_type")
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""OpenTelemetry's kinds, by number. They say nothing of what a span does."""
_OK: Final = ("ok", "success", "1")
_ERRORS = ("error", "failed", "failure", "2")
_NANOSECONDS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000), (0, 1_000_000_000))
"""Least number since 1970 of nano-, micro-, milliseconds and seconds, with the nanoseconds in one."""
_CARRIERS = ("spandata", "spanattributes", "meta")
"""Names of an object in which OpenAI's Agents SDK, Braintrust and Datadog keep a span's parts."""
_NESTED_ROOTS = ("openinference", "input", "output", "llm", "gen_ai", "ai", "traceloop", "langfuse")
"""Attributes whose dotted names Phoenix exports as objects in objects."""
_SHORT_PREFIXES = ("message.", "message_content.", "tool_call.")
"""OpenInference repeats these inside the names of a message's parts."""
FORM = (
    "id", "parent", "name", "type", "start_ms", "ms", "status", "error", "exceptions", "inputs", "outputs",
    "attributes", "events",
)  # fmt: skip
"""Names of a span's document, in the order of a prompt."""


def span_document(span: Mapping[str, Json]) -> dict[str, Json]:
    """Write a span in one form.

    Args:
        span: As a tool exports it, or as this function returned it.

    Returns:
        The names of `FORM` that it has, with `start_ns`, nanoseconds since 1970, in the place of `start_ms`.
    """
    plain = _hoisted({_plain(name): part for name, part in span.items()})
    attributes = {**_carried(span), **_attributes(plain.get("attributes"))}
    events = [_event(event) for event in _items(plain.get("events")) if isinstance(event, Mapping)]
    start, end = _time(plain, _STARTS), _time(plain, _ENDS)
    status, message = _status(plain)
    document: dict[str, Json] = {
        "id": _id(plain, _IDS),
        "parent": _id(plain, _PARENTS),
        "name": _first(plain, ("name", "opname")),
        "type": _type(plain, attributes),
        "start_ns": start,
        "ms": _first(plain, _DURATIONS) if start is None or end is None else _milliseconds(end - start),
        "status": status,
        "error": message,
        "exceptions": [*_items(plain.get("exceptions")), *_exceptions(events)],
        "inputs": _side(plain, _INPUTS, attributes, _INPUT_ATTRIBUTES, "inputs", events),
        "outputs": _side(plain, _OUTPUTS, attributes, _OUTPUT_ATTRIBUTES, "outputs", events),
        "attributes": {
            name: from_json(part)
            for name, part in attributes.items()
            if name not in _CONSUMED and not name.startswith(tuple(_PREFIXES))
        },
        "events": [event for event in events if not _is_consumed(event)],
    }
    document |= {name: part for name, part in span.items() if _plain(name) not in _KNOWN}
    return {name: read_messages(replace_media(part)) for name, part in document.items() if not is_empty(part)}


def is_empty(value: Json) -> bool:
    """Tell whether a value has no content.

    Args:
        value: Any JSON.

    Returns:
        True for null, a blank text, and an empty object or list.
    """
    return value is None or (isinstance(value, str) and not value.strip()) or value in ({}, [], ())


def children_of(span: Mapping[str, Json]) -> Sequence[Json]:
    """Find the spans that a span holds.

    Args:
        span: As a tool exports it.

    Returns:
        Its children; none where these name their parent instead.
    """
    lists = (part for name, part in span.items() if _plain(name) in _CHILDREN and isinstance(part, list))
    return [child for child in next(lists, []) if isinstance(child, Mapping)]


_PREFIXES = [prefix for prefixes in _MESSAGE_PREFIXES.values() for prefix in prefixes]
_CONSUMED = frozenset((*_INPUT_ATTRIBUTES, *_OUTPUT_ATTRIBUTES, *_TYPE_ATTRIBUTES, *_BOOKKEEPING))
_KNOWN = frozenset((
    *_IDS, *_PARENTS, *_STARTS, *_ENDS, *_DURATIONS, *_TYPES, *_CHILDREN, *_INPUTS, *_OUTPUTS, "name", "attributes",
    "events", "status", "statuscode", "statusmessage", "error", "exceptions", "traceid", "context", "level",
    "startms", "links", "flags", "tracestate", "resource", "scope", "droppedattributescount", "droppedeventscount",
    "droppedlinkscount", "exception", "opname", *_CARRIERS,
))  # fmt: skip


def _plain(name: str) -> str:
    return str(name).replace("_", "").lower()


def _hoisted(plain: Mapping[str, Json]) -> dict[str, Json]:
    """Put the parts that an object inside the span holds beside its own."""
    hoisted: dict[str, Json] = {}
    for carrier in _CARRIERS:
        inner = plain.get(carrier)
        hoisted |= {_plain(name): part for name, part in inner.items()} if isinstance(inner, Mapping) else {}
    return {
        **hoisted,
        **{name: part for name, part in plain.items() if part is not None or name not in hoisted},
    }


def _carried(span: Mapping[str, Json]) -> dict[str, Json]:
    """Return what else the objects inside the span hold."""
    carried: dict[str, Json] = {}
    for name, inner in span.items():
        if _plain(name) in _CARRIERS and isinstance(inner, Mapping):
            carried |= {each: part for each, part in inner.items() if _plain(each) not in _KNOWN}
    return carried


def _items(value: Json) -> list[Json]:
    """Return a list's items; anything else is one item, and nothing is none."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _first(plain: Mapping[str, Json], names: Iterable[str]) -> Json:
    return next((plain[name] for name in names if plain.get(name) is not None), None)


def _id(plain: Mapping[str, Json], names: Iterable[str]) -> str | None:
    context = plain.get("context")
    inner = {_plain(name): part for name, part in context.items()} if isinstance(context, Mapping) else {}
    if isinstance(parents := plain.get("spanparents"), list):  # Braintrust's
        plain = {**plain, "spanparents": parents[0] if parents else None}
    found = _first(plain, names) if names is _PARENTS else _first({**plain, **inner}, names)
    return str(found) if isinstance(found, str | int) and str(found).strip("0") else None


def _attributes(attributes: Json) -> dict[str, Json]:
    """Return attributes by name; OTLP keeps them as a list of keys and typed values."""
    if isinstance(attributes, list):
        pairs = [each for each in attributes if isinstance(each, Mapping) and "key" in each]
        return {str(each["key"]): _otlp_value(each.get("value")) for each in pairs}
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


_MLFLOW_JSON = ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType")
"""Attributes that are always a text of JSON, `null` included."""


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
    if kind == "arrayValue" and isinstance(inner, Mapping):
        return [_otlp_value(each) for each in inner.get("values") or ()]
    if kind == "kvlistValue" and isinstance(inner, Mapping):
        return _attributes(inner.get("values"))
    return inner


def _unquoted(value: Json) -> Json:
    """Return what MLflow keeps as JSON in a text."""
    is_quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return (
        from_json(f"[{value}]")[0]
        if is_quoted and isinstance(from_json(f"[{value}]"), list)
        else from_json(value)
    )


def _event(event: Mapping[str, Json]) -> dict[str, Json]:
    beside = {name: part for name, part in event.items() if _plain(name) not in _EVENT_NAMES}
    return {"name": str(event.get("name", "")), **beside, **_attributes(event.get("attributes"))}


_EVENT_NAMES = ("name", "attributes", "timeunixnano", "timestamp", "time", "droppedattributescount")


def _exceptions(events: Iterable[Mapping[str, Json]]) -> list[Json]:
    return [
        {name.removeprefix("exception."): part for name, part in event.items() if name != "name"}
        for event in events
        if event["name"] == "exception"
    ]


def _is_consumed(event: Mapping[str, Json]) -> bool:
    return event["name"] == "exception" or _is_message(event) or event["name"] == _DETAILS


_DETAILS = "gen_ai.client.inference.operation.details"
"""OpenTelemetry's event with the messages of a call."""


def _is_message(event: Mapping[str, Json]) -> bool:
    name = str(event["name"])
    return name.startswith("gen_ai.") and (name.endswith(".message") or name == "gen_ai.choice")


def _side(
    plain: Mapping[str, Json],
    names: Iterable[str],
    attributes: Mapping[str, Json],
    attribute_names: Iterable[str],
    side: str,
    events: Iterable[Mapping[str, Json]],
) -> Json:
    """Return the inputs or the outputs: those of the span, of its attributes, or of its events."""
    candidates = [
        *(plain.get(name) for name in names),
        *(from_json(attributes.get(name)) for name in attribute_names),
        *(_unflattened(attributes, prefix) for prefix in _MESSAGE_PREFIXES[side]),
        *(from_json(event.get(name)) for event in events for name in attribute_names),
        _event_messages(events, side),
    ]
    return next((each for each in candidates if not is_empty(each)), None)


def _unflattened(attributes: Mapping[str, Json], prefix: str) -> Json:
    """Return the messages of attributes such as `gen_ai.prompt.0.role` and `gen_ai.prompt.0.tool_calls.0.name`."""
    items: dict[int, dict[str, Json]] = {}
    for name, value in attributes.items():
        place, _, rest = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and place.isdecimal() and rest:
            items.setdefault(int(place), {})[_short(rest)] = value
    return [_with_lists(items[place]) for place in sorted(items)]


def _short(name: str) -> str:
    for prefix in _SHORT_PREFIXES:
        name = name.removeprefix(prefix)
    return name.removeprefix("function.")


def _with_lists(item: Mapping[str, Json]) -> dict[str, Json]:
    """Return an item whose parts with places in their names, such as `contents.0.text`, are lists."""
    prefixes = dict.fromkeys(match[0] for name in item if (match := _PLACED.match(name)))
    plain = {name: part for name, part in item.items() if not _PLACED.match(name)}
    return plain | {prefix.rstrip("."): _unflattened(item, prefix) for prefix in prefixes}


_PLACED = re.compile(r"[^.]+\.(?=\d+\.)")


def _event_messages(events: Iterable[Mapping[str, Json]], side: str) -> Json:
    messages = []
    for event in events:
        if _is_message(event) and (event["name"] == "gen_ai.choice") == (side == "outputs"):
            role = "assistant" if side == "outputs" else event["name"].split(".")[1]
            messages.append({"role": role, **{name: part for name, part in event.items() if name != "name"}})
    return messages


def _type(plain: Mapping[str, Json], attributes: Mapping[str, Json]) -> str | None:
    found = _first(attributes, _TYPE_ATTRIBUTES) or _first(plain, _TYPES)
    words = str(found).removeprefix("SPAN_KIND_").removeprefix("SpanKind.") if isinstance(found, str) else ""
    return words if words and words.lower() not in (*_KINDS, "unknown") else None


def _status(plain: Mapping[str, Json]) -> tuple[str | None, Json]:
    """Return ok or error, and what the span says of its error."""
    status = plain.get("status")
    if isinstance(status, Mapping):
        inner = {_plain(name): part for name, part in status.items()}
        code, message = _first(inner, ("code", "statuscode")), _first(inner, ("message", "description"))
    else:
        code, message = _first({"a": status, "b": plain.get("statuscode")}, "ab"), plain.get("statusmessage")
    error = plain.get("error") or plain.get("exception")
    message = error or message or None
    words = str(code if code is not None else plain.get("level") or "").split("_")[-1].split(".")[-1].lower()
    if words in _ERRORS or error:
        return "error", None if message is True else message
    return ("ok" if words in _OK else None), message


def _time(plain: Mapping[str, Json], names: Iterable[str]) -> int | None:
    """Return nanoseconds since 1970, of a number in any unit or of ISO 8601."""
    if names is _STARTS and isinstance(plain.get("startms"), int | float):
        return int(plain["startms"] * 1_000_000)
    value = _first(plain, names)
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        return _iso_time(value)
    try:
        number = (
            float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        )
    except ValueError:
        return None
    if number is None or number < 0:
        return None
    exact = int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else number
    return int(exact * next(factor for least, factor in _NANOSECONDS if number >= least))


def _iso_time(value: str) -> int | None:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1e9)


def _milliseconds(nanoseconds: int) -> int | float:
    milliseconds = nanoseconds / 1_000_000
    return round(milliseconds) if milliseconds >= 10 else round(milliseconds, 1)
