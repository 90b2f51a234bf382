"""Labels that people give in a tracing tool on traces without a card: these are judged, so that the labels teach.

Where less than all is sampled, most labels are on such traces. The votes themselves are read like all others.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from bot.connectors.connection import ToolConnection
from bot.connectors.content_reader import ContentReader
from bot.connectors.person_answers import PersonAnswers
from bot.connectors.tool import AnsweredTrace
from bot.connectors.unfit_traces import UnfitTraces
from bot.connectors.vote_reader import VOTE_DAYS
from bot.runtime.clock import DAY_MS
from memalign.judge_memory import JudgeMemory
from memalign.records import Trace
from storage.database import Database
from storage.label_jobs import LabelledTrace
from storage.records import TraceOrigin

PAGES_PER_PASS = 3
"""Pages of one pass; the newest one is looked at in each, the others in turn."""
MAX_WAITING_LABELS = 100
"""Labelled traces that wait to be judged at most; the others wait in the tool."""
TRACES_PER_READ = 20

Prepare = Callable[[Sequence[Trace]], Awaitable[Sequence[tuple[Trace, Trace | None]]]]
"""Returns traces as they may be stored, see `bot.judging.trace_admission.TraceAdmission.prepare_labelled`."""


class LabelReader:
    """Looks for labelled traces that no judge has judged."""

    def __init__(
        self,
        connection: ToolConnection,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        prepare: Prepare,
        time_ms: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._tool = connection.tool
        self._contents = ContentReader(connection.tool)
        self._database = database
        self._judges = connection.judges or tuple(memories)
        self._answers = PersonAnswers(connection.settings, memories)
        self._prepare = prepare
        self._time_ms = time_ms
        self._unfit = UnfitTraces()
        self._page: str | None = None
        """The page at which the next pass goes on, after the first one."""

    async def read(self, start_ms: int) -> None:
        """Take in labelled traces that began at that time or later. Raises `ToolError` and `StorageError`."""
        pages = dict.fromkeys((None, self._page))
        for page in pages:
            self._page = page
            for _ in range(1 if page is None else PAGES_PER_PASS):
                if not await self._has_room():
                    return
                await self._look(start_ms)
                if self._page is None:
                    return

    async def _has_room(self) -> bool:
        return await self._database.label_jobs.count() < MAX_WAITING_LABELS

    async def _look(self, start_ms: int) -> None:
        since_ms = max(start_ms, self._time_ms() - VOTE_DAYS * DAY_MS)
        paused = await self._database.preferences.pauses()
        listing = await self._tool.list_answers(self._judges, since_ms, self._page)
        answered = {
            each.head.trace_id: each
            for each in listing.traces
            if each.head.is_finished
            and each.head.time_ms >= start_ms
            and not self._unfit.is_given_up(each.head.trace_id)
        }
        labelled = {
            trace_id: [judge for judge in await self._judges_of(each) if judge not in paused]
            for trace_id, each in answered.items()
        }
        unjudged = await self._database.label_jobs.unjudged(labelled)
        for begin in range(0, len(unjudged), TRACES_PER_READ):
            some = list(unjudged.items())[begin : begin + TRACES_PER_READ]
            await self._take_in({trace_id: (answered[trace_id], judges) for trace_id, judges in some})
        self._page = listing.next_page

    async def _judges_of(self, answered: AnsweredTrace) -> tuple[str, ...]:
        """Return the judges about which people say a value that is not forgotten."""
        return tuple([judge for judge in self._judges if await self._is_labelled(judge, answered)])

    async def _is_labelled(self, judge: str, answered: AnsweredTrace) -> bool:
        for person, answer in self._answers.of_judge(judge, answered.answers).items():
            if not await self._database.feedback.is_forgotten_at(person, answer.at_ms):
                return True
        return False

    async def _take_in(self, unjudged: Mapping[str, tuple[AnsweredTrace, tuple[str, ...]]]) -> None:
        now, place_id = self._time_ms(), await self._tool.place_id()
        contents = await self._contents.read([each.head for each, _ in unjudged.values()])
        wanted = [replace(trace, judges=unjudged[trace.trace_id][1]) for trace in contents.traces]
        prepared = await self._prepare(wanted)
        self._unfit.note({each.trace_id for each in wanted} - {trace.trace_id for trace, _ in prepared})
        labelled = [
            LabelledTrace(
                trace=trace,
                original=original,
                origin=TraceOrigin(
                    trace_id=trace.trace_id,
                    connector=self._connection.store_key,
                    reference=unjudged[trace.trace_id][0].head.reference,
                    read_ms=now,
                    place_id=place_id,
                ),
            )
            for trace, original in prepared
        ]
        await self._database.label_jobs.add(labelled, now)
