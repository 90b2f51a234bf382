"""Feedback on its way to a lesson: gathered -> learned by the judge's memory -> told in the thread.

Whatever fails leaves the feedback unlearned; the next round walks the same path.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.audit import GuidelineWatch
from bot.clock import now_ms, pause_ms
from bot.feedback import all_feedback, taught
from bot.people import People
from bot.tidings import Messenger
from memalign.errors import MemAlignError
from memalign.memory import Memory
from memalign.records import Feedback, Lesson, Trace
from storage.database import Database
from storage.records import PersonFacts, StoredVerdict, Unlearned

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Feedback on one verdict that the memory has not seen yet."""

    mark: Unlearned
    stored: StoredVerdict
    trace: Trace
    """With people's labels on it; without any, what was learned from it is taken back."""
    feedback: tuple[Feedback, ...]


class Learning:
    """Brings changed feedback to the judges' memories."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, Memory],
        people: People,
        messenger: Messenger,
        *,
        quiet_seconds: float = 2.0,
    ) -> None:
        """`quiet_seconds`: how long feedback must rest, so that a thumb and its reason come together."""
        self._database = database
        self._memories = memories
        self._people = people
        self._messenger = messenger
        self._quiet_ms = int(quiet_seconds * 1000)
        self._wake = asyncio.Event()
        self._left_out: set[str] = set()
        self.trouble: dict[str, str] = {}
        """Judge -> why learning waits."""

    def wake(self) -> None:
        """Feedback has changed."""
        self._wake.set()

    def leave_out(self, trace_id: str) -> None:
        """Learn no more from a trace, also where its feedback is already in hand: it is being forgotten."""
        self._left_out.add(trace_id)

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            self._wake.clear()
            learned = await self.round()
            if not learned:
                await self._nap()

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(max(0.05, min(1.0, self._quiet_ms / 2000))):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._quiet_ms / 1000)

    async def round(self) -> int:
        """Learn from all feedback that has come to rest; returns on how many verdicts."""
        marks = await self._database.feedback.unlearned(now_ms(), self._quiet_ms)
        by_judge = groupby(sorted(marks, key=lambda mark: mark.judge), key=lambda mark: mark.judge)
        for judge, group in by_judge:
            await self._learn(judge, list(group))
        return len(marks)

    async def _learn(self, judge: str, marks: Sequence[Unlearned]) -> None:
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

    async def _gather(self, mark: Unlearned, memory: Memory) -> Change | None:
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
        return Change(mark=mark, stored=stored, trace=taught(trace, mark.judge, feedback), feedback=feedback)

    async def _leave_out_bot(self, stored: StoredVerdict, person: str, facts: PersonFacts) -> None:
        """Take a program's reactions off, so that nobody who counts votes later meets them."""
        for name, mark in facts.reactions.items():
            if mark.value:
                await self._database.feedback.note_reaction(
                    stored.channel, stored.message_ts or "", person, name, live=False, at=mark.at
                )

    async def _teach(self, judge: str, memory: Memory, changes: Sequence[Change]) -> None:
        changes = [change for change in changes if change.trace.trace_id not in self._left_out]
        labelled = [change.trace for change in changes if change.trace.assessments]
        withdrawn = [
            change.trace.trace_id
            for change in changes
            if not change.trace.assessments and change.trace.trace_id in memory.episodes
        ]
        watch = GuidelineWatch(self._database.journal, memory)
        if withdrawn:
            await memory.forget(withdrawn)
        lesson = await memory.learn(labelled)
        if forgotten := self._left_out & {trace.trace_id for trace in labelled}:
            await memory.forget(forgotten)
        self._note_trouble(judge, lesson)
        await watch.note()
        for change in changes:
            await self._messenger.tell(change.stored, change.feedback, lesson, memory)
            await self._settle(change, lesson)

    def _note_trouble(self, judge: str, lesson: Lesson) -> None:
        if lesson.pending:
            self.trouble[judge] = next(iter(lesson.pending.values()))
            log.warning("learning for %s waits: %s", judge, self.trouble[judge])
        else:
            self.trouble.pop(judge, None)

    async def _settle(self, change: Change, lesson: Lesson) -> None:
        mark = change.mark
        if reason := lesson.pending.get(mark.trace_id):
            await self._database.feedback.postpone(
                mark.verdict_id, now_ms() + pause_ms(mark.attempts), reason
            )
        else:
            await self._database.feedback.learned(mark.verdict_id, mark.revision)

    async def _postpone(self, judge: str, marks: Sequence[Unlearned], reason: str) -> None:
        self.trouble[judge] = reason
        log.warning("learning for %s waits: %s", judge, reason)
        for mark in marks:
            await self._database.feedback.postpone(
                mark.verdict_id, now_ms() + pause_ms(mark.attempts), reason
            )
