"""Learning: pending feedback is gathered, learned by the judge's memory, and told in the thread.

Whatever fails leaves the feedback pending; the next round walks the same path.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from bot.learning.feedback_gatherer import FeedbackGatherer, GatheredFeedback
from bot.learning.thread_updater import ThreadUpdater
from bot.learning.waiting_feedback import WaitingFeedback
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import asked_pause_ms
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.metrics import Metrics
from bot.runtime.wake_event import WakeEvent
from memalign.errors import MemAlignError, StorageError
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline, Lesson
from storage.database import Database
from storage.records import PendingFeedback

log = logging.getLogger(__name__)

COMPONENT = "learning"
NOT_READ = "its reasons are still to be read"
THANKS_SECONDS = 1.0
"""Time after which people are thanked before their reasons are distilled. Set by hand: a lesson that comes sooner
tells them all there is."""
QUIET_SECONDS = 2.0
"""Time that feedback rests before it is learned, so that a thumb and its reason come together."""


class LearningWorker:
    """Brings changed feedback to the judges' memories."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        gatherer: FeedbackGatherer,
        updater: ThreadUpdater,
        health: HealthRegistry,
        metrics: Metrics,
        *,
        reflection_model: str,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._database = database
        self._memories = memories
        self._gatherer = gatherer
        self._updater = updater
        self._health = health
        self._metrics = metrics
        self._model = reflection_model
        self._quiet_ms = int(quiet_seconds * 1000)
        self._wake_event = WakeEvent()
        self._waiting = WaitingFeedback()
        self._in_hand: dict[str, set[str]] = {}
        """Judge that is learning -> the traces that it is learning from."""
        self._remembering: set[str] = set()
        """Judges that are taking in cases without their models."""
        self._remembered: dict[str, int] = {}
        """Verdict -> the revision of its feedback that is remembered and not distilled yet."""
        self._cancelled_traces: set[str] = set()
        self._invalidations: Counter[str] = Counter()

    def wake(self) -> None:
        """Look for changed feedback now."""
        self._wake_event.set()

    def cancel_trace(self, trace_id: str) -> None:
        """Learn no more from a trace that is being forgotten, even if its feedback is being learned now."""
        self._cancelled_traces.add(trace_id)

    def invalidate(self, trace_ids: Collection[str]) -> None:
        """Learn nothing of what is gathered on these traces: a person's words on them are being forgotten."""
        self._invalidations.update(trace_ids)
        self.wake()

    async def run(self) -> None:
        """Learn until cancelled; a judge whose reflection model is slow holds up no other."""
        self._in_hand.clear()
        self._remembering.clear()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._start(tasks)
                if await self._wake_event.wait(max(0.05, min(1.0, self._quiet_ms / 2000))):
                    await asyncio.sleep(self._quiet_ms / 1000)

    async def learn_pending(self) -> int:
        """Learn from all feedback that has come to rest.

        Returns:
            The number of verdicts whose feedback was looked at.
        """
        async with asyncio.TaskGroup() as tasks:
            return await self._start(tasks)

    async def _start(self, tasks: asyncio.TaskGroup) -> int:
        """Start a task for each judge with something to learn, unless it is learning already.

        A judge whose memory waits to distil something again learns although nobody gave new feedback.
        """
        if self._health.work.is_closed:
            return 0
        work: dict[str, list[PendingFeedback]] = {
            judge: []
            for judge, memory in self._memories.items()
            if memory.pending and not self._waiting.is_open(judge)
        }
        for each in self._waiting.due(await self._database.feedback.pending(now_ms(), self._quiet_ms)):
            work.setdefault(each.judge, []).append(each)
        self._report_idle(work)
        looked_at = 0
        for judge, pending in work.items():
            if judge in self._in_hand or self._waiting.is_open(judge):
                new = [each for each in pending if self._is_new(each)]
                if new and judge not in self._remembering:
                    self._remembering.add(judge)
                    tasks.create_task(self._remember_alone(judge, new))
            else:
                self._in_hand[judge] = {each.trace_id for each in pending}
                looked_at += len(pending)
                tasks.create_task(self._learn_alone(judge, pending))
        return looked_at

    def _is_new(self, pending: PendingFeedback) -> bool:
        """Return whether feedback is neither remembered yet nor being learned."""
        return self._remembered.get(
            pending.verdict_id
        ) != pending.revision and pending.trace_id not in self._in_hand.get(pending.judge, ())

    def _report_idle(self, work: Collection[str]) -> None:
        """Report judges well for which nothing waits any more, as after a forget."""
        for judge in self._health.subjects(COMPONENT) - {*work, *self._in_hand}:
            memory = self._memories.get(judge)
            if memory is None or not memory.pending:
                self._health.report(COMPONENT, judge, self._waiting.reason(judge))

    async def _learn_alone(self, judge: str, pending: Sequence[PendingFeedback]) -> None:
        try:
            with self._health.work.doing(COMPONENT, judge, f"learning from feedback with {self._model}"):
                await self._learn(judge, pending)
        finally:
            self._in_hand.pop(judge, None)

    async def _remember_alone(self, judge: str, pending: Sequence[PendingFeedback]) -> None:
        """Take in cases while the judge's models are down or slow, and thank their people."""
        try:
            memory = self._memories.get(judge)
            if memory is not None:
                gathered = [item for each in pending if (item := await self._gather(each, memory))]
                await self._remember(memory, gathered)
        except MemAlignError as error:
            self._wait_for(judge, judge, pending, str(error))
        except Exception:  # a bug must not stop the other judges
            self._wait_for(judge, judge, pending, unexpected(f"remembering cases for {judge}"))
        finally:
            self._remembering.discard(judge)

    async def _remember(self, memory: JudgeMemory, gathered: Sequence[GatheredFeedback]) -> None:
        gathered = [item for item in gathered if not self._is_stale(item)]
        await memory.remember([item.trace for item in gathered if item.trace.assessments])
        await self._forget_again([item for item in gathered if self._is_stale(item)], memory)
        for item in gathered:
            self._remembered[item.pending.verdict_id] = item.pending.revision
            self._waiting.hold(
                item.pending.judge, item.pending, memory.pending.get(item.trace.trace_id, NOT_READ)
            )
        await self._thank(gathered, memory)

    async def _thank(self, gathered: Sequence[GatheredFeedback], memory: JudgeMemory) -> None:
        """Tell the threads of cases that are remembered, and whose reasons are still to be distilled."""
        lesson = Lesson(pending=memory.pending)
        for item in gathered:
            if item.trace.trace_id in lesson.pending and not self._is_stale(item):
                try:
                    await self._updater.tell(item.verdict, item.feedback, lesson)
                except MemAlignError as error:  # the thread is told once its reasons are distilled
                    log.warning("nobody was thanked for feedback on %s: %s", item.trace.trace_id, error)

    async def _thank_if_slow(self, gathered: Sequence[GatheredFeedback], memory: JudgeMemory) -> None:
        await asyncio.sleep(THANKS_SECONDS)
        await self._thank(gathered, memory)

    async def _learn(self, judge: str, pending: Sequence[PendingFeedback]) -> None:
        memory = self._memories.get(judge)
        if memory is None:
            self._wait_for(judge, judge, pending, f'the judge "{judge}" is no longer in memalign.toml')
            return
        gathered = [item for each in pending if (item := await self._gather(each, memory))]
        if pending and not gathered:
            return  # nothing was learned that would end what was reported
        try:
            lesson = await self._teach(memory, gathered)
        except MemAlignError as error:
            self._wait_for(judge, judge, [item.pending for item in gathered], str(error))
        except Exception:  # a bug must not stop the other judges
            reason = unexpected(f"learning for {judge}")
            if len(gathered) < 2:
                self._wait_for(judge, judge, [item.pending for item in gathered], reason)
                return
            for item in gathered:  # one by one, so that only the verdict that fails waits
                await self._learn(judge, [item.pending])
        else:
            self._release(gathered)
            self._report(judge, lesson)
            for item in gathered:
                if not self._is_stale(item):
                    await self._conclude(item, lesson)

    async def _gather(self, pending: PendingFeedback, memory: JudgeMemory) -> GatheredFeedback | None:
        invalidations = self._invalidations[pending.trace_id] + memory.foreign_forgets
        try:
            return await self._gatherer.gather(pending, memory.definition.value_type, invalidations)
        except StorageError:
            raise
        except MemAlignError as error:
            self._wait_alone(pending, str(error))
        except Exception:  # a bug on one verdict must not stop the others
            self._wait_alone(pending, unexpected(f"gathering feedback on {pending.trace_id}"))
        return None

    async def _teach(self, memory: JudgeMemory, gathered: Sequence[GatheredFeedback]) -> Lesson:
        """Let the memory forget what lost all its labels, and learn the rest. Raises `MemAlignError`."""
        gathered = [item for item in gathered if not self._is_stale(item)]
        unlabelled = {item.trace.trace_id for item in gathered if not item.trace.assessments}
        if withdrawn := {
            name for name in unlabelled if name in memory.episodes or name in memory.state.rolled_back
        }:
            await memory.withdraw(withdrawn)
        thanks = asyncio.create_task(self._thank_if_slow(gathered, memory))
        try:
            labelled = [item for item in gathered if item.trace.assessments and not self._is_stale(item)]
            lesson = await memory.learn([item.trace for item in labelled])
        finally:
            thanks.cancel()
            await asyncio.wait([thanks])
        await self._forget_again([item for item in gathered if self._is_stale(item)], memory)
        return lesson

    def _release(self, gathered: Sequence[GatheredFeedback]) -> None:
        """Note that the models were asked about this feedback."""
        self._waiting.release([item.pending for item in gathered])
        for item in gathered:
            self._remembered.pop(item.pending.verdict_id, None)

    def _is_stale(self, item: GatheredFeedback) -> bool:
        """Return whether the feedback, or a part of it, is being forgotten since it was gathered."""
        trace_id, memory = item.trace.trace_id, self._memories.get(item.pending.judge)
        invalidations = self._invalidations[trace_id] + (memory.foreign_forgets if memory else 0)
        return trace_id in self._cancelled_traces or invalidations != item.invalidations

    async def _forget_again(self, stale: Sequence[GatheredFeedback], memory: JudgeMemory) -> None:
        """Forget once more what was forgotten while it was being learned."""
        traces = {item.trace.trace_id for item in stale}
        if cancelled := traces & self._cancelled_traces:
            await memory.forget(cancelled)
        if invalidated := traces - self._cancelled_traces:
            await memory.withdraw(invalidated)

    def _report(self, judge: str, lesson: Lesson) -> None:
        """Report what the memory still waits for, or that it waits for nothing."""
        self._metrics.count_lesson(judge, lesson)
        if lesson.learned:
            log_activity(
                log,
                "lesson learned",
                judge=judge,
                traces=len(lesson.learned),
                guidelines_added=_ids(lesson.added),
                guidelines_retired=_ids(lesson.retired),
                guidelines_doubted=_ids(lesson.doubted),
            )
        reason = next(iter(lesson.pending.values()), None)
        self._health.report(COMPONENT, judge, reason or self._waiting.reason(judge))
        if reason is None:
            self._waiting.record_success(judge)
        else:
            self._waiting.record_failure(judge, at_least_ms=asked_pause_ms(lesson.retry_after))
            log.warning("learning for %s waits: %s", judge, reason)

    async def _conclude(self, item: GatheredFeedback, lesson: Lesson) -> None:
        """Tell the thread, and take the feedback off the list unless the memory waits for its model."""
        pending = item.pending
        try:
            await self._updater.tell(item.verdict, item.feedback, lesson)
        except MemAlignError as error:
            self._wait_alone(pending, str(error))
        except Exception:  # a bug on one thread must not stop the others
            self._wait_alone(pending, unexpected(f"telling the thread of {pending.trace_id}"))
        else:
            if reason := lesson.pending.get(pending.trace_id):
                self._waiting.hold(pending.judge, pending, reason)
                return
            await self._database.feedback.learned(pending.verdict_id, pending.revision)
            self._waiting.settle(pending)
            votes = sum(each.vote is not None for each in item.feedback)
            log_activity(log, "votes counted", judge=pending.judge, trace_id=pending.trace_id, votes=votes)

    def _wait_alone(self, pending: PendingFeedback, reason: str) -> None:
        """Try feedback on one verdict again later, whatever becomes of the others."""
        self._wait_for(pending.verdict_id, pending.judge, [pending], reason)

    def _wait_for(self, circuit: str, judge: str, pending: Sequence[PendingFeedback], reason: str) -> None:
        self._waiting.record_failure(circuit, pending, reason)
        self._health.report(COMPONENT, judge, reason)
        log.warning("learning for %s waits: %s", judge, reason)


def _ids(rules: Sequence[Guideline]) -> str | None:
    return ",".join(rule.id for rule in rules) or None
