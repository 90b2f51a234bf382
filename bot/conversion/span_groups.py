"""Spans of an export, put together to their traces; they arrive in any order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.conversion.cells import iso_time
from bot.conversion.records import Document, TraceSpan
from memalign.records import Json, Trace
from memalign.span_carriers import plain_parts
from memalign.span_times import START_NAMES, read_time
from memalign.spans import error_of, shallowest_content, span_tree


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

    def traces(self) -> Iterator[tuple[Trace, str]]:
        """Yield the traces, each with its source; they are gone from here then."""
        for trace_id in list(self.groups):
            group = self.groups.pop(trace_id)
            yield _trace(trace_id, group), group.source


def _trace(trace_id: str, group: _Group) -> Trace:
    spans = span_tree(group.spans)
    inputs, outputs = shallowest_content(spans)
    return Trace(
        trace_id=trace_id,
        inputs=inputs,
        outputs=outputs,
        # a single span holds nothing that the trace does not
        spans=tuple(spans) if len(spans) > 1 else (),
        timestamp=_begin(group.spans),
        metadata=group.metadata,
        error=error_of(spans),
    )


def _begin(spans: Sequence[Document]) -> str | None:
    times = [read_time(plain_parts(span), START_NAMES) for span in spans]
    return iso_time(min((time for time in times if time is not None), default=None))
