"""One span of a trace in one form, whichever tool wrote it: OpenTelemetry (also OTLP), MLflow, LangSmith, Langfuse.

Inputs, outputs and types that a convention keeps among the attributes (OpenTelemetry's GenAI, OpenInference,
OpenLLMetry, Vercel, MLflow) take their own place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from memalign.media import replace_media
from memalign.messages import read_messages
from memalign.records import Json
from memalign.span_attributes import BOOKKEEPING, read_attributes
from memalign.span_carriers import CARRIERS, carried_attributes, plain_name, plain_parts
from memalign.span_contents import (
    DETAILS_EVENT,
    INPUT_PARTS,
    OUTPUT_PARTS,
    is_empty,
    is_message_event,
    span_contents,
)
from memalign.span_conventions import (
    CALL_ATTRIBUTES,
    INPUT_ATTRIBUTES,
    MESSAGE_PREFIXES,
    OUTPUT_ATTRIBUTES,
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
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""OpenTelemetry's kinds, by number. They say nothing of what a span does."""
_OK: Final = ("ok", "success", "1")
_ERRORS = ("error", "failed", "failure", "2")
FORM = (
    "id", "parent", "name", "type", "start_ms", "ms", "status", "error", "exceptions", "inputs", "outputs",
    "attributes", "events",
)  # fmt: skip
"""Names of a span's document, in the order of a prompt."""

_STRUCTURE = frozenset({"id", "parent", "type", "start_ns", "ms", "status"})
"""Parts that hold no words."""


def span_document(span: Mapping[str, Json]) -> dict[str, Json]:
    """Write a span in one form.

    Args:
        span: As a tool exports it, or as this function returned it.

    Returns:
        The names of `FORM` that it has, with `start_ns`, nanoseconds since 1970, in the place of `start_ms`.
    """
    plain = plain_parts(span)
    events = [_event(event) for event in _items(plain.get("events")) if isinstance(event, Mapping)]
    attributes = {
        **_details(events),
        **carried_attributes(span, _KNOWN),
        **read_attributes(plain.get("attributes")),
    }
    start, end = read_time(plain, START_NAMES), read_time(plain, END_NAMES)
    status, message = _status(plain)
    contents = span_contents(plain, attributes, events)
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
        "inputs": contents.inputs,
        "outputs": contents.outputs,
        "attributes": {
            name: from_json(part)
            for name, part in attributes.items()
            if name not in _CONSUMED and not name.startswith(MESSAGE_PREFIXES)
        },
        "events": [event for event in events if not _is_consumed(event)],
    }
    document |= {name: part for name, part in span.items() if plain_name(name) not in _KNOWN}
    return {
        name: part if name in _STRUCTURE else read_messages(replace_media(part))
        for name, part in document.items()
        if not is_empty(part)
    }


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
    *INPUT_ATTRIBUTES, *OUTPUT_ATTRIBUTES, *TRANSCRIPT_ATTRIBUTES, *CALL_ATTRIBUTES, *TYPE_ATTRIBUTES, *BOOKKEEPING,
))  # fmt: skip
_KNOWN = frozenset((
    *_IDS, *_PARENTS, *START_NAMES, *END_NAMES, *_DURATIONS, *_TYPES, *_CHILDREN, *INPUT_PARTS, *OUTPUT_PARTS, "name",
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


def _details(events: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Return the attributes that OpenTelemetry's event on a call tells in the place of its span."""
    details = [event for event in reversed(events) if event["name"] == DETAILS_EVENT]
    return {name: part for event in details for name, part in event.items() if name != "name"}


def _exceptions(events: Iterable[Mapping[str, Json]]) -> list[Json]:
    return [
        {name.removeprefix("exception."): part for name, part in event.items() if name != "name"}
        for event in events
        if event["name"] == "exception"
    ]


def _is_consumed(event: Mapping[str, Json]) -> bool:
    return event["name"] in ("exception", DETAILS_EVENT) or is_message_event(event)


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
