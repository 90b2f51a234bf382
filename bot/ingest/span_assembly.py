"""A trace made of its spans: inputs and outputs of the root, else of the last call of a model. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from memalign.messages import read_messages
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.span_conventions import (
    MODEL_ATTRIBUTES,
    SESSION_ATTRIBUTES,
    USER_ATTRIBUTES,
    is_model_call,
)
from memalign.spans import shallowest_content, span_tree
from memalign.turns import is_turn

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
    inputs, outputs = _content(ordered, root, _last_answer(calls))
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        conversation=_conversation(root, calls, outputs),
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


def _conversation(root: Span | None, calls: Sequence[Span], outputs: Json) -> Json:
    """Return the messages of the root, else of the last call that has any, with the answer; None for none.

    Args:
        root: the root.
        calls: calls of models in order of their end.
        outputs: those of the trace, which answer the root's messages.
    """
    spans = [*([] if root is None else [root]), *reversed(calls)]
    for span in spans:
        messages = _turns(span.get("inputs"))
        if messages:
            answer = outputs if span is root else span.get("outputs")
            system = next((each for each in map(_system_words, spans) if not is_empty(each)), None)
            first = [] if is_empty(system) or messages[0].get("role") == "system" else _system(system)
            return [*first, *messages, *_answer_turns(answer)]
    return None


def _system_words(span: Span) -> Json:
    inputs = span.get("inputs")
    request = inputs.get("system") if isinstance(inputs, Mapping) else None
    return _attributes(span).get("gen_ai.system_instructions") or request


def _system(instructions: Json) -> list[Json]:
    turn = read_messages({"role": "system", "content": instructions})
    return [turn] if is_turn(turn) else []


def _answer_turns(outputs: Json) -> list[Json]:
    """Return the messages of an answer; one that is a text, or an object that a schema asks for, is one message."""
    if is_empty(outputs) or _turns(outputs):
        return _turns(outputs)
    words = outputs if isinstance(outputs, str) else json.dumps(outputs, ensure_ascii=False)
    return [{"role": "assistant", "content": words}]


def _turns(side: Json) -> list[Json]:
    """Return the messages of a side: a list of turns, or an object such as a request whose one list of turns it is."""
    if isinstance(side, Mapping) and not is_turn(side):
        side = next((part for part in side.values() if _is_turn_list(part)), None)
    if isinstance(side, Mapping) and is_turn(side):
        return [side]
    return list(side) if _is_turn_list(side) else []


def _is_turn_list(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(is_turn(each) for each in value)


def _metadata(ordered: Sequence[Span], root: Span | None) -> dict[str, Json]:
    spans = [*([] if root is None else [root]), *ordered]
    told = {name: _first_attribute(spans, attributes) for name, attributes in _METADATA.items()}
    name = None if root is None else root.get("name")
    return {name: value for name, value in {"name": name, **told}.items() if not is_empty(value)}


def _first_attribute(spans: Iterable[Span], names: Iterable[str]) -> Json:
    values = (_attributes(span).get(name) for span in spans for name in names)
    return next((value for value in values if isinstance(value, str | int) and not is_empty(value)), None)


def _attributes(span: Span) -> Mapping[str, Json]:
    attributes = span.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


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
