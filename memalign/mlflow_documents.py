"""Conversion of MLflow's traces as JSON: `Trace.to_json`, answers of its REST API, rows of `mlflow.search_traces`."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

from memalign.errors import InputError
from memalign.mlflow_traces import trace_of
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.span_times import START_NAMES, read_time
from memalign.spans import error_of, shallowest_content, span_tree
from memalign.tool_calls import from_json

_OWN_PREFIX = "mlflow."
_IDS = ("span_id", "parent_span_id")
_SPAN_ID_BYTES = 8


def trace_of_document(document: Mapping[str, Json]) -> Trace:
    """Convert a trace that is JSON.

    Args:
        document: The trace as `Trace.to_json` writes it, as the REST API answers it, or a row of
            `mlflow.search_traces`; a row's objects may be texts of JSON.

    Returns:
        The trace with its assessments. Where spans do not say what was asked and answered, the trace itself does, and
        where it does not, its previews, which MLflow cuts.

    Raises:
        InputError: If it has no id.
    """
    whole = from_json(document.get("trace"))
    if isinstance(whole, Mapping):
        return trace_of_document(whole)
    info, data = _parts(document)
    trace_id = info.get("trace_id") or info.get("request_id")
    if not isinstance(trace_id, str) or not trace_id:
        raise InputError("it has no trace_id; export traces of MLflow with their ids.")
    spans = span_tree(map(_with_plain_ids, _items(data.get("spans"))))
    inputs, outputs = _content(info, data, spans)
    assessments = [_assessment(each) for each in _items(info.get("assessments")) if isinstance(each, Mapping)]
    head = SimpleNamespace(
        trace_id=trace_id,
        request_time=_milliseconds(info.get("request_time") or info.get("timestamp_ms")),
        assessments=assessments,
    )
    trace = trace_of(SimpleNamespace(info=head, data=SimpleNamespace()))
    failed = str(info.get("state") or info.get("status")).upper() == "ERROR"
    error = error_of(spans, failed=True) if failed else None
    return replace(
        trace, inputs=inputs, outputs=outputs, spans=tuple(spans), metadata=_metadata(info), error=error
    )


def _parts(document: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """Return a trace's info and its data; those of a row are the row."""
    info, data = document.get("info") or document.get("trace_info"), document.get("data")
    return (
        info if isinstance(info, Mapping) else document,
        data if isinstance(data, Mapping) else document,
    )


def _items(value: Json) -> Sequence[Json]:
    read = from_json(value)
    return read if isinstance(read, list | tuple) else ()


def _content(info: Mapping[str, Json], data: Mapping[str, Json], spans: Sequence[Json]) -> tuple[Json, Json]:
    metadata = _object(info.get("trace_metadata") or info.get("request_metadata"))
    roots = [span for span in spans if isinstance(span, Mapping) and span.get("parent") is None]
    candidates = [
        *((root.get("inputs"), root.get("outputs")) for root in roots),
        (_loaded(data.get("request")), _loaded(data.get("response"))),
        shallowest_content(spans),
        (_loaded(metadata.get("mlflow.traceInputs")), _loaded(metadata.get("mlflow.traceOutputs"))),
        (_loaded(info.get("request_preview")), _loaded(info.get("response_preview"))),
    ]
    return next((pair for pair in candidates if not all(map(is_empty, pair))), (None, None))


def _object(value: Json) -> Mapping[str, Json]:
    read = from_json(value)
    return read if isinstance(read, Mapping) else {}


def _metadata(info: Mapping[str, Json]) -> dict[str, Json]:
    """Return metadata and tags that somebody gave the trace, without MLflow's own, and its name, session and user."""
    tags, metadata = (
        _object(info.get("tags")),
        _object(info.get("trace_metadata") or info.get("request_metadata")),
    )
    own = {name: part for name, part in {**metadata, **tags}.items() if not name.startswith(_OWN_PREFIX)}
    named = {
        "name": tags.get("mlflow.traceName"),
        "session": metadata.get("mlflow.trace.session"),
        "user": metadata.get("mlflow.trace.user"),
    }
    return {**own, **{name: part for name, part in named.items() if part}}


def _with_plain_ids(span: Json) -> Json:
    """Return a span with ids in hexadecimal, which JSON of protocol buffers has as base64."""
    if not isinstance(span, Mapping):
        return span
    return {**span, **{name: _hexadecimal(span[name]) for name in _IDS if span.get(name)}}


def _hexadecimal(span_id: Json) -> Json:
    try:
        read = base64.b64decode(span_id, validate=True)
    except (TypeError, ValueError):
        return span_id
    return read.hex() if len(read) == _SPAN_ID_BYTES else span_id


def _loaded(value: Json) -> Json:
    """Return what MLflow keeps as a text of JSON."""
    if not isinstance(value, str):
        return value
    if len(value) > 1 and value[0] == value[-1] == '"':
        read = from_json(f"[{value}]")
        return read[0] if isinstance(read, list) else value
    return from_json(value)


def _assessment(document: Mapping[str, Json]) -> SimpleNamespace:
    """Return an assessment as MLflow's own objects are: with attributes."""
    source = document.get("source")
    source = source if isinstance(source, Mapping) else {}
    feedback, expectation = document.get("feedback"), document.get("expectation")
    return SimpleNamespace(
        name=document.get("assessment_name") or document.get("name") or "",
        feedback=SimpleNamespace(value=feedback.get("value")) if isinstance(feedback, Mapping) else None,
        expectation=SimpleNamespace(value=_expected(expectation))
        if isinstance(expectation, Mapping)
        else None,
        source=SimpleNamespace(source_type=source.get("source_type", ""), source_id=source.get("source_id")),
        rationale=document.get("rationale") or None,
        assessment_id=document.get("assessment_id"),
        valid=document.get("valid"),
        create_time_ms=_milliseconds(document.get("create_time") or document.get("create_time_ms")),
        last_update_time_ms=_milliseconds(
            document.get("last_update_time") or document.get("last_update_time_ms")
        ),
        metadata=document.get("metadata"),
    )


def _expected(expectation: Mapping[str, Json]) -> Json:
    serialized = expectation.get("serialized_value")
    return _loaded(serialized.get("value")) if isinstance(serialized, Mapping) else expectation.get("value")


def _milliseconds(time: Json) -> int | None:
    nanoseconds = read_time({"timestamp": time}, START_NAMES)
    return None if nanoseconds is None else round(nanoseconds / 1e6)
