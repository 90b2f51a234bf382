"""Inputs and outputs of one span: its own parts, its attributes by the table of conventions, or its events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memalign.records import Json
from memalign.span_attributes import unflattened_messages
from memalign.span_conventions import (
    INPUT_ATTRIBUTES,
    OUTPUT_ATTRIBUTES,
    SPAN_CONVENTIONS,
    SpanConvention,
)
from memalign.tool_calls import from_json

INPUT_PARTS: Final = ("inputs", "input", "request", "arguments")
OUTPUT_PARTS: Final = ("outputs", "output", "response", "result")
"""Plain names of the parts of a span that hold them, the first one first."""
DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
"""OpenTelemetry's event with the messages of a call."""
EVENT_BODY: Final = "gen_ai.event.content"
"""Attribute in which some keep a whole event as JSON."""
Event = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanContents:
    """Inputs and outputs; None for what a span does not hold."""

    inputs: Json = None
    outputs: Json = None


def span_contents(
    plain: Mapping[str, Json], attributes: Mapping[str, Json], events: Sequence[Event]
) -> SpanContents:
    """Find the inputs and outputs of a span; the first that is not empty counts.

    Args:
        plain: The span's parts, by names in lower case without underscores.
        attributes: By name.
        events: Each with its name, and its attributes beside it.

    Returns:
        Inputs and outputs.
    """
    rows = _rows(attributes)
    return SpanContents(
        inputs=_first_content(_input_candidates(plain, attributes, events, rows)),
        outputs=_first_content(_output_candidates(plain, attributes, events, rows)),
    )


def is_empty(value: Json) -> bool:
    """Tell whether a value has no content.

    Args:
        value: Any JSON.

    Returns:
        True for null, a blank text, and an empty object or list.
    """
    return value is None or (isinstance(value, str) and not value.strip()) or value in ({}, [], ())


def is_message_event(event: Event) -> bool:
    """Tell whether an event is a message of a call, as OpenTelemetry had them from 1.28 to 1.36.

    Args:
        event: With its name.

    Returns:
        True for `gen_ai.user.message` and the like, and for `gen_ai.choice`.
    """
    name = str(event["name"])
    return name.startswith("gen_ai.") and (name.endswith(".message") or name == "gen_ai.choice")


_ATTRIBUTES: Final = tuple(
    (
        row,
        frozenset((*row.inputs, *row.outputs, *row.transcripts, *row.calls)),
        (*row.input_prefixes, *row.output_prefixes),
    )
    for row in SPAN_CONVENTIONS
)
"""Rows of the table, with the names and the beginnings of names by which a span is known to follow them."""


def _rows(attributes: Mapping[str, Json]) -> list[SpanConvention]:
    """Return the conventions that a span follows; most spans follow one or none."""
    return [
        row
        for row, names, prefixes in _ATTRIBUTES
        if not names.isdisjoint(attributes)
        or (prefixes and any(name.startswith(prefixes) for name in attributes))
    ]


def _input_candidates(
    plain: Mapping[str, Json],
    attributes: Mapping[str, Json],
    events: Sequence[Event],
    rows: Iterable[SpanConvention],
) -> Iterator[Json]:
    yield from (plain.get(name) for name in INPUT_PARTS)
    for row in rows:
        yield from _values(attributes, row.inputs)
        yield from (_transcript(attributes[name])[0] for name in row.transcripts if name in attributes)
        yield from _unflattened(attributes, row.input_prefixes)
    yield _event_messages(events, "inputs")
    yield from (value for event in events for value in _values(event, INPUT_ATTRIBUTES))


def _output_candidates(
    plain: Mapping[str, Json],
    attributes: Mapping[str, Json],
    events: Sequence[Event],
    rows: Iterable[SpanConvention],
) -> Iterator[Json]:
    yield from (plain.get(name) for name in OUTPUT_PARTS)
    for row in rows:
        yield _with_calls(attributes, row)
        yield from _values(attributes, row.outputs)
        yield from (_transcript(attributes[name])[1] for name in row.transcripts if name in attributes)
        yield from _unflattened(attributes, row.output_prefixes)
    yield _event_messages(events, "outputs")
    yield from (value for event in events for value in _values(event, OUTPUT_ATTRIBUTES))


def _first_content(candidates: Iterable[Json]) -> Json:
    return next((each for each in candidates if not is_empty(each)), None)


def _values(attributes: Mapping[str, Json], names: Iterable[str]) -> Iterator[Json]:
    return (from_json(attributes[name]) for name in names if name in attributes)


def _with_calls(attributes: Mapping[str, Json], row: SpanConvention) -> Json:
    """Return an answer with its tool calls as one message; None where it has none of these."""
    calls = next((each for each in _values(attributes, row.calls) if not is_empty(each)), None)
    if not isinstance(calls, list):
        return calls
    words = next((each for each in _values(attributes, row.outputs) if not is_empty(each)), "")
    return [{"role": "assistant", "content": words, "tool_calls": calls}]


def _unflattened(attributes: Mapping[str, Json], prefixes: Iterable[str]) -> Iterator[Json]:
    return (
        unflattened_messages(attributes, prefix)
        for prefix in prefixes
        if any(name.startswith(prefix) for name in attributes)
    )


def _transcript(value: Json) -> tuple[Json, Json]:
    """Return the messages before the answer, and the answer, of messages of both sides."""
    messages = from_json(value)
    if not isinstance(messages, list):
        return messages, None
    last = messages[-1] if messages else None
    is_answer = isinstance(last, Mapping) and last.get("role") in ("assistant", "model")
    return (messages[:-1], [last]) if is_answer else (messages, None)


def _event_messages(events: Iterable[Event], side: str) -> Json:
    messages = []
    for event in events:
        if is_message_event(event) and (event["name"] == "gen_ai.choice") == (side == "outputs"):
            role = "assistant" if side == "outputs" else event["name"].split(".")[1]
            body = from_json(event.get(EVENT_BODY))  # of Azure's and Semantic Kernel's events
            inner = body if isinstance(body, Mapping) else {}
            own = {name: part for name, part in event.items() if name not in ("name", EVENT_BODY)}
            messages.append({"role": role, **own, **inner})
    return messages
