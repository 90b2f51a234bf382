"""Judging: a waiting trace is judged, and its verdict stored together with its card in the outbox."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from bot.config import JudgeSettings, Settings
from bot.judging.blind_cards import BlindCards
from bot.judging.daily_cap import DailyCap
from bot.judging.sampling import selection_at_rate
from bot.judging.shadow_judges import ShadowJudges, ShadowValue
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from memalign.errors import (
    ContentRefusedError,
    InputError,
    MemAlignError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.judge_memory import JudgeMemory
from memalign.records import Trace, Verdict
from storage.database import Database
from storage.records import Job

log = logging.getLogger(__name__)

COMPONENT = "judging"
MAX_REFUSALS = 2
"""Times that a model may refuse a trace before it is given up."""


class JudgingWorker:
    """Takes waiting traces from the store, judges them, and hands their cards to the outbox."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        shadows: ShadowJudges,
        health: HealthRegistry,
        wake_posting: Callable[[], None],
        cap: DailyCap,
        breaker: CircuitBreaker,
        blind_cards: BlindCards,
        *,
        concurrency: int,
        renamed_perhaps: Collection[str] = (),
    ) -> None:
        """Judge `concurrency` traces at a time; those of judges that may have another name now go on waiting.

        `breaker` spares the judges' models, whoever asks them.
        """
        self._settings = settings
        self._database = database
        self._memories = memories
        self._shadows = shadows
        self._health = health
        self._wake_posting = wake_posting
        self._concurrency = concurrency
        self._renamed_perhaps = renamed_perhaps
        self._wake_event = WakeEvent()
        self._cap = cap
        self._breaker = breaker
        self._blind_cards = blind_cards
        self._in_hand: set[tuple[str, str]] = set()
        """Trace and judge of each job that is being done."""
        self._answers: Counter[str] = Counter()
        """Judge -> verdicts that its model gave since the start."""
        self._answers_at_failure: dict[tuple[str, str], int] = {}
        """Trace and judge -> that number when the model failed at the trace last."""
        self._has_started = False

    def wake(self) -> None:
        """Look for new traces now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Judge until cancelled."""
        self._in_hand.clear()
        if not self._has_started:  # the model, or its filter, may have been changed
            await self._database.traces.retry_refused()
            self._has_started = True
        async with asyncio.TaskGroup() as tasks:
            while True:
                for job in await self._next_jobs():
                    self._in_hand.add((job.trace_id, job.judge))
                    tasks.create_task(self._work(job))
                await self._wake_event.wait(1)

    async def _next_jobs(self) -> list[Job]:
        """Return the oldest jobs for which their judge, and the process, have a worker left."""
        free = self._concurrency - len(self._in_hand)
        if free <= 0:
            return []
        paused = await self._database.preferences.pauses()
        limits = {
            judge.name: 0 if judge.name in paused else self._limit(judge.name)
            for judge in self._settings.judges
        }
        limits |= dict.fromkeys(self._renamed_perhaps, 0)
        room = Counter(limits)
        room.subtract(Counter(judge for _, judge in self._in_hand))
        jobs = []
        for job in await self._database.traces.next_jobs_by_judge(now_ms(), limits):
            if (job.trace_id, job.judge) not in self._in_hand and (
                room[job.judge] > 0 or job.judge not in limits
            ):
                room[job.judge] -= 1
                jobs.append(job)
        return jobs[:free]

    def _limit(self, judge: str) -> int:
        """Return how many traces a judge may have in hand: none while its model is spared, then one probe.

        Of several judges each has half of the workers at most, so that one whose model hangs holds up no other.
        """
        if self._breaker.is_open(judge):
            return 0
        if self._breaker.is_half_open(judge):
            return 1
        return self._concurrency if len(self._settings.judges) == 1 else max(1, self._concurrency // 2)

    async def _work(self, job: Job) -> None:
        try:
            await self._judge(job)
        except ContentRefusedError as error:
            await self._wait_or_give_up(job, error)
        except (RequestRefusedError, RequestFailedError) as error:
            if self._fails_alone(job, error):
                await self._wait_or_give_up(job, error)
            else:
                await self._wait_for_model(job, error)
        except (ModelUnavailableError, ModelRefusedError) as error:
            await self._wait_for_model(job, error)
        except InputError as error:  # waiting would not give the trace what it lacks
            log.warning("not judged: %s", error)
            await self._database.traces.drop_job(job.trace_id, job.judge)
        except MemAlignError as error:
            await self._report_and_postpone(job, str(error))
        except Exception:  # a bug on one trace must not stop the others
            await self._report_and_postpone(job, unexpected(f"judging trace {job.trace_id} by {job.judge}"))
        finally:
            self._in_hand.discard((job.trace_id, job.judge))
            self._wake_event.set()

    def _fails_alone(self, job: Job, error: ModelError) -> bool:
        """Return whether the trace is at fault, since the model answered others.

        A model that failed, and so may be down, must have answered one since.
        """
        answers = self._answers[job.judge]
        if isinstance(error, RequestRefusedError):
            return answers > 0
        return answers > self._answers_at_failure.get((job.trace_id, job.judge), answers)

    async def _wait_or_give_up(self, job: Job, error: ModelError) -> None:
        """Put off a trace that is at fault itself, for growing pauses; the others go on.

        One that the model refuses a second time is given up until the next start.
        """
        refusals = job.refusals + isinstance(error, RequestRefusedError)
        job = replace(job, own_failures=job.own_failures + 1, refusals=refusals)
        reason = error.blame if isinstance(error, RequestFailedError) else str(error)
        if refusals < MAX_REFUSALS:
            await self._report_and_postpone(job, reason)
            return
        log.warning("trace %s is given up by %s: %s", job.trace_id, job.judge, reason)
        await self._database.traces.give_up(job, reason)
        self._health.report(COMPONENT, job.judge, None)

    async def _wait_for_model(self, job: Job, error: ModelError) -> None:
        """Spare the judge's model for a while. Where this trace may be at fault, another one is tried first then."""
        asked_ms = asked_pause_ms(error.retry_after) if isinstance(error, ModelUnavailableError) else 0
        self._breaker.record_failure(job.judge, asked_ms)
        is_suspect = isinstance(error, RequestRefusedError | RequestFailedError)
        self._answers_at_failure[job.trace_id, job.judge] = self._answers[job.judge]
        await self._report_and_postpone(job, str(error), backoff_ms(job.attempts) if is_suspect else 0)

    async def _report_and_postpone(self, job: Job, reason: str, behind_others_ms: int = 0) -> None:
        self._health.report(COMPONENT, job.judge, reason)
        log.warning("trace %s waits for %s: %s", job.trace_id, job.judge, reason)
        not_before = max(now_ms() + backoff_ms(job.attempts), self._breaker.open_until_ms(job.judge))
        await self._database.traces.postpone(
            job.trace_id,
            job.judge,
            not_before + behind_others_ms,
            reason,
            own_failures=job.own_failures,
            refusals=job.refusals,
        )

    async def _judge(self, job: Job) -> None:
        trace = await self._database.traces.get(job.trace_id)
        judge = self._settings.find_judge(job.judge)
        if trace is None or judge is None:
            await self._database.traces.drop_job(job.trace_id, job.judge)
            return
        async with self._cap.place(judge, now_ms()) as place:
            if place is None:
                await self._database.verdicts.drop_job(job.trace_id, job.judge)
            else:
                await self._judge_within_cap(trace, judge, place.day)

    async def _judge_within_cap(self, trace: Trace, judge: JudgeSettings, day: str) -> None:
        is_answering = asyncio.Event()
        if self._breaker.is_closed(judge.name):
            is_answering.set()
        shadows = asyncio.create_task(self._shadow_values(judge, trace, is_answering))
        try:
            with self._health.work.doing(COMPONENT, judge.name, f"judging a trace with {judge.model}"):
                verdict = await self._memories[judge.name].judge(trace)
            is_answering.set()
            await self._note_answer(judge, trace)
            is_kept = await self._keep(verdict, judge, trace, day, await shadows)
        finally:
            shadows.cancel()
        self._health.report(COMPONENT, judge.name, None)
        event = (
            "trace judged" if is_kept else "trace judged in vain: it was judged or forgotten, or has grown"
        )
        log_activity(log, event, judge=judge.name, trace_id=trace.trace_id)
        self._wake_posting()

    async def _shadow_values(
        self, judge: JudgeSettings, trace: Trace, is_answering: asyncio.Event
    ) -> tuple[ShadowValue, ...]:
        """Ask the judge's other memories, once its model answers: probes of one that is down use up no calls."""
        await is_answering.wait()
        return await self._shadows.values(judge.name, trace)

    async def _note_answer(self, judge: JudgeSettings, trace: Trace) -> None:
        """Note that a judge's model answers, and let go of what waits for it."""
        self._answers[judge.name] += 1
        self._answers_at_failure.pop((trace.trace_id, judge.name), None)
        if self._breaker.record_success(judge.name):
            await self._database.traces.release_now(judge.name)

    async def _keep(
        self, verdict: Verdict, judge: JudgeSettings, trace: Trace, day: str, shadows: Sequence[ShadowValue]
    ) -> bool:
        return await self._database.verdicts.keep(
            verdict,
            channel=judge.channel,
            judged_ms=now_ms(),
            day=day,
            is_blind=await self._blind_cards.includes(judge, trace.trace_id),
            selection=selection_at_rate(self._settings.rate_of(judge)),
            shadows=tuple(each.beside(verdict.value) for each in shadows),
            resembles_case=await self._memories[judge.name].neighbourhoods.has_copy(trace),
            judged_trace=trace,
        )
