"""One span of a trace in one form, whichever tool wrote it: OpenTelemetry (also OTLP), MLflow, LangSmith, Langfuse.

Inputs, outputs and types that a convention keeps among the attributes (OpenTelemetry's GenAI, OpenInference,
OpenLLMetry, Vercel, MLflow) take their own place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from memalign.media import replace_media
from memalign.messages import read_messages
from memalign.records import Json
from memalign.span_attributes import BOOKKEEPING, read_attributes, unflattened_messages
from memalign.span_carriers import CARRIERS, carried_attributes, plain_name, plain_parts
from memalign.span_conventions import (
    INPUT_ATTRIBUTES,
    MESSAGE_PREFIXES,
    OUTPUT_ATTRIBUTES,
    SPAN_CONVENTIONS,
    TRANSCRIPT_ATTRIBUTES,
    TYPE_ATTRIBUTES,
)
from memalign.span_times import END_NAMES, START_NAMES, milliseconds_of, read_time
from memalign.tool_calls import from_json

_IDS = ("spanid", "id", "runid")
_PARENTS = ("parentspanid", "parentid", "parentrunid", "parentobservationid", "spanparents", "parent")
_DURATIONS = ("ms", "durationms", "latencyms")
_TYPES = ("spantype", "runtype", "type", "kind")
_CHILDREN = ("children", "childruns", "spans")
_INPUTS = ("inputs", "input", "request", "arguments")
_OUTPUTS = ("outputs", "output", "response", "result")
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""OpenTelemetry's kinds, by number. They say nothing of what a span does."""
_OK: Final = ("ok", "success", "1")
_ERRORS = ("error", "failed", "failure", "2")
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
    plain = plain_parts(span)
    attributes = {**carried_attributes(span, _KNOWN), **read_attributes(plain.get("attributes"))}
    events = [_event(event) for event in _items(plain.get("events")) if isinstance(event, Mapping)]
    start, end = read_time(plain, START_NAMES), read_time(plain, END_NAMES)
    status, message = _status(plain)
    document: dict[str, Json] = {
        "id": _id(plain, _IDS),
        "parent": _id(plain, _PARENTS),
        "name": _first(plain, ("name", "opname")),
        "type": _type(plain, attributes),
        "start_ns": start,
        "ms": _first(plain, _DURATIONS) if start is None or end is None else milliseconds_of(end - start),
        "status": status,
        "error": message,
        "exceptions": [*_items(plain.get("exceptions")), *_exceptions(events)],
        "inputs": _inputs(plain, attributes, events),
        "outputs": _outputs(plain, attributes, events),
        "attributes": {
            name: from_json(part)
            for name, part in attributes.items()
            if name not in _CONSUMED and not name.startswith(MESSAGE_PREFIXES)
        },
        "events": [event for event in events if not _is_consumed(event)],
    }
    document |= {name: part for name, part in span.items() if plain_name(name) not in _KNOWN}
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
    lists = (part for name, part in span.items() if plain_name(name) in _CHILDREN and isinstance(part, list))
    return [child for child in next(lists, []) if isinstance(child, Mapping)]


_CONSUMED = frozenset((
    *INPUT_ATTRIBUTES, *OUTPUT_ATTRIBUTES, *TRANSCRIPT_ATTRIBUTES, *TYPE_ATTRIBUTES, *BOOKKEEPING,
))  # fmt: skip
_KNOWN = frozenset((
    *_IDS, *_PARENTS, *START_NAMES, *END_NAMES, *_DURATIONS, *_TYPES, *_CHILDREN, *_INPUTS, *_OUTPUTS, "name",
    "attributes", "events", "status", "statuscode", "statusmessage", "error", "exceptions", "traceid", "context",
    "level", "startms", "links", "flags", "tracestate", "resource", "scope", "droppedattributescount",
    "droppedeventscount", "droppedlinkscount", "exception", "opname", *CARRIERS,
))  # fmt: skip


def _items(value: Json) -> list[Json]:
    """Return a list's items; anything else is one item, and nothing is none."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _first(plain: Mapping[str, Json], names: Iterable[str]) -> Json:
    return next((plain[name] for name in names if plain.get(name) is not None), None)


def _id(plain: Mapping[str, Json], names: Iterable[str]) -> str | None:
    context = plain.get("context")
    inner = {plain_name(name): part for name, part in context.items()} if isinstance(context, Mapping) else {}
    if isinstance(parents := plain.get("spanparents"), list):  # Braintrust's
        plain = {**plain, "spanparents": parents[0] if parents else None}
    span_id = _first(plain, names) if names is _PARENTS else _first({**plain, **inner}, names)
    return str(span_id) if isinstance(span_id, str | int) and str(span_id).strip("0") else None


def _event(event: Mapping[str, Json]) -> dict[str, Json]:
    beside = {name: part for name, part in event.items() if plain_name(name) not in _EVENT_NAMES}
    return {"name": str(event.get("name", "")), **beside, **read_attributes(event.get("attributes"))}


_EVENT_NAMES = ("name", "attributes", "timeunixnano", "timestamp", "time", "droppedattributescount")


def _exceptions(events: Iterable[Mapping[str, Json]]) -> list[Json]:
    return [
        {name.removeprefix("exception."): part for name, part in event.items() if name != "name"}
        for event in events
        if event["name"] == "exception"
    ]


def _is_consumed(event: Mapping[str, Json]) -> bool:
    return event["name"] in ("exception", _DETAILS) or _is_message(event)


_DETAILS = "gen_ai.client.inference.operation.details"
"""OpenTelemetry's event with the messages of a call."""


def _is_message(event: Mapping[str, Json]) -> bool:
    name = str(event["name"])
    return name.startswith("gen_ai.") and (name.endswith(".message") or name == "gen_ai.choice")


def _inputs(
    plain: Mapping[str, Json], attributes: Mapping[str, Json], events: Sequence[Mapping[str, Json]]
) -> Json:
    """Return the inputs: those of the span, of its attributes, or of its events."""
    return _first_content(_input_candidates(plain, attributes, events))


def _outputs(
    plain: Mapping[str, Json], attributes: Mapping[str, Json], events: Sequence[Mapping[str, Json]]
) -> Json:
    """Return the outputs: those of the span, of its attributes, or of its events."""
    return _first_content(_output_candidates(plain, attributes, events))


def _input_candidates(
    plain: Mapping[str, Json], attributes: Mapping[str, Json], events: Sequence[Mapping[str, Json]]
) -> Iterator[Json]:
    yield from (plain.get(name) for name in _INPUTS)
    for row in SPAN_CONVENTIONS:
        yield from (from_json(attributes.get(name)) for name in row.inputs)
        yield from (_transcript(attributes.get(name))[0] for name in row.transcripts)
        yield from (unflattened_messages(attributes, prefix) for prefix in row.input_prefixes)
    yield _event_messages(events, "inputs")
    yield from (from_json(event.get(name)) for event in events for name in INPUT_ATTRIBUTES)


def _output_candidates(
    plain: Mapping[str, Json], attributes: Mapping[str, Json], events: Sequence[Mapping[str, Json]]
) -> Iterator[Json]:
    yield from (plain.get(name) for name in _OUTPUTS)
    for row in SPAN_CONVENTIONS:
        yield from (from_json(attributes.get(name)) for name in row.outputs)
        yield from (_transcript(attributes.get(name))[1] for name in row.transcripts)
        yield from (unflattened_messages(attributes, prefix) for prefix in row.output_prefixes)
    yield _event_messages(events, "outputs")
    yield from (from_json(event.get(name)) for event in events for name in OUTPUT_ATTRIBUTES)


def _first_content(candidates: Iterable[Json]) -> Json:
    return next((each for each in candidates if not is_empty(each)), None)


def _transcript(value: Json) -> tuple[Json, Json]:
    """Return the messages before the answer, and the answer, of messages of both sides."""
    messages = from_json(value)
    if not isinstance(messages, list):
        return messages, None
    last = messages[-1] if messages else None
    is_answer = isinstance(last, Mapping) and last.get("role") in ("assistant", "model")
    return (messages[:-1], [last]) if is_answer else (messages, None)


def _event_messages(events: Iterable[Mapping[str, Json]], side: str) -> Json:
    messages = []
    for event in events:
        if _is_message(event) and (event["name"] == "gen_ai.choice") == (side == "outputs"):
            role = "assistant" if side == "outputs" else event["name"].split(".")[1]
            messages.append({"role": role, **{name: part for name, part in event.items() if name != "name"}})
    return messages


def _type(plain: Mapping[str, Json], attributes: Mapping[str, Json]) -> str | None:
    kind = _first(attributes, TYPE_ATTRIBUTES) or _first(plain, _TYPES)
    words = kind.removeprefix("SPAN_KIND_").removeprefix("SpanKind.") if isinstance(kind, str) else ""
    return words if words and words.lower() not in (*_KINDS, "unknown") else None


def _status(plain: Mapping[str, Json]) -> tuple[str | None, Json]:
    """Return ok or error, and what the span says of its error."""
    status = plain.get("status")
    if isinstance(status, Mapping):
        inner = {plain_name(name): part for name, part in status.items()}
        code, message = _first(inner, ("code", "statuscode")), _first(inner, ("message", "description"))
    else:
        code, message = _first({"a": status, "b": plain.get("statuscode")}, "ab"), plain.get("statusmessage")
    error = plain.get("error") or plain.get("exception")
    message = error or message or None
    words = str(code if code is not None else plain.get("level") or "").split("_")[-1].split(".")[-1].lower()
    if words in _ERRORS or error:
        return "error", None if message is True else message
    # https://opentelemetry.io/docs/specs/otel/trace/api/#set-status: a message counts with an error alone
    return ("ok" if words in _OK else None), None
