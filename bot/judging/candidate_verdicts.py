"""Verdicts on a window's candidates, with second opinions, before one of them is chosen for the card."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.call_budget import DailyCallBudget
from memalign.errors import MemAlignError
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeModel
from memalign.records import Label, Trace, Verdict
from memalign.trace_neighbourhoods import Neighbourhood

log = logging.getLogger(__name__)

BaseValue = Callable[[str, Trace], Awaitable[Label | None]]
"""Asks a judge, by its name, for its value on a trace without its memory; None where it has no other value then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidate:
    """A candidate with its verdict, and all that tells whether the verdict is wrong."""

    trace: Trace
    verdict: Verdict
    neighbourhood: Neighbourhood
    base_value: Label | None = None
    """Of the judge without its memory; None where it was not asked."""
    value_by_cases: Label | None = None
    """Of a model fitted to the labelled cases alone; None where there are too few."""


class CandidateVerdicts:
    """Judges candidates within the day's budget of model calls."""

    def __init__(
        self,
        *,
        candidate_budget: DailyCallBudget,
        opinion_budget: DailyCallBudget,
        base_value: BaseValue,
        model_of_cases: JudgeModel,
    ) -> None:
        self._candidate_budget = candidate_budget
        self._opinion_budget = opinion_budget
        self._base_value = base_value
        self._model_of_cases = model_of_cases

    async def affordable(self, memory: JudgeMemory, count: int) -> int:
        """Return how many of some candidates may be judged: one in any case, since a card shows its verdict.

        Calls of a local model cost nothing. Raises `StorageError`.
        """
        if not memory.definition.reads_guidelines:
            return count
        return 1 + (await self._candidate_budget.take(count - 1) if count > 1 else 0)

    async def judge(self, memory: JudgeMemory, traces: Sequence[Trace]) -> list[JudgedCandidate]:
        """Judge each trace; one at which the model fails is left out.

        Args:
            memory: the judge's.
            traces: in random order; the first half gets a second opinion of the judge without its memory.

        Raises:
            MemAlignError: if all fail.
        """
        judged, failures = [], []
        for trace in traces:
            try:
                judged.append(await self._judge(memory, trace))
            except MemAlignError as error:
                log.warning("no candidate for %s: %s", memory.definition.name, error)
                failures.append(error)
        if not judged:
            raise failures[0]
        if len(judged) == 1:
            return judged
        asked = await self._opinions_affordable(memory, (len(judged) + 1) // 2)
        return [*[await self._with_base_value(each) for each in judged[:asked]], *judged[asked:]]

    async def _judge(self, memory: JudgeMemory, trace: Trace) -> JudgedCandidate:
        return JudgedCandidate(
            trace=trace,
            verdict=await memory.judge_candidate(trace),
            neighbourhood=await memory.neighbourhoods.find(trace),
            value_by_cases=await self._by_cases(memory, trace),
        )

    async def _opinions_affordable(self, memory: JudgeMemory, count: int) -> int:
        judge, size = memory.definition, memory.state.size
        has_learned = size.guidelines > 0 or size.cases > 0
        if not judge.reads_guidelines or judge.value_type.kind == "str" or not has_learned:
            return 0
        return await self._opinion_budget.take(count)

    async def _with_base_value(self, candidate: JudgedCandidate) -> JudgedCandidate:
        try:
            value = await self._base_value(candidate.verdict.judge, candidate.trace)
        except MemAlignError as error:  # the verdict stands without it
            log.warning("no second opinion: %s", error)
            return candidate
        return replace(candidate, base_value=value)

    async def _by_cases(self, memory: JudgeMemory, trace: Trace) -> Label | None:
        if memory.definition.value_type.kind == "str":
            return None
        try:
            return await memory.neighbourhoods.value_by_cases(trace, self._model_of_cases)
        except MemAlignError as error:
            log.warning("no second opinion: %s", error)
            return None
