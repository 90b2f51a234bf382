"""A trace made of its spans: inputs and outputs of the root, else of the last call of a model. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bot.ingest.span_conversation import conversation_of
from memalign.records import Json, Trace
from memalign.span_attributes import attributes_of
from memalign.span_contents import is_empty
from memalign.span_conventions import (
    MODEL_ATTRIBUTES,
    SESSION_ATTRIBUTES,
    USER_ATTRIBUTES,
    is_model_call,
)
from memalign.spans import shallowest_content, span_tree

Span = Mapping[str, Json]
_METADATA = {
    "session_id": SESSION_ATTRIBUTES,
    "user_id": USER_ATTRIBUTES,
    "model": MODEL_ATTRIBUTES,
    "service": ("service.name",),
}
"""Names in a trace's metadata, and the attributes that tell them, the first one first."""
HIDDEN = "__REDACTED__"
"""Stands for what OpenInference was asked to hide (OPENINFERENCE_HIDE_INPUTS and alike)."""
_SILENT_NAMES = {"role", "model"}
_MAX_SECONDS = 253_370_764_800
"""The year 9999, the last that a date of Python's has."""


def assembled_trace(trace_id: str, spans: Iterable[Span]) -> Trace:
    """Make a trace of its spans.

    Args:
        trace_id: the id of all of them.
        spans: as `memalign.span_forms.span_document` writes them, in any order; of one that came twice the last counts.

    Returns:
        The trace; without inputs and outputs where no span has any.
    """
    by_id = {str(span.get("id")): span for span in spans}
    ordered = sorted(by_id.values(), key=_start)
    root = next((span for span in ordered if "parent" not in span), None)
    calls = sorted((span for span in ordered if is_model_call(span) and _has_content(span)), key=_end)
    last_call = _last_answer(calls)
    inputs, outputs = _content(ordered, root, last_call)
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        conversation=conversation_of(root, last_call, outputs),
        spans=tuple(ordered),
        timestamp=_timestamp(root or (ordered[0] if ordered else {})),
        metadata=_metadata(ordered, root),
    )


def has_content(trace: Trace) -> bool:
    """Return whether a trace was asked or answered anything."""
    return _has_words(trace.inputs) or _has_words(trace.outputs)


def _has_words(side: Json) -> bool:
    """Return whether inputs or outputs hold more than roles and names of models, and more than what hides them."""
    if isinstance(side, Mapping):
        return any(_has_words(part) for name, part in side.items() if name not in _SILENT_NAMES)
    if isinstance(side, list | tuple):
        return any(map(_has_words, side))
    return not is_empty(side) and side != HIDDEN


def _content(ordered: Sequence[Span], root: Span | None, last_call: Span | None) -> tuple[Json, Json]:
    for span in (root, last_call):
        if span is not None and _has_content(span):
            inputs, outputs = span.get("inputs"), span.get("outputs")
            if span is root and last_call is not None and span.get("status") != "error":
                # a root that streams its answer, or was asked by other means, tells one side alone
                inputs = inputs if _has_words(inputs) else last_call.get("inputs")
                outputs = outputs if _has_words(outputs) else last_call.get("outputs")
            return inputs, outputs
    return shallowest_content(span_tree(ordered))


def _last_answer(calls: Sequence[Span]) -> Span | None:
    """Return the last call that answered or failed; one that tells its question alone only where there is no other."""
    ended = [call for call in calls if _has_words(call.get("outputs")) or call.get("status") == "error"]
    return next(iter([*reversed(ended), *reversed(calls)]), None)


def _metadata(ordered: Sequence[Span], root: Span | None) -> dict[str, Json]:
    spans = [*([] if root is None else [root]), *ordered]
    told = {name: _first_attribute(spans, attributes) for name, attributes in _METADATA.items()}
    name = None if root is None else root.get("name")
    return {name: value for name, value in {"name": name, **told}.items() if not is_empty(value)}


def _first_attribute(spans: Iterable[Span], names: Iterable[str]) -> Json:
    values = (attributes_of(span).get(name) for span in spans for name in names)
    return next((value for value in values if isinstance(value, str | int) and not is_empty(value)), None)


def _has_content(span: Span) -> bool:
    return _has_words(span.get("inputs")) or _has_words(span.get("outputs"))


def _start(span: Span) -> float:
    start = span.get("start_ns")
    return start if isinstance(start, int | float) else 0


def _end(span: Span) -> float:
    duration = span.get("ms")
    return _start(span) + (duration * 1_000_000 if isinstance(duration, int | float) else 0)


def _timestamp(span: Span) -> str | None:
    seconds = _start(span) / 1_000_000_000
    if not 0 < seconds < _MAX_SECONDS:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds")
