"""Traces that came in spans and have rested, as they may be admitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.ingest.span_assembly import assembled_trace
from bot.ingest.span_preparation import SpanPreparation
from bot.judging.trace_admission import RedactedTrace
from bot.runtime.health import unexpected
from bot.trace_json.rejected_trace import RejectedTrace
from memalign.records import Json, Trace
from storage.records import SpanBatch

Batches = Mapping[str, SpanBatch]
"""The spans of one trace by the place of each request's in the store."""
Places = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTrace:
    """A trace that has rested."""

    item: RedactedTrace
    places: Places
    """Ids of its spans in the store."""

    @property
    def trace_id(self) -> str:
        """The trace's id."""
        return self.item.trace.trace_id


def finish_all(
    preparation: SpanPreparation, batches_by_trace: Mapping[str, Batches]
) -> list[FinishedTrace | RejectedTrace]:
    """Make traces of their spans, in the same order; any thread."""
    return [_finish(preparation, trace_id, batches) for trace_id, batches in batches_by_trace.items()]


def extended(preparation: SpanPreparation, known: Trace, sent: Trace, late: FinishedTrace) -> RedactedTrace:
    """Make a trace anew with its late spans.

    Args:
        preparation: assembles it.
        known: the trace as it is kept.
        sent: the same as it was sent, where that is kept, else as it is kept.
        late: its late spans.
    """
    original = late.item.original
    return RedactedTrace(
        trace=preparation.assemble(known.trace_id, _spans_of(known, late.item.trace)),
        original=None if original is None else assembled_trace(known.trace_id, _spans_of(sent, original)),
    )


def _finish(preparation: SpanPreparation, trace_id: str, batches: Batches) -> FinishedTrace | RejectedTrace:
    try:
        spans = [span for batch in batches.values() for span in batch.spans]
        originals = [span for batch in batches.values() for span in batch.originals]
        item = RedactedTrace(
            trace=preparation.assemble(trace_id, spans),
            original=assembled_trace(trace_id, originals) if originals else None,
        )
        return FinishedTrace(item=item, places=tuple(batches))
    except Exception:  # a bug on one trace must not stop the others
        return RejectedTrace(reason=unexpected("assembling a trace"))


def _spans_of(*traces: Trace) -> list[Mapping[str, Json]]:
    spans: Sequence[Json] = [span for trace in traces for span in trace.spans]
    return [span for span in spans if isinstance(span, Mapping)]
