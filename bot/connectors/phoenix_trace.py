"""A trace of Phoenix's REST API as a record: its spans carry flat attributes, and name their parents. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.connectors.run_content import content_of
from bot.connectors.tool import TraceHead
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.span_conventions import SESSION_ATTRIBUTES, USER_ATTRIBUTES
from memalign.spans import error_of, span_tree

SETTLING_MS = 6_000
"""Rest after a trace's last span before it is read: OpenTelemetry sends spans every 5 s, each process its own."""
ROOTLESS_MS = 10 * 60 * 1000
"""Rest after which a trace is read without a span that has no parent: its beginning is traced elsewhere, if at all."""

Span = Mapping[str, Json]


def heads_of(traces: Sequence[Mapping[str, Json]], now_ms: int) -> list[TraceHead]:
    """Return the heads of a listing of traces, each with its spans; those that cannot be read are left out."""
    heads = (_head(each.get("trace_id"), each.get("spans") or (), now_ms) for each in traces)
    return [head for head in heads if head is not None]


def root_heads(spans: Sequence[Span], now_ms: int) -> list[TraceHead]:
    """Return the heads of the traces whose root spans are among these, the oldest first."""
    roots: dict[Json, Span] = {}
    for span in spans:
        trace_id = trace_id_of(span)
        known = roots.get(trace_id)
        if span.get("parent_id") is None and (known is None or _start_ms(span) < _start_ms(known)):
            roots[trace_id] = {**span, "span_id": span_id_of(span)}
    heads = (_head(trace_id, [span], now_ms) for trace_id, span in roots.items())
    return sorted((head for head in heads if head is not None), key=lambda head: head.time_ms)


def trace_of(trace_id: str, spans: Sequence[Span]) -> Trace:
    """Return a trace with these spans, of which there is at least one."""
    tree = span_tree([_plain_span(each) for each in spans])
    inputs, outputs = content_of(tree)
    root = _root([{**each, "span_id": span_id_of(each)} for each in spans])
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        spans=tuple(tree),
        timestamp=root.get("start_time"),
        metadata=_metadata(root),
        error=error_of(tree),
    )


def trace_id_of(span: Span) -> Json:
    """Return the id of the trace that a span is of."""
    return (span.get("context") or {}).get("trace_id")


def span_id_of(span: Span) -> Json:
    """Return a span's id, as OpenTelemetry knows it."""
    return (span.get("context") or {}).get("span_id")


def moment(time_ms: int) -> str:
    """Return a time in milliseconds since 1970 as Phoenix takes it."""
    text = datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def milliseconds(value: Json) -> int | None:
    """Return a time of ISO 8601 as milliseconds since 1970; None for anything else."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _head(trace_id: Json, spans: Sequence[Span], now_ms: int) -> TraceHead | None:
    timed = [span for span in spans if milliseconds(span.get("start_time")) is not None]
    if not timed or not isinstance(trace_id, str):
        return None
    root = _root(timed)
    end_ms = max(milliseconds(span.get("end_time")) or _start_ms(span) for span in timed)
    rest_ms = SETTLING_MS if root.get("parent_id") is None else ROOTLESS_MS
    return TraceHead(
        trace_id=trace_id,
        reference=str(root["span_id"]),
        time_ms=min(map(_start_ms, timed)),
        # a clock that is ahead of ours does not hold up a trace
        is_finished=not 0 <= now_ms - end_ms < rest_ms,
    )


def _root(spans: Sequence[Span]) -> Span:
    """Return the first span without a parent, else the first one whose parent is not here, else the first one."""
    ordered = sorted(spans, key=_start_ms)
    ids = {span.get("span_id") for span in ordered}
    without_parent = (span for span in ordered if span.get("parent_id") is None)
    orphans = (span for span in ordered if span.get("parent_id") not in ids)
    return next(without_parent, None) or next(orphans, None) or ordered[0]


def _start_ms(span: Span) -> int:
    return milliseconds(span.get("start_time")) or 0


def _metadata(root: Span) -> dict[str, Json]:
    attributes = root.get("attributes") or {}
    told = {
        "name": root.get("name"),
        "session": _first(attributes, SESSION_ATTRIBUTES),
        "user": _first(attributes, USER_ATTRIBUTES),
    }
    return {name: value for name, value in told.items() if not is_empty(value)}


def _first(attributes: Mapping[str, Json], names: Sequence[str]) -> Json:
    return next((attributes[name] for name in names if not is_empty(attributes.get(name))), None)


def _plain_span(span: Span) -> dict[str, Json]:
    """Return a span by the names of its parts; its id is OpenTelemetry's, not that of Phoenix's database."""
    other = ("id", "context", "span_kind")
    return {
        **{name: part for name, part in span.items() if name not in other},
        "span_id": span_id_of(span),
        "type": span.get("span_kind"),
    }
