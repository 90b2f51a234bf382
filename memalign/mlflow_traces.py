"""Conversion of `mlflow.entities.Trace`, which is read by its shape, without the dependency."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from memalign.errors import InputError
from memalign.label_reading import plain_value
from memalign.mlflow_feedback import cited_guidelines
from memalign.records import Assessment, Json, Label, Trace
from memalign.span_contents import is_empty
from memalign.spans import error_of, shallowest_content, span_tree

_YEAR_9999_MS = 253_370_764_800_000
"""The last year that a date of Python's has."""


def trace_of(trace: object) -> Trace:
    """Convert a trace.

    Args:
        trace: A `memalign.Trace`, or an `mlflow.entities.Trace`.

    Returns:
        The trace as it is, or converted.

    Raises:
        InputError: If it is neither.
    """
    if isinstance(trace, Trace):
        return trace
    info, data = getattr(trace, "info", None), getattr(trace, "data", None)
    trace_id = getattr(info, "trace_id", None) or getattr(info, "request_id", None)
    if not isinstance(trace_id, str) or data is None:
        raise InputError(
            f"A trace was expected, not {type(trace).__name__}; "
            "give memalign.Trace or mlflow.entities.Trace objects."
        )
    spans = [_span(span) for span in getattr(data, "spans", None) or ()]
    assessments = list(getattr(info, "assessments", None) or ())
    inputs, outputs = _content(spans, data)
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        expectations=_expectations(assessments),
        spans=tuple(span_tree(spans)),
        assessments=tuple(_assessment(each) for each in assessments if _has_feedback(each)),
        error=_error(info, spans),
        timestamp=_timestamp(info),
    )


def trace_id_of(trace: object) -> str:
    """Find the id of a trace.

    Args:
        trace: As for `trace_of`, or the id itself.

    Returns:
        The id.

    Raises:
        InputError: If it is neither a trace nor a text.
    """
    return trace if isinstance(trace, str) else trace_of(trace).trace_id


def _content(spans: Sequence[dict[str, Json]], data: object) -> tuple[Json, Json]:
    """Return inputs and outputs of the root; of the trace's data where it has none, else of the next spans that do."""
    roots = [span for span in spans if span.get("parent_id") is None]
    for span in roots:
        if not (is_empty(span.get("inputs")) and is_empty(span.get("outputs"))):
            return span.get("inputs"), span.get("outputs")
    inputs, outputs = (_loaded(getattr(data, name, None)) for name in ("request", "response"))
    if is_empty(inputs) and is_empty(outputs):
        return shallowest_content(span_tree(spans))
    return inputs, outputs


def _loaded(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _timestamp(info: object) -> str | None:
    """Return the time of the request, which MLflow counts in milliseconds, as ISO 8601."""
    time_ms = getattr(info, "request_time", None)
    if isinstance(time_ms, bool) or not isinstance(time_ms, int) or not 0 <= time_ms < _YEAR_9999_MS:
        return None
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")


def _error(info: object, spans: Sequence[dict[str, Json]]) -> str | None:
    """Return the error that the trace's state tells of; the reason is in its spans."""
    state = getattr(info, "state", None) or getattr(info, "status", None)
    if str(getattr(state, "value", state)).upper() != "ERROR":
        return None
    return error_of(span_tree(spans), failed=True)


_SPAN_NAMES = (
    "span_id", "parent_id", "name", "span_type", "start_time_ns", "end_time_ns", "inputs", "outputs", "attributes",
)  # fmt: skip


def _span(span: object) -> dict[str, Json]:
    parts = {name: getattr(span, name, None) for name in _SPAN_NAMES}
    status = getattr(span, "status", None)
    code = getattr(status, "status_code", None)
    parts["status"] = {"code": getattr(code, "value", code), "message": getattr(status, "description", None)}
    parts["events"] = [
        {"name": getattr(event, "name", ""), "attributes": dict(getattr(event, "attributes", None) or {})}
        for event in getattr(span, "events", None) or ()
    ]
    return {name: part for name, part in parts.items() if part is not None}


def _expectations(assessments: Iterable[object]) -> Json:
    expectations: dict[str, Json] = {}
    for assessment in assessments:
        expected = getattr(assessment, "expectation", None)
        if expected is not None:
            expectations[str(getattr(assessment, "name", "expected"))] = getattr(expected, "value", None)
    return expectations or None


def _has_feedback(assessment: object) -> bool:
    return getattr(assessment, "feedback", None) is not None


def _assessment(assessment: object) -> Assessment:
    source = getattr(assessment, "source", None)
    valid = getattr(assessment, "valid", None)
    kind = getattr(source, "source_type", "")
    return Assessment(
        name=str(getattr(assessment, "name", "")),
        value=_label(getattr(getattr(assessment, "feedback", None), "value", None)),
        rationale=getattr(assessment, "rationale", None),
        source_type=str(getattr(kind, "value", kind)),
        source_id=str(getattr(source, "source_id", None) or "default"),
        assessment_id=getattr(assessment, "assessment_id", None),
        valid=valid is not False,
        create_time_ms=getattr(assessment, "create_time_ms", None),
        last_update_time_ms=getattr(assessment, "last_update_time_ms", None),
        guideline_ids=cited_guidelines(getattr(assessment, "metadata", None) or {}),
    )


def _label(value: Json) -> Label | None:
    value = plain_value(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
