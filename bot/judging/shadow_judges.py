"""Shadow verdicts: the values of a judge without memory, and with last week's, beside the one that people are shown.

They are asked for before anybody can answer, so that what people say then tells whether the judge has learned.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass

from bot.judging.last_week import LastWeek
from bot.runtime.health import unexpected
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.memory.state import MemoryState
from memalign.records import Label, Trace, Verdict
from memalign.trial.call_budget import CallBudget
from storage.records import ShadowKind, ShadowVerdict

log = logging.getLogger(__name__)

SHADOW_SECONDS = 30.0
"""Longest time that a card waits for another memory's value. Set by hand: most models answer in a third of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowValue:
    """A value of another memory on a trace whose own verdict may still be on its way."""

    kind: ShadowKind
    value: Label | None
    """None: the verdict's own, since both memories hold the same."""
    version: int = 0

    def beside(self, shown: Label) -> ShadowVerdict:
        """Return it as it is stored with a verdict."""
        value = shown if self.value is None else self.value
        return ShadowVerdict(kind=self.kind, value=value, version=self.version)


ShadowValues = Callable[[str, Trace, ShadowVerdict | None], Awaitable[tuple[ShadowValue, ...]]]
"""Asks a judge, by its name, for its other memories' values on a trace, as `ShadowJudges.values`."""


class ShadowJudges:
    """Asks the other memories of each judge, as long as there are model calls left for it."""

    def __init__(
        self,
        memories: Mapping[str, JudgeMemory],
        last_weeks: LastWeek,
        shadow_budget: CallBudget,
        opinion_budget: CallBudget,
        *,
        seconds: float = SHADOW_SECONDS,
    ) -> None:
        """Take the judges' memories, those of last week, and the calls for shadows and for second opinions."""
        self._memories = memories
        self._last_weeks = last_weeks
        self._shadow_budget = shadow_budget
        self._opinion_budget = opinion_budget
        self._seconds = seconds

    async def values(
        self, judge: str, trace: Trace, base: ShadowVerdict | None = None
    ) -> tuple[ShadowValue, ...]:
        """Return the values of the other memories, as far as they can be had; nothing here fails.

        There are none of free texts: two that mean the same are hardly ever equal, so that nobody could compare them.

        Args:
            judge: the judge's name.
            trace: the trace.
            base: the value of the judge without memory, where it is known already.
        """
        if _gives_free_texts(self._memories[judge]):
            return ()
        async with asyncio.TaskGroup() as tasks:
            known = None if base is None else ShadowValue(kind="base", value=base.value)
            without = tasks.create_task(self._base(judge, trace, known))
            last_week = tasks.create_task(self._within_time(judge, self._last_week(judge, trace, without)))
        return tuple(value for task in (without, last_week) if (value := task.result()) is not None)

    async def base_value(self, judge: str, trace: Trace) -> ShadowVerdict | None:
        """Return the value of the judge without memory as a second opinion.

        None where it is no other one, cannot tell or fails, of free texts, or where no calls are left.
        """
        memory = self._memories[judge]
        if _gives_free_texts(memory) or _is_empty(memory.state) or not memory.definition.reads_guidelines:
            return None
        asking = self._ask_base(memory, trace, self._opinion_budget)
        value = await self._within_time(judge, asking)
        return None if value is None or value.value is None else value.beside(value.value)

    async def _base(self, judge: str, trace: Trace, known: ShadowValue | None) -> ShadowValue | None:
        memory = self._memories[judge]
        if known is not None:
            return known
        if not memory.definition.reads_guidelines:
            return None  # it judges by cases alone, and could only guess
        if _is_empty(memory.state):
            return ShadowValue(kind="base", value=None)
        return await self._within_time(judge, self._ask_base(memory, trace, self._shadow_budget))

    async def _ask_base(self, memory: JudgeMemory, trace: Trace, budget: CallBudget) -> ShadowValue | None:
        if not await budget.take(1):
            return None
        verdict = await memory.other_judges.judge_without_memory(trace)
        return ShadowValue(kind="base", value=verdict.value)

    async def _last_week(
        self, judge: str, trace: Trace, without: asyncio.Task[ShadowValue | None]
    ) -> ShadowValue | None:
        number = await self._last_weeks.number(judge)
        if await self._last_weeks.is_current(judge, number):
            if _only_guesses(self._memories[judge]):
                return None
            return ShadowValue(kind="last_week", value=None, version=number)
        opened = await self._last_weeks.open(judge, number)
        if _is_empty(opened.state):
            # its own time limit ends it, not that of this value
            base = await asyncio.shield(without)
            return None if base is None else ShadowValue(kind="last_week", value=base.value, version=number)
        # a model fitted to cases runs here, and costs nothing
        is_paid = self._memories[judge].definition.reads_guidelines
        if is_paid and not await self._shadow_budget.take(1):
            return None
        verdict: Verdict | None = await opened.judge(trace)
        return None if verdict is None else ShadowValue(kind="last_week", value=verdict.value, version=number)

    async def _within_time(
        self, judge: str, work: Coroutine[None, None, ShadowValue | None]
    ) -> ShadowValue | None:
        """Return what comes of it; None where it fails or takes too long, which is no reason to lose the card."""
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except TimeoutError:
            log.info("%s: another memory's verdict took longer than %.0f s", judge, self._seconds)
        except MemAlignError as error:
            log.info("%s: no verdict of another memory: %s", judge, error)
        except Exception:  # a bug here must not cost people their card
            unexpected(f"asking another memory of {judge}")
        return None


def _gives_free_texts(memory: JudgeMemory) -> bool:
    return memory.definition.value_type.kind == "str"


def _only_guesses(memory: JudgeMemory) -> bool:
    """Return whether a judge goes by cases alone, and has none."""
    return not memory.definition.reads_guidelines and not memory.state.episodes


def _is_empty(state: MemoryState) -> bool:
    """Return whether a memory has nothing to show to a judge model."""
    return not state.episodes and not state.semantic.in_use
