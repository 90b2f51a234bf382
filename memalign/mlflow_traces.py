"""Conversion of `mlflow.entities.Trace`, which is read by its shape, without the dependency."""

import json
from collections.abc import Iterable

from memalign.errors import InputError
from memalign.label_reading import plain_value
from memalign.records import Assessment, Json, Label, Trace


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
    spans = list(getattr(data, "spans", None) or ())
    assessments = list(getattr(info, "assessments", None) or ())
    return Trace(
        trace_id=trace_id,
        inputs=_root(spans, "inputs", getattr(data, "request", None)),
        outputs=_root(spans, "outputs", getattr(data, "response", None)),
        expectations=_expectations(assessments),
        spans=tuple(_span(span) for span in spans),
        assessments=tuple(_assessment(each) for each in assessments if _has_feedback(each)),
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


def _root(spans: Iterable[object], name: str, otherwise: Json) -> Json:
    """Return what the root span holds; without one, what the trace's data says, which is usually JSON in a text."""
    for span in spans:
        value = getattr(span, name, None)
        if getattr(span, "parent_id", None) is None and value is not None:
            return value
    if not isinstance(otherwise, str):
        return otherwise
    try:
        return json.loads(otherwise)
    except ValueError:
        return otherwise


def _span(span: object) -> Json:
    names = ("name", "span_type", "inputs", "outputs")
    parts = {name: getattr(span, name, None) for name in names}
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
    )


def _label(value: Json) -> Label | None:
    value = plain_value(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
