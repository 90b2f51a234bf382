"""Traces as other programs hold them: `mlflow.entities.Trace` is read by its shape, without the dependency."""

import json
from collections.abc import Iterable

from memalign.errors import InputError
from memalign.records import Assessment, Json, Label, Trace


def trace_of(given: object) -> Trace:
    """A trace of ours as it is, one of MLflow's translated. Raises `InputError` for anything else."""
    if isinstance(given, Trace):
        return given
    info, data = getattr(given, "info", None), getattr(given, "data", None)
    trace_id = getattr(info, "trace_id", None) or getattr(info, "request_id", None)
    if not isinstance(trace_id, str) or data is None:
        raise InputError(
            f"A trace was expected, not {type(given).__name__}; "
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
        assessments=tuple(_assessment(said) for said in assessments if _has_feedback(said)),
    )


def trace_id_of(given: object) -> str:
    """The id of a trace, or the id itself. Raises `InputError`."""
    return given if isinstance(given, str) else trace_of(given).trace_id


def _root(spans: Iterable[object], name: str, otherwise: Json) -> Json:
    """What the root span holds; without one, what the trace's data says, which is usually JSON in a text."""
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
    found: dict[str, Json] = {}
    for said in assessments:
        expected = getattr(said, "expectation", None)
        if expected is not None:
            found[str(getattr(said, "name", "expected"))] = getattr(expected, "value", None)
    return found or None


def _has_feedback(said: object) -> bool:
    return getattr(said, "feedback", None) is not None


def _assessment(said: object) -> Assessment:
    source = getattr(said, "source", None)
    valid = getattr(said, "valid", None)
    kind = getattr(source, "source_type", "")
    return Assessment(
        name=str(getattr(said, "name", "")),
        value=_label(getattr(getattr(said, "feedback", None), "value", None)),
        rationale=getattr(said, "rationale", None),
        source_type=str(getattr(kind, "value", kind)),
        source_id=str(getattr(source, "source_id", None) or "default"),
        assessment_id=getattr(said, "assessment_id", None),
        valid=valid is not False,
        create_time_ms=getattr(said, "create_time_ms", None),
        last_update_time_ms=getattr(said, "last_update_time_ms", None),
    )


def _label(value: Json) -> Label | None:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
