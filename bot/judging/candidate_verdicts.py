"""Verdicts on a window's candidates, with second opinions, before one of them is chosen for the card."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from memalign.errors import InputError, ModelError, ModelUnavailableError, RequestFailedError
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeModel
from memalign.records import Label, Trace, Verdict
from memalign.trace_neighbourhoods import Neighbourhood
from memalign.trial.call_budget import CallBudget
from storage.records import ShadowVerdict

log = logging.getLogger(__name__)

IsCandidate = Callable[[str, str], Awaitable[bool]]
"""Looks up whether a trace, by its id, is a candidate of a judge, by its name, still. Raises `StorageError`."""
BaseValue = Callable[[str, Trace], Awaitable[ShadowVerdict | None]]
"""Asks a judge, by its name, for its value on a trace without its memory; None where it cannot be had, or where there
are no calls left. It never fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidate:
    """A candidate with its verdict, and all that tells whether the verdict is wrong."""

    trace: Trace
    verdict: Verdict
    neighbourhood: Neighbourhood
    base: ShadowVerdict | None = None
    """Of the judge without its memory; None where it was not asked."""
    value_by_cases: Label | None = None
    """Of a model fitted to the labelled cases alone; None where there are too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidates:
    """The candidates among which one is chosen."""

    candidates: tuple[JudgedCandidate, ...]
    """At least one."""
    share: float
    """Of those that can be judged, as far as is known."""


MAX_STUMBLES = 2
"""Candidates of a window at which the model's service may fail: at one of them it fails for what that one says."""


class CandidateVerdicts:
    """Judges candidates within the day's budget of model calls."""

    def __init__(
        self, budget: CallBudget, base_value: BaseValue, model_of_cases: JudgeModel, is_candidate: IsCandidate
    ) -> None:
        self._budget = budget
        self._base_value = base_value
        self._model_of_cases = model_of_cases
        self._is_candidate = is_candidate

    async def judge(self, memory: JudgeMemory, traces: Sequence[Trace]) -> JudgedCandidates:
        """Judge traces, in order, as far as the budget goes; those at which alone the model fails are left out.

        One is judged in any case, since a card shows its verdict. A trace that was forgotten, or let go, reaches no
        model from then on.

        Args:
            memory: the judge's.
            traces: in random order; half of those judged get a second opinion of the judge without its memory.

        Raises:
            InputError: if the judge can take none of them, or none is a candidate any more.
            ModelError: if the model is down, or fails at all of them.
            StorageError: if the store fails.
        """
        judged: list[JudgedCandidate] = []
        failures: list[InputError | ModelError] = []
        gone, stumbles = 0, 0
        for trace in traces:
            if not await self._holds(memory, trace):
                gone += 1
                continue
            # calls are counted as they are made, so that a model that is down uses up nothing
            if judged and not await self._may_ask(memory):
                break
            try:
                judged.append(await self._judge(memory, trace))
            except RequestFailedError as error:
                failures.append(error)
                stumbles += 1
                if stumbles >= MAX_STUMBLES:  # then it is down
                    break
            except ModelUnavailableError:
                raise
            except (InputError, ModelError) as error:
                log.warning(
                    "trace %s is no candidate for %s: %s", trace.trace_id, memory.definition.name, error
                )
                failures.append(error)
        if not judged:
            raise failures[-1] if failures else InputError("the window's traces were forgotten or let go.")
        # one alone needs no choice, and texts cannot be compared
        has_use = len(judged) > 1 and memory.definition.value_type.kind != "str"
        asked = (len(judged) + 1) // 2 if has_use else 0
        with_base = [await self._with_base(memory, each) for each in judged[:asked]]
        share = len(judged) / (len(traces) - len(failures) - gone)
        held = [each for each in (*with_base, *judged[asked:]) if await self._holds(memory, each.trace)]
        if not held:
            raise InputError("the window's traces were forgotten or let go.")
        return JudgedCandidates(candidates=tuple(held), share=share)

    async def _holds(self, memory: JudgeMemory, trace: Trace) -> bool:
        return await self._is_candidate(trace.trace_id, memory.definition.name)

    async def _may_ask(self, memory: JudgeMemory) -> bool:
        """Return whether the budget has a call left; those of a local model cost nothing."""
        return not memory.definition.reads_guidelines or bool(await self._budget.take(1))

    async def _judge(self, memory: JudgeMemory, trace: Trace) -> JudgedCandidate:
        return JudgedCandidate(
            trace=trace,
            verdict=await memory.judge_candidate(trace),
            neighbourhood=await memory.neighbourhoods.find(trace),
            value_by_cases=await self._by_cases(memory, trace),
        )

    async def _with_base(self, memory: JudgeMemory, candidate: JudgedCandidate) -> JudgedCandidate:
        if not await self._holds(memory, candidate.trace):
            return candidate
        return replace(candidate, base=await self._base_value(candidate.verdict.judge, candidate.trace))

    async def _by_cases(self, memory: JudgeMemory, trace: Trace) -> Label | None:
        try:
            return await memory.neighbourhoods.value_by_cases(trace, self._model_of_cases)
        except ModelError as error:  # the verdict stands without it
            log.warning("no second opinion on trace %s: %s", trace.trace_id, error)
            return None
