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
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import FeedbackEvent, StoredVerdict

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
        wake_learning: Callable[[], None],
        forget_trace: Callable[[str], Awaitable[None]],
        time_ms: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._database = database
        self._memories = memories
        self._redact = redact
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
            references = {trace_id: reference for _, trace_id, reference in page}
            answers = await self._connection.tool.read_assessments(references)
            for trace_id, reference in references.items():
                if trace_id in answers:
                    await self._compare(trace_id, answers[trace_id])
                elif self._connection.settings.follow_deletions:
                    await self._forget_if_gone(trace_id, reference)
        self._place = page[-1][0] if len(page) == TRACES_PER_LOOK else None

    async def _forget_if_gone(self, trace_id: str, reference: str) -> None:
        """Forget a trace that the tool does not have any more, also when it is asked for it alone."""
        try:
            is_gone = trace_id not in await self._connection.tool.read_assessments({trace_id: reference})
        except GoneError:
            is_gone = True
        if is_gone:
            log_activity(log, "trace deleted at its source", trace_id=trace_id)
            await self._forget_trace(trace_id)

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
            if answer and answer.at_ms <= await self._database.feedback.forgotten_ms(person):
                continue
            events = answer_events(stored, person, known.get(person), answer, self._time_ms(), self._redact)
            for event in events:
                await self._database.feedback.note_on_verdict(stored.verdict_id, event)
                is_new = True
        if is_new:
            self._wake_learning()
