"""The end of a trace that came in spans: assembled once it has rested, and admitted like any other."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from bot.ingest.finished_trace import FinishedTrace, Places, extended, finish_all
from bot.ingest.missing_content import TOLD_MS, MissingContent
from bot.ingest.span_assembly import has_content
from bot.ingest.span_preparation import SpanPreparation
from bot.judging.trace_admission import TraceAdmission
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import now_ms
from bot.runtime.wake_event import WakeEvent
from bot.trace_json.rejected_trace import RejectedTrace
from storage.database import Database
from storage.records import OpenTrace

log = logging.getLogger(__name__)

TRACES_PER_ROUND = 100
BYTES_PER_ROUND = 16 * 1024 * 1024
LOOK_SECONDS = 1.0
"""Longest time between two looks for traces that have come to rest."""
FULL_QUEUE_MS = 5_000
"""Pause before a trace is handed on again for which there was no room."""


class SpanWorker:
    """Finishes traces that came in spans."""

    def __init__(
        self,
        database: Database,
        admission: TraceAdmission,
        preparation: SpanPreparation,
        missing_content: MissingContent,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._admission = admission
        self._preparation = preparation
        self._missing_content = missing_content
        self._time_ms = time_ms
        self._wake_event = WakeEvent()

    @property
    def without_content(self) -> int:
        """Traces of AI without question and answer, since the start."""
        return self._missing_content.number

    def wake(self) -> None:
        """Look for the next trace to finish now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Finish traces until cancelled. Raises `StorageError`."""
        await self._missing_content.restore()
        while True:
            while await self.finish_due():
                pass
            self._missing_content.fade()
            await self._wake_event.wait(await self._seconds_to_next())

    async def finish_due(self) -> int:
        """Finish some of the traces that have rested; returns how many. Raises `StorageError`."""
        open_traces = self._database.open_traces
        due = _within(await open_traces.due(self._time_ms(), TRACES_PER_ROUND))
        batches = await open_traces.batches([each.trace_id for each in due])
        noise = {each.trace_id: tuple(batches[each.trace_id]) for each in due if not each.is_of_ai}
        ours = {each.trace_id: batches[each.trace_id] for each in due if each.is_of_ai}
        assembled = await asyncio.to_thread(finish_all, self._preparation, ours) if ours else []
        finished = [each for each in assembled if isinstance(each, FinishedTrace)]
        unjudged = {trace_id: tuple(ours[trace_id]) for trace_id in ours.keys() - set(map(_id, finished))}
        new = await self._without_known(finished)
        silent = [each for each in new if not has_content(each.item.trace)]
        unjudged |= {each.trace_id: each.places for each in silent}
        taken, refused = await self._admit([each for each in new if each not in silent])
        if noise or taken or unjudged or refused:
            await self._close({**noise, **taken}, {**unjudged, **refused}, len(silent))
        return len(due)

    async def _close(
        self, handed_on: Mapping[str, Places], unjudged: Mapping[str, Places], without_content: int
    ) -> None:
        now = self._time_ms()
        count = await self._database.open_traces.close(
            handed_on, unjudged, now, without_content=without_content, count_from_ms=now - TOLD_MS
        )
        if without_content:
            self._missing_content.tell(without_content, count)

    async def _without_known(self, finished: Sequence[FinishedTrace]) -> list[FinishedTrace]:
        """Add late spans to the traces that were finished before; return the others."""
        known = await self._database.open_traces.stored([each.trace_id for each in finished])
        for each in finished:
            if each.trace_id in known:
                await self._extend(each)
        return [each for each in finished if each.trace_id not in known]

    async def _extend(self, late: FinishedTrace) -> None:
        known = await self._database.traces.get(late.trace_id)
        if known is None:  # it was forgotten in between
            return
        sent = await self._database.traces.original(late.trace_id) or known
        item = await asyncio.to_thread(extended, self._preparation, known, sent, late)
        if not await self._database.open_traces.extend(item.trace, late.places, item.original):
            log_activity(log, "late spans are left out: their trace was judged", trace=late.trace_id)

    async def _admit(
        self, finished: Sequence[FinishedTrace]
    ) -> tuple[Mapping[str, Places], Mapping[str, Places]]:
        """Hand traces on; return those that were taken, and those that cannot be judged."""
        if not finished:
            return {}, {}
        outcomes = await self._admission.admit([each.item for each in finished], in_thread=True)
        taken: dict[str, Places] = {}
        refused: dict[str, Places] = {}
        full: list[str] = []
        for each, outcome in zip(finished, outcomes, strict=True):
            if isinstance(outcome, RejectedTrace):
                log_activity(log, "a trace cannot be judged", trace=each.trace_id, reason=outcome.reason)
                refused[each.trace_id] = each.places
            elif outcome == "full":
                full.append(each.trace_id)
            else:
                taken[each.trace_id] = each.places
        if full:
            await self._database.open_traces.postpone(full, self._time_ms() + FULL_QUEUE_MS)
        return taken, refused

    async def _seconds_to_next(self) -> float:
        due_ms = await self._database.open_traces.next_due_ms()
        if due_ms is None:
            return LOOK_SECONDS
        return min(max(due_ms - self._time_ms(), 0) / 1000 + 0.01, LOOK_SECONDS)


def _id(finished: FinishedTrace) -> str:
    return finished.trace_id


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
