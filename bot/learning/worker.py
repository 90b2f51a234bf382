"""Feedback on its way to a lesson: gathered -> learned by the judge's memory -> told in the thread.

Whatever fails leaves the feedback unlearned; the next round walks the same path.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.feedback import Feedback, all_feedback, taught
from bot.learning.thread_replies import ThreadReplies
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.wake_event import WakeEvent
from bot.slack.users import People
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.records import Lesson, Trace
from storage.database import Database
from storage.records import PendingFeedback, PersonFeedback, StoredVerdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Feedback on one verdict that the memory has not seen yet."""

    mark: PendingFeedback
    stored: StoredVerdict
    trace: Trace
    """With people's labels on it; without any, what was learned from it is taken back."""
    feedback: tuple[Feedback, ...]
    taken_back: int = 0
    """How often the trace's feedback had been taken back when this was gathered."""


class Learning:
    """Brings changed feedback to the judges' memories."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        people: People,
        thread_replies: ThreadReplies,
        *,
        quiet_seconds: float = 2.0,
    ) -> None:
        """`quiet_seconds`: how long feedback must rest, so that a thumb and its reason come together."""
        self._database = database
        self._memories = memories
        self._people = people
        self._thread_replies = thread_replies
        self._quiet_ms = int(quiet_seconds * 1000)
        self._wake_event = WakeEvent()
        self._left_out: set[str] = set()
        self._taken_back: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()
        self._not_before: dict[str, int] = {}
        self.trouble: dict[str, str] = {}
        """Judge -> why learning waits."""

    def wake(self) -> None:
        """Feedback has changed."""
        self._wake_event.set()

    def leave_out(self, trace_id: str) -> None:
        """Learn no more from a trace, also where its feedback is already in hand: it is being forgotten."""
        self._left_out.add(trace_id)

    def take_back(self, trace_ids: Collection[str]) -> None:
        """Learn nothing of what is in hand of these traces: somebody's words on them are being forgotten."""
        self._taken_back.update(trace_ids)
        self.wake()

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            learned = await self.round()
            await self._retry()
            if not learned and await self._wake_event.wait(max(0.05, min(1.0, self._quiet_ms / 2000))):
                await asyncio.sleep(self._quiet_ms / 1000)

    async def round(self) -> int:
        """Learn from all feedback that has come to rest; returns on how many verdicts."""
        marks = await self._database.feedback.pending(now_ms(), self._quiet_ms)
        by_judge = groupby(sorted(marks, key=lambda mark: mark.judge), key=lambda mark: mark.judge)
        for judge, group in by_judge:
            await self._learn(judge, list(group))
        return len(marks)

    async def _retry(self) -> None:
        """Distil again what a memory still waits for, though nobody said anything new; with growing pauses."""
        for judge, memory in self._memories.items():
            if memory.pending and self._not_before.get(judge, 0) <= now_ms():
                await self._learn(judge, [])

    async def _learn(self, judge: str, marks: Sequence[PendingFeedback]) -> None:
        memory = self._memories.get(judge)
        if memory is None:
            await self._postpone(judge, marks, f'the judge "{judge}" is no longer in memalign.toml')
            return
        try:
            changes = [change for mark in marks if (change := await self._gather(mark, memory))]
            await self._teach(judge, memory, changes)
        except MemAlignError as error:
            await self._postpone(judge, marks, str(error))
        except Exception:  # a bug of ours must not stop the other judges
            log.exception("learning for %s failed", judge)
            await self._postpone(judge, marks, "an unexpected error; see the log")

    async def _gather(self, mark: PendingFeedback, memory: JudgeMemory) -> Change | None:
        taken_back = self._taken_back[mark.trace_id]
        stored = await self._database.verdicts.get(mark.verdict_id)
        trace = await self._database.traces.get(mark.trace_id)
        if stored is None or trace is None:
            await self._database.feedback.learned(mark.verdict_id, mark.revision)
            return None
        facts = await self._database.feedback.of(mark.verdict_id)
        persons = {}
        for person, done in facts.items():
            if await self._people.is_bot(person):
                await self._leave_out_bot(stored, person, done)
            else:
                persons[person] = done
        feedback = all_feedback(stored, persons, memory.definition.value_type)
        return Change(
            mark=mark,
            stored=stored,
            trace=taught(trace, mark.judge, feedback),
            feedback=feedback,
            taken_back=taken_back,
        )

    async def _leave_out_bot(self, stored: StoredVerdict, person: str, facts: PersonFeedback) -> None:
        """Take a program's reactions off, so that nobody who counts votes later meets them."""
        for name, mark in facts.reactions.items():
            if mark.value:
                await self._database.feedback.note_reaction(
                    stored.channel, stored.message_ts or "", person, name, live=False, at=mark.at
                )

    async def _teach(self, judge: str, memory: JudgeMemory, changes: Sequence[Change]) -> None:
        changes = [change for change in changes if not self._is_stale(change)]
        labelled = [change.trace for change in changes if change.trace.assessments]
        withdrawn = [
            change.trace.trace_id
            for change in changes
            if not change.trace.assessments and change.trace.trace_id in memory.episodes
        ]
        if withdrawn:
            await memory.distil_again(await memory.forget(withdrawn))
        lesson = await memory.learn(labelled)
        await self._unlearn([change for change in changes if self._is_stale(change)], memory)
        self._note_trouble(judge, lesson)
        for change in [change for change in changes if not self._is_stale(change)]:
            await self._thread_replies.tell(change.stored, change.feedback, lesson, memory)
            await self._settle(change, lesson)

    def _is_stale(self, change: Change) -> bool:
        """Whether what was gathered is being forgotten since."""
        trace_id = change.trace.trace_id
        return trace_id in self._left_out or self._taken_back[trace_id] != change.taken_back

    async def _unlearn(self, stale: Sequence[Change], memory: JudgeMemory) -> None:
        """Forget once more what was forgotten while it was being learned."""
        if stale:
            await memory.distil_again(await memory.forget({change.trace.trace_id for change in stale}))

    def _note_trouble(self, judge: str, lesson: Lesson) -> None:
        self._pause(judge, bool(lesson.pending))
        if lesson.pending:
            self.trouble[judge] = next(iter(lesson.pending.values()))
            log.warning("learning for %s waits: %s", judge, self.trouble[judge])
        else:
            self.trouble.pop(judge, None)

    def _pause(self, judge: str, failed: bool) -> None:
        self._vain[judge] = self._vain[judge] + 1 if failed else 0
        self._not_before[judge] = now_ms() + backoff_ms(self._vain[judge]) if failed else 0

    async def _settle(self, change: Change, lesson: Lesson) -> None:
        mark = change.mark
        if reason := lesson.pending.get(mark.trace_id):
            await self._database.feedback.postpone(
                mark.verdict_id, now_ms() + backoff_ms(mark.attempts), reason
            )
        else:
            await self._database.feedback.learned(mark.verdict_id, mark.revision)

    async def _postpone(self, judge: str, marks: Sequence[PendingFeedback], reason: str) -> None:
        self._pause(judge, failed=True)
        self.trouble[judge] = reason
        log.warning("learning for %s waits: %s", judge, reason)
        for mark in marks:
            await self._database.feedback.postpone(
                mark.verdict_id, now_ms() + backoff_ms(mark.attempts), reason
            )
