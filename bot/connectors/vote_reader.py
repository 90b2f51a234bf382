"""Votes that people give in a tracing tool itself: each becomes feedback of its person, as a vote in Slack does."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.annotators import annotator_id
from bot.connectors.annotator_events import answer_events
from bot.connectors.connection import ToolConnection
from bot.connectors.errors import GoneError
from bot.connectors.person_answers import PersonAnswers
from bot.connectors.tool import RemoteAssessment
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import DAY_MS
from bot.runtime.metrics import Metrics
from bot.vote_marks import vote_of_event
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import FeedbackEvent, StoredVerdict, TraceOrigin

log = logging.getLogger(__name__)

VOTE_DAYS = 30
"""Days after a trace was read in which votes on it are looked for."""
TRACES_PER_LOOK = 100
LOOKS_PER_PASS = 10
"""Looks of one pass; the next one goes on where this one ended."""


class VoteReader:
    """Compares the votes in a tool with what the store knows of them, newest traces first."""

    def __init__(
        self,
        connection: ToolConnection,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        redact: Callable[[FeedbackEvent], FeedbackEvent],
        metrics: Metrics,
        wake_learning: Callable[[], None],
        forget_trace: Callable[[str], Awaitable[None]],
        time_ms: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._database = database
        self._memories = memories
        self._redact = redact
        self._metrics = metrics
        self._wake_learning = wake_learning
        self._forget_trace = forget_trace
        self._time_ms = time_ms
        self._answers = PersonAnswers(connection.settings, memories)
        self._place: str | None = None
        """The place at which the last pass ended; None: at the oldest trace."""

    async def read(self) -> None:
        """Take in what people changed. Raises `ToolError` and `StorageError`."""
        since_ms = self._time_ms() - VOTE_DAYS * DAY_MS
        for place in dict.fromkeys((None, self._place)):
            # the newest traces are looked at in each pass, the others in turn
            self._place = place
            for _ in range(1 if place is None else LOOKS_PER_PASS):
                await self._look(since_ms)
                if self._place is None:
                    return

    async def _look(self, since_ms: int) -> None:
        page = await self._database.connectors.recent(
            self._connection.store_key, since_ms, self._place, TRACES_PER_LOOK
        )
        if page:
            origins = {origin.tool_trace_id: origin for _, origin in page}
            answers = await self._connection.tool.read_assessments(
                {tool_id: origin.reference for tool_id, origin in origins.items()}
            )
            for tool_id, origin in origins.items():
                if tool_id in answers:
                    await self._compare(origin.trace_id, answers[tool_id])
            if self._connection.settings.follow_deletions:
                await self._follow([origin for tool_id, origin in origins.items() if tool_id not in answers])
        self._place = page[-1][0] if len(page) == TRACES_PER_LOOK else None

    async def _follow(self, missing: Sequence[TraceOrigin]) -> None:
        """Forget what was deleted at its source.

        A project that cannot be read, or was made anew, tells of no deletion: then an error is raised, or nothing is
        forgotten. It is looked at before and after, since a permission may be taken away in between.
        """
        there = await self._of_same_place(missing)
        gone = [origin for origin in there if await self._is_gone(origin)]
        for origin in await self._of_same_place(gone):
            if await self._database.traces.contains(origin.trace_id):
                log_activity(log, "trace deleted at its source", trace_id=origin.trace_id)
                await self._forget_trace(origin.trace_id)

    async def _of_same_place(self, origins: Sequence[TraceOrigin]) -> list[TraceOrigin]:
        """Return those that were read from the project as it is now. Raises `ToolError` where that cannot be read."""
        if not origins:
            return []
        await self._connection.tool.check()
        place_id = await self._connection.tool.place_id()
        return [origin for origin in origins if origin.place_id in ("", place_id)]

    async def _is_gone(self, origin: TraceOrigin) -> bool:
        """Return whether the tool does not have a trace, also when it is asked for it alone."""
        tool_id = origin.tool_trace_id
        try:
            return tool_id not in await self._connection.tool.read_assessments({tool_id: origin.reference})
        except GoneError:
            return True

    async def _compare(self, trace_id: str, assessments: Sequence[RemoteAssessment]) -> None:
        for stored in await self._database.connectors.verdicts_of(trace_id):
            # a vote waits for the card that it is shown on, if the verdict has one
            is_ready = stored.message_ts is not None or not stored.has_card
            if is_ready and stored.verdict.judge in self._memories:
                await self._take_in(stored, assessments)

    async def _take_in(self, stored: StoredVerdict, assessments: Sequence[RemoteAssessment]) -> None:
        answers = self._answers.of_judge(stored.verdict.judge, assessments)
        known = await self._database.feedback.all_of(stored.verdict_id)
        tool = annotator_id(self._connection.settings.type, "")
        people = dict.fromkeys([*answers, *(person for person in known if person.startswith(tool))])
        is_new = False
        for person in people:
            answer = answers.get(person)
            if answer and await self._database.feedback.is_forgotten_at(person, answer.at_ms):
                continue
            events = answer_events(stored, person, known.get(person), answer, self._time_ms(), self._redact)
            for event in events:
                await self._database.feedback.note_on_verdict(stored.verdict_id, event)
                if vote := vote_of_event(stored, event):
                    self._metrics.count_vote(vote, "tool")
                is_new = True
        if is_new:
            self._wake_learning()
