"""The end of a trace that came in spans: assembled once it has rested, and admitted like any other."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.ingest.span_assembly import assembled_trace, has_content
from bot.ingest.span_preparation import SpanPreparation
from bot.judging.trace_admission import RedactedTrace, RejectedTrace, TraceAdmission
from bot.plain_text import pluralise
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.supervisor import COMPONENT as BACKGROUND
from bot.runtime.wake_event import WakeEvent
from memalign.records import Json, Trace
from storage.database import Database
from storage.records import OpenTrace, SpanBatch

log = logging.getLogger(__name__)

SUBJECT = "traces from OpenTelemetry"
TRACES_PER_ROUND = 100
BYTES_PER_ROUND = 16 * 1024 * 1024
LOOK_SECONDS = 1.0
"""Longest time between two looks for traces that have come to rest."""
FULL_QUEUE_MS = 5_000
"""Pause before a trace is handed on again for which there was no room."""

Batches = Mapping[str, SpanBatch]
Places = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTrace:
    """A trace that has rested, as it may be admitted."""

    item: RedactedTrace
    places: Places
    """Ids of its spans in the store."""

    @property
    def trace_id(self) -> str:
        """The trace's id."""
        return self.item.trace.trace_id


class SpanWorker:
    """Finishes traces that came in spans."""

    def __init__(
        self,
        database: Database,
        admission: TraceAdmission,
        preparation: SpanPreparation,
        health: HealthRegistry,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._admission = admission
        self._preparation = preparation
        self._health = health
        self._time_ms = time_ms
        self._wake_event = WakeEvent()
        self.without_content = 0
        """Traces of AI without question and answer, since the start."""

    def wake(self) -> None:
        """Look for the next trace to finish now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Finish traces until cancelled. Raises `StorageError`."""
        while True:
            while await self.finish_due():
                pass
            await self._wake_event.wait(await self._seconds_to_next())

    async def finish_due(self) -> int:
        """Finish some of the traces that have rested; returns how many. Raises `StorageError`."""
        open_traces = self._database.open_traces
        due = _within(await open_traces.due(self._time_ms(), TRACES_PER_ROUND))
        batches = await open_traces.batches([each.trace_id for each in due])
        handed_on = {each.trace_id: tuple(batches[each.trace_id]) for each in due if not each.is_of_ai}
        unjudged: dict[str, Places] = {}
        ours = {each.trace_id: batches[each.trace_id] for each in due if each.is_of_ai}
        assembled = await asyncio.to_thread(self._assemble_all, ours) if ours else []
        known = await open_traces.stored([*ours])
        finished: list[FinishedTrace] = []
        for trace_id, each in zip(ours, assembled, strict=True):
            if isinstance(each, RejectedTrace):
                unjudged[trace_id] = tuple(ours[trace_id])
            elif trace_id in known:
                await self._extend(each)
            elif has_content(each.item.trace):
                finished.append(each)
            else:
                self._note_without_content()
                unjudged[trace_id] = each.places
        handed_on |= await self._admit(finished, unjudged)
        if handed_on or unjudged:
            await open_traces.close(handed_on, unjudged, self._time_ms())
        return len(due)

    async def _admit(
        self, finished: Sequence[FinishedTrace], unjudged: dict[str, Places]
    ) -> dict[str, Places]:
        """Hand traces on; return those that were taken, and add those that cannot be judged to `unjudged`."""
        if not finished:
            return {}
        outcomes = await self._admission.admit([each.item for each in finished], in_thread=True)
        taken: dict[str, Places] = {}
        full: list[str] = []
        for each, outcome in zip(finished, outcomes, strict=True):
            if isinstance(outcome, RejectedTrace):
                log_activity(log, "a trace cannot be judged", trace=each.trace_id, reason=outcome.reason)
                unjudged[each.trace_id] = each.places
            elif outcome == "full":
                full.append(each.trace_id)
            else:
                taken[each.trace_id] = each.places
        if full:
            await self._database.open_traces.postpone(full, self._time_ms() + FULL_QUEUE_MS)
        return taken

    async def _extend(self, finished: FinishedTrace) -> None:
        """Add late spans to a trace that was finished before, as long as it is not judged."""
        trace_id = finished.trace_id
        known = await self._database.traces.get(trace_id)
        if known is None:  # it was forgotten in between
            return
        spans = _spans_of(known, finished.item.trace)
        trace = await asyncio.to_thread(self._preparation.assemble, trace_id, spans)
        original = None
        if finished.item.original is not None:
            sent = await self._database.traces.original(trace_id) or known
            original = assembled_trace(trace_id, _spans_of(sent, finished.item.original))
        await self._database.open_traces.extend(trace, finished.places, original)

    def _assemble_all(self, ours: Mapping[str, Batches]) -> list[FinishedTrace | RejectedTrace]:
        return [self._assemble(trace_id, batches) for trace_id, batches in ours.items()]

    def _assemble(self, trace_id: str, batches: Batches) -> FinishedTrace | RejectedTrace:
        try:
            spans = [span for batch in batches.values() for span in batch.spans]
            originals = [span for batch in batches.values() for span in batch.originals]
            item = RedactedTrace(
                trace=self._preparation.assemble(trace_id, spans),
                original=assembled_trace(trace_id, originals) if originals else None,
            )
            return FinishedTrace(item=item, places=tuple(batches))
        except Exception:  # a bug on one trace must not stop the others
            return RejectedTrace(reason=unexpected("assembling a trace"))

    def _note_without_content(self) -> None:
        self.without_content += 1
        came = pluralise(self.without_content, "trace")
        self._health.report(
            BACKGROUND,
            SUBJECT,
            f"{came} came without a question or an answer, and cannot be judged. "
            "Where the application runs, set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY and "
            "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental, or what your instrumentation's manual names",
        )

    async def _seconds_to_next(self) -> float:
        due_ms = await self._database.open_traces.next_due_ms()
        if due_ms is None:
            return LOOK_SECONDS
        return min(max(due_ms - self._time_ms(), 0) / 1000 + 0.01, LOOK_SECONDS)


def _within(due: Sequence[OpenTrace]) -> list[OpenTrace]:
    """Return the first ones, as many as are in memory together."""
    size = 0
    chosen: list[OpenTrace] = []
    for each in due:
        size += each.size
        if chosen and size > BYTES_PER_ROUND:
            break
        chosen.append(each)
    return chosen


def _spans_of(*traces: Trace) -> list[Mapping[str, Json]]:
    return [span for trace in traces for span in trace.spans if isinstance(span, Mapping)]
