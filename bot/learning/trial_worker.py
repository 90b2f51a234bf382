"""Trials: guidelines that were just learned are tried on earlier cases before the judges use them.

What is still to be tried is known from the memories, so that a restart finds it again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.trial.call_budget import CallBudget
from memalign.trial.guideline_trials import BUDGET_USED_UP, TrialReport

log = logging.getLogger(__name__)

COMPONENT = "trying rules"
LOOK_SECONDS = 1.0
"""Longest time between two looks for guidelines that are to be tried."""
LONGEST_PAUSE_MS = 600_000
"""Longest pause before guidelines are looked at again that could not be tried: ten minutes. Set by hand."""


class TrialWorker:
    """Tries the judges' new guidelines; one judge whose model is slow holds up no other."""

    def __init__(
        self,
        memories: Mapping[str, JudgeMemory],
        budget: CallBudget,
        health: HealthRegistry,
        wake_threads: Callable[[], None],
    ) -> None:
        self._memories = memories
        self._budget = budget
        self._health = health
        self._wake_threads = wake_threads
        self._wake_event = WakeEvent()
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._in_hand: set[str] = set()
        """Judges whose guidelines are being tried."""
        self._left: dict[str, frozenset[str]] = {}
        """Judge -> ids of the guidelines that could not be tried; they wait until its circuit is closed again."""

    def wake(self) -> None:
        """Look for new guidelines now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Try guidelines until cancelled."""
        self._in_hand.clear()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._start(tasks)
                await self._wake_event.wait(LOOK_SECONDS)

    async def try_due(self) -> None:
        """Try all guidelines that are due now."""
        async with asyncio.TaskGroup() as tasks:
            self._start(tasks)

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        """Start a task for each judge with guidelines to be tried, unless it has one already."""
        for judge, memory in self._memories.items():
            due = frozenset(rule.id for rule in memory.trials.due)
            if not due and judge in self._left:
                self._settle(judge)
            is_new = bool(due - self._left.get(judge, frozenset()))
            if due and judge not in self._in_hand and (is_new or not self._breaker.is_open(judge)):
                self._in_hand.add(judge)
                tasks.create_task(self._try_alone(judge, memory))

    async def _try_alone(self, judge: str, memory: JudgeMemory) -> None:
        due = frozenset(rule.id for rule in memory.trials.due)
        try:
            report = await memory.trials.run(self._budget)
        except MemAlignError as error:
            self._wait(judge, due, str(error))
        except Exception:  # a bug must not stop the other judges
            self._wait(judge, due, unexpected(f"trying guidelines of {judge}"))
        else:
            self._note(judge, report)
        finally:
            self._in_hand.discard(judge)

    def _note(self, judge: str, report: TrialReport) -> None:
        for rule in report.settled:
            trial = rule.trial
            log_activity(
                log,
                "guideline tried",
                judge=judge,
                guideline=rule.id,
                state=rule.state,
                cases=trial.tried if trial else 0,
                fixed=trial.fixed if trial else 0,
                broke=trial.broke if trial else 0,
            )
        if report.settled:
            self._wake_threads()
        if not report.left:
            self._settle(judge)
            return
        failures = [reason for reason in report.left.values() if reason != BUDGET_USED_UP]
        self._wait(judge, frozenset(report.left), next(iter(failures), None), report.retry_after)

    def _wait(self, judge: str, left: frozenset[str], reason: str | None, retry_after: float = 0.0) -> None:
        """Leave guidelines for later; it is no problem where only the day's calls are used up."""
        self._left[judge] = left
        self._breaker.record_failure(judge, asked_pause_ms(retry_after))
        told = None if reason is None else f"new rules wait to be tried: {reason}"
        self._health.report(COMPONENT, judge, told)
        if told:
            log.warning("%s: %s", judge, told)

    def _settle(self, judge: str) -> None:
        self._left.pop(judge, None)
        self._breaker.record_success(judge)
        self._health.report(COMPONENT, judge, None)
