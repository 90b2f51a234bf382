"""Judging for labels: a trace that people labelled in a tracing tool is judged without a card, so that it teaches."""

import asyncio
import logging
from collections.abc import Mapping

from bot.config import JudgeSettings, Settings
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import (
    ContentRefusedError,
    InputError,
    MemAlignError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    StorageError,
)
from memalign.judge_memory import JudgeMemory
from memalign.trial.call_budget import CallBudget
from storage.database import Database
from storage.records import Job

log = logging.getLogger(__name__)

COMPONENT = "judging for labels"
LOOK_SECONDS = 1.0
JOBS_PER_LOOK = 200
NO_CALLS_MS = 10 * 60 * 1000
"""Pause after which it is looked again whether the day has model calls left."""
NO_CALLS = (
    "answers given in a tracing tool wait, since the model calls of the day are used up; "
    "they go on tomorrow, or raise [sampling] max_model_calls_per_day"
)


class LabelWorker:
    """Takes labelled traces one by one: they come behind those that are shown."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        budget: CallBudget,
        breaker: CircuitBreaker,
        health: HealthRegistry,
    ) -> None:
        """Take the model calls of a day for this, and the breaker that spares the judges' models."""
        self._settings = settings
        self._database = database
        self._memories = memories
        self._budget = budget
        self._breaker = breaker
        self._health = health

    async def run(self) -> None:
        """Judge until cancelled."""
        await self._database.label_jobs.retry_refused()  # the model, or its filter, may have been changed
        while True:
            await self.work_off()
            await asyncio.sleep(LOOK_SECONDS)

    async def work_off(self) -> None:
        """Judge what is due. Raises `StorageError`."""
        while jobs := await self._database.label_jobs.due(now_ms(), JOBS_PER_LOOK):
            paused = await self._database.preferences.pauses()
            working = [
                job for job in jobs if job.judge not in paused and not self._breaker.is_open(job.judge)
            ]
            for job in working:
                await self._work(job)
            if len(working) < len(jobs):
                return

    async def _work(self, job: Job) -> None:
        try:
            await self._judge(job)
        except StorageError:
            raise
        except (ContentRefusedError, RequestRefusedError) as error:
            log.warning("labelled trace %s is given up by %s: %s", job.trace_id, job.judge, error)
            await self._database.label_jobs.give_up(job, str(error))
        except InputError as error:  # waiting would not give the trace what it lacks
            log.warning("not judged: %s", error)
            await self._database.label_jobs.give_up(job, str(error))
        except (ModelUnavailableError, ModelRefusedError) as error:
            asked_ms = asked_pause_ms(error.retry_after) if isinstance(error, ModelUnavailableError) else 0
            self._breaker.record_failure(job.judge, asked_ms)
            await self._postpone(job, str(error), backoff_ms(job.attempts))
        except MemAlignError as error:
            await self._postpone(job, str(error), backoff_ms(job.attempts))
        except Exception:  # a bug on one trace must not stop the others
            reason = unexpected(f"judging trace {job.trace_id} by {job.judge}")
            await self._postpone(job, reason, backoff_ms(job.attempts))

    async def _judge(self, job: Job) -> None:
        trace = await self._database.traces.get(job.trace_id)
        judge = self._settings.find_judge(job.judge)
        if trace is None or judge is None:
            await self._database.label_jobs.drop(job)
        elif not await self._may_ask(judge):
            await self._postpone(job, NO_CALLS, NO_CALLS_MS)
        else:
            memory = self._memories[judge.name]
            verdict = await memory.judge(trace)
            await self._database.label_jobs.judged(
                job,
                verdict,
                channel=judge.channel,
                judged_ms=now_ms(),
                resembles_case=await memory.neighbourhoods.has_copy(trace),
            )
            if self._breaker.record_success(judge.name):
                await self._database.traces.release_now(judge.name)
            self._health.report(COMPONENT, judge.name, None)
            log_activity(log, "labelled trace judged", judge=judge.name, trace_id=trace.trace_id)

    async def _may_ask(self, judge: JudgeSettings) -> bool:
        """Return whether the day has a model call left; a model fitted to cases runs here, and costs nothing."""
        is_paid = self._memories[judge.name].definition.reads_guidelines
        return not is_paid or bool(await self._budget.take(1))

    async def _postpone(self, job: Job, reason: str, pause_ms: int) -> None:
        self._health.report(COMPONENT, job.judge, reason)
        log.warning("labelled trace %s waits for %s: %s", job.trace_id, job.judge, reason)
        await self._database.label_jobs.postpone(job, now_ms() + pause_ms, reason)
