"""A trace of MLflow's REST API as a record: its spans are JSON of protocol buffers, with base64 for ids. Pure."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

from bot.connectors.tool import TraceHead
from bot.connectors.tool_times import milliseconds
from memalign.records import Json, Trace
from memalign.span_forms import is_empty
from memalign.spans import error_of, shallowest_content, span_tree

_IDS = ("trace_id", "span_id", "parent_span_id")
_TIMES = ("start_time_unix_nano", "end_time_unix_nano")


def head_of(info: Mapping[str, Json]) -> TraceHead | None:
    """Return the head of a trace's info; None without id or time."""
    trace_id, time_ms = info.get("trace_id"), milliseconds(info.get("request_time"))
    if not isinstance(trace_id, str) or time_ms is None:
        return None
    return TraceHead(
        trace_id=trace_id,
        reference=trace_id,
        time_ms=time_ms,
        is_finished=info.get("state") != "IN_PROGRESS",
    )


def trace_of(document: Mapping[str, Json]) -> Trace | None:
    """Return a trace of `traces/get` or `traces/batchGet`; None without an id."""
    info = document.get("trace_info") or {}
    trace_id = info.get("trace_id")
    if not isinstance(trace_id, str):
        return None
    spans = span_tree(
        [_plain_span(each) for each in document.get("spans") or () if isinstance(each, Mapping)]
    )
    inputs, outputs = _content(info, spans)
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        expectations=_expectations(info.get("assessments") or ()),
        spans=tuple(spans),
        timestamp=info.get("request_time"),
        metadata=_metadata(info),
        error=error_of(spans, failed=True) if info.get("state") == "ERROR" else None,
    )


def _content(info: Mapping[str, Json], spans: Sequence[Json]) -> tuple[Json, Json]:
    """Return inputs and outputs: of the root, else of the trace itself, else of the next spans that have any."""
    for root in [span for span in spans if span.get("parent") is None]:
        if not (is_empty(root.get("inputs")) and is_empty(root.get("outputs"))):
            return root.get("inputs"), root.get("outputs")
    inner = shallowest_content(spans)
    if not all(map(is_empty, inner)):
        return inner
    metadata = info.get("trace_metadata") or {}
    return (
        _loaded(metadata.get("mlflow.traceInputs") or info.get("request_preview")),
        _loaded(metadata.get("mlflow.traceOutputs") or info.get("response_preview")),
    )


def _metadata(info: Mapping[str, Json]) -> dict[str, Json]:
    """Return metadata and tags that somebody gave the trace, without MLflow's own, and its name, session and user."""
    tags, metadata = info.get("tags") or {}, info.get("trace_metadata") or {}
    own = {name: value for name, value in {**metadata, **tags}.items() if not str(name).startswith("mlflow.")}
    named = {
        "name": tags.get("mlflow.traceName"),
        "session": metadata.get("mlflow.trace.session"),
        "user": metadata.get("mlflow.trace.user"),
    }
    return {**own, **{name: value for name, value in named.items() if value}}


def _expectations(assessments: Sequence[Mapping[str, Json]]) -> Json:
    expected: dict[str, Json] = {}
    for each in assessments:
        if isinstance(expectation := each.get("expectation"), Mapping):
            serialized = (expectation.get("serialized_value") or {}).get("value")
            value = expectation.get("value") if serialized is None else _loaded(serialized)
            expected[str(each.get("assessment_name") or "expected")] = value
    return expected or None


def _loaded(text: Json) -> Json:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _plain_span(span: Mapping[str, Json]) -> dict[str, Json]:
    """Return a span with ids in hexadecimal and plain values."""
    return {
        **span,
        **{name: _hexadecimal(span[name]) for name in _IDS if span.get(name)},
        **{name: int(span[name]) for name in _TIMES if str(span.get(name)).isdecimal()},
        "attributes": _plain_attributes(span.get("attributes")),
        "events": [
            {**event, "attributes": _plain_attributes(event.get("attributes"))}
            for event in span.get("events") or ()
            if isinstance(event, Mapping)
        ],
    }


def _hexadecimal(base64_id: Json) -> Json:
    try:
        return base64.b64decode(base64_id, validate=True).hex()
    except (TypeError, ValueError, binascii.Error):
        return base64_id


def _plain_attributes(attributes: Json) -> dict[str, Json]:
    if isinstance(attributes, Mapping):
        return dict(attributes)
    pairs = [each for each in attributes or () if isinstance(each, Mapping) and "key" in each]
    return {str(each["key"]): _plain_value(each.get("value")) for each in pairs}


def _plain_value(value: Json) -> Json:
    """Return a value of OpenTelemetry's `AnyValue`, in snake case or camel case."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None if value == {} else value
    ((kind, inner),) = value.items()
    match kind.replace("_", "").lower():
        case "arrayvalue":
            return [_plain_value(each) for each in (inner or {}).get("values") or ()]
        case "kvlistvalue":
            return _plain_attributes((inner or {}).get("values"))
        case "intvalue" if isinstance(inner, str):
            return int(inner)
    return inner
