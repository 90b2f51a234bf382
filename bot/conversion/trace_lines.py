"""Trace lines: a line for each label of a person, or one for a trace without any."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bot.trace_json.trace_body import refusal_of
from memalign.errors import InputError
from memalign.records import Assessment, Json, Trace
from memalign.span_contents import is_empty

NO_CONTENT = "it has neither inputs nor outputs; if the application does not record them, turn that on"


def person_labels(trace: Trace) -> list[Assessment]:
    """Return the labels that people gave, without those that were overridden."""
    return [
        each
        for each in trace.assessments
        if each.source_type.upper() == "HUMAN" and each.valid and each.value is not None
    ]


def lines_of(trace: Trace, source: str, judge: str | None) -> Iterator[dict[str, Json]]:
    """Yield the lines of a trace.

    Args:
        trace: The trace, with its assessments.
        source: Where it is from.
        judge: The judge of all labels; None: each is for the judge of its own name.

    Raises:
        InputError: The trace cannot be taken in.
    """
    if is_empty(trace.inputs) and is_empty(trace.outputs):
        raise InputError(NO_CONTENT)
    line = _trace_line(trace, source)
    if reason := refusal_of(line):
        raise InputError(reason)
    labels = person_labels(trace)
    if not labels:
        yield line
    for label in labels:
        yield line | _label_parts(label, judge)


def _trace_line(trace: Trace, source: str) -> dict[str, Json]:
    parts = {
        "expectations": trace.expectations,
        "conversation": trace.conversation,
        "timestamp": trace.timestamp,
        "url": trace.url,
        "metadata": dict(trace.metadata),
        "error": trace.error,
        "spans": list(trace.spans),
        "source": source,
    }
    expected = trace.expectations
    if expected is not None and not isinstance(expected, Mapping):
        parts["expectations"] = {"expected": expected}
    kept = {name: part for name, part in parts.items() if not is_empty(part)}
    return {"trace_id": trace.trace_id, "inputs": trace.inputs, "outputs": trace.outputs, **kept}


def _label_parts(label: Assessment, judge: str | None) -> dict[str, Json]:
    time_ms = label.last_update_time_ms or label.create_time_ms
    stamp = (
        datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat(timespec="milliseconds") if time_ms else None
    )
    parts = {
        "judge": judge or label.name or None,
        "label": label.value,
        "rationale": label.rationale,
        "annotator": label.source_id or None,
        "timestamp": stamp,
    }
    return {name: part for name, part in parts.items() if part is not None}
