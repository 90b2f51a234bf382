"""A trace on its way to a card: waiting -> judged -> stored with its card in the outbox."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from bot.config import JudgeSettings, Settings
from bot.runtime.circuit_breaker import LONGEST_MS, CircuitBreaker
from bot.runtime.clock import backoff_ms, day_of, now_ms
from bot.runtime.wake_event import WakeEvent
from memalign.errors import (
    InputError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
)
from memalign.judge_memory import JudgeMemory
from memalign.records import Trace
from storage.database import Database
from storage.records import Job

log = logging.getLogger(__name__)


def is_sampled(trace_id: str, judge: str, rate: float) -> bool:
    """Whether a judge sees a trace: the same answer for the same trace, also after a restart."""
    digest = hashlib.sha256(f"{judge}\0{trace_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < rate * 2**64


def judges_for(trace: Trace, settings: Settings) -> tuple[str, ...]:
    """The judges that shall judge a trace: those it names, else all, sampled."""
    names = trace.judges or tuple(judge.name for judge in settings.judges)
    return tuple(name for name in names if is_sampled(trace.trace_id, name, settings.sampling.rate))


class Intake:
    """Takes waiting traces from the store, judges them, and hands their cards to the outbox."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        wake_outbox: Callable[[], None],
        *,
        workers: int,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._wake_outbox = wake_outbox
        self._workers = workers
        self._wake_event = WakeEvent()
        self._reserved: Counter[str] = Counter()
        self._in_hand: set[tuple[str, str]] = set()
        self._pauses = CircuitBreaker()
        self._tried: set[str] = set()
        """Judges that are down, and of which one trace is judged to see whether they are back."""
        self.trouble: dict[str, str] = {}
        """Judge -> why its last verdict failed."""

    def wake(self) -> None:
        """There are new traces."""
        self._wake_event.set()

    def objection(self, trace: Trace) -> str | None:
        """Why none of the judges meant for a trace can judge it; None when one can."""
        reasons = []
        for name in trace.judges or self._memories:
            try:
                self._memories[name].definition.select_fields(trace)
            except InputError as error:
                reasons.append(str(error))
            else:
                return None
        return reasons[0]

    async def run(self) -> None:
        """Judge until cancelled."""
        async with asyncio.TaskGroup() as workers:
            while True:
                free = self._workers - len(self._in_hand)
                jobs = await self._database.traces.next_jobs(now_ms(), self._workers) if free > 0 else []
                for job in [job for job in jobs if (job.trace_id, job.judge) not in self._in_hand][:free]:
                    self._in_hand.add((job.trace_id, job.judge))
                    workers.create_task(self._work(job))
                await self._wake_event.wait(1)

    async def _work(self, job: Job) -> None:
        try:
            if self._pauses.is_open(job.judge) or job.judge in self._tried:
                await self._put_off(job)
            elif self._pauses.is_half_open(job.judge):
                await self._try(job)
            else:
                await self._judge(job)
        except RequestRefusedError as error:
            await self._postpone(job, str(error))
        except (ModelUnavailableError, ModelRefusedError) as error:
            self._pauses.fail(job.judge)
            await self._postpone(job, str(error))
        except ModelError as error:
            await self._postpone(job, str(error))
        except InputError as error:  # waiting would not give the trace what it lacks
            log.warning("not judged: %s", error)
            await self._database.traces.drop_job(job.trace_id, job.judge)
        except Exception:  # a bug of ours must not stop the other traces
            log.exception("judging trace %s by %s failed", job.trace_id, job.judge)
            await self._postpone(job, "an unexpected error; see the log")
        finally:
            self._in_hand.discard((job.trace_id, job.judge))
            self._wake_event.set()

    async def _try(self, job: Job) -> None:
        """Judge this trace alone: a model that hangs shall not hold up those that work for other judges."""
        self._tried.add(job.judge)
        try:
            await self._judge(job)
        finally:
            self._tried.discard(job.judge)

    async def _postpone(self, job: Job, reason: str) -> None:
        self.trouble[job.judge] = reason
        log.warning("trace %s waits for %s: %s", job.trace_id, job.judge, reason)
        not_before = max(now_ms() + backoff_ms(job.attempts), self._pauses.until(job.judge))
        await self._database.traces.postpone(job.trace_id, job.judge, not_before, reason)

    async def _put_off(self, job: Job) -> None:
        """The model is down: it is not asked for every trace that waits."""
        reason = self.trouble.get(job.judge, "its model is not available")
        # where one trace is being tried, the others come back when it has succeeded
        not_before = self._pauses.until(job.judge) if job.judge not in self._tried else now_ms() + LONGEST_MS
        await self._database.traces.postpone(job.trace_id, job.judge, not_before, reason)
        if not self._pauses.is_half_open(
            job.judge
        ):  # it came back meanwhile, and called those that waited before this
            await self._database.traces.hasten(job.judge)

    async def _judge(self, job: Job) -> None:
        trace = await self._database.traces.get(job.trace_id)
        judge = next((one for one in self._settings.judges if one.name == job.judge), None)
        if trace is None or judge is None:
            await self._database.traces.drop_job(job.trace_id, job.judge)
            return
        day = day_of(now_ms(), self._settings.digest.zone)
        shown = await self._database.verdicts.shown_on(judge.channel, day)
        if shown + self._reserved[judge.channel] >= self._settings.sampling.max_per_day:
            await self._database.traces.drop_job(job.trace_id, job.judge)
            return
        self._reserved[judge.channel] += 1
        try:
            await self._judge_within_cap(trace, judge, day)
        finally:
            self._reserved[judge.channel] -= 1

    async def _judge_within_cap(self, trace: Trace, judge: JudgeSettings, day: str) -> None:
        verdict = await self._memories[judge.name].judge(trace)
        if self._pauses.recover(judge.name):
            await self._database.traces.hasten(judge.name)
        await self._database.verdicts.keep(verdict, channel=judge.channel, judged_ms=now_ms(), day=day)
        self.trouble.pop(judge.name, None)
        self._wake_outbox()
