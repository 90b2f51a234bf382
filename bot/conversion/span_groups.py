"""Spans of an export, put together to their traces; they arrive in any order."""

from dataclasses import dataclass, field, replace

from bot.conversion.records import Document, TraceSpan
from bot.ingest.span_assembly import assembled_trace
from memalign.records import Json, Trace
from memalign.span_forms import span_document
from memalign.spans import error_of, span_tree


@dataclass(slots=True)
class _Group:
    spans: list[Document] = field(default_factory=list)
    metadata: dict[str, Json] = field(default_factory=dict)
    source: str = ""


@dataclass(slots=True)
class SpanGroups:
    """Traces whose spans come one by one."""

    groups: dict[str, _Group] = field(default_factory=dict)
    span_ids: dict[str, list[str]] = field(default_factory=dict)
    """Trace id -> ids of its spans."""

    def add(self, part: TraceSpan, source: str) -> None:
        """Add a span of a source."""
        group = self.groups.setdefault(part.trace_id, _Group(source=source))
        group.spans.append(part.span)
        if part.span_id:
            self.span_ids.setdefault(part.trace_id, []).append(part.span_id)
        if part.span_id == part.trace_id or not group.metadata:
            group.metadata = dict(part.metadata)

    @property
    def trace_ids(self) -> list[str]:
        """The traces, in the order in which they came."""
        return list(self.groups)

    def take(self, trace_id: str) -> tuple[Trace, str]:
        """Return a trace and its source; it is gone from here then."""
        group = self.groups.pop(trace_id)
        return _trace(trace_id, group), group.source


def _trace(trace_id: str, group: _Group) -> Trace:
    # a table may lack the column of span ids
    documents = (
        {"id": f"step {place}", **span_document(span)} for place, span in enumerate(group.spans, start=1)
    )
    trace = assembled_trace(trace_id, documents)
    spans = span_tree(trace.spans)
    return replace(
        trace,
        # a single span holds nothing that the trace does not
        spans=tuple(spans) if len(spans) > 1 else (),
        metadata={**trace.metadata, **group.metadata},
        error=error_of(spans),
    )
