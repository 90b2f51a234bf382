"""Trials of one judge's new guidelines: proof before use."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from memalign.judge import Judge
from memalign.memory.stored_state import StoredState
from memalign.ports import ChangeCause, JudgeModel, Vector
from memalign.recall.retrieval import Retriever
from memalign.records import Guideline, GuidelineTrial, Usage
from memalign.trial.call_budget import CallBudget
from memalign.trial.trial_cases import trial_cases
from memalign.trial.trial_verdicts import CaseOutcome, TrialCase, TrialVerdicts, change_of

_log = logging.getLogger("memalign")
BUDGET_USED_UP = "The model calls for trials are used up."
CHANGED_MEANWHILE = "What it was to be tried on has changed meanwhile."
CALLS_TO_CONFIRM = 2
"""For each changed case, before a guideline is held back: once more without it, once more with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReport:
    """Report on a round of trials."""

    settled: tuple[Guideline, ...] = ()
    """Guidelines that wait for no trial any more, as they are now. Those without a `trial` could not be tried."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Id of each guideline that still waits for its trial -> why."""
    retry_after: float = 0.0
    """Seconds after which the model's service asks to be called again."""
    usage: Usage = field(default_factory=Usage)


class GuidelineTrials:
    """Judges earlier cases with and without new guidelines, and holds back those that break more than they fix.

    Each outcome is stored before the next trial begins, so that a crash costs one trial at most.

    Args:
        judge: The judge.
        memory: Its memory.
        lock: Held by whoever puts a new state in place.
        model: Gives the verdicts.
        retriever: Finds the evidence.
    """

    def __init__(
        self,
        judge: Judge,
        memory: StoredState,
        lock: asyncio.Lock,
        model: JudgeModel,
        retriever: Retriever,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._lock = lock
        self._model = model
        self._retriever = retriever

    @property
    def due(self) -> tuple[Guideline, ...]:
        """The guidelines that wait for their trial, in order of what they rest on."""
        return tuple(rule for rule in self._memory.current.semantic.guidelines if rule.awaits_trial)

    async def run(self, budget: CallBudget) -> TrialReport:
        """Try the guidelines that are due, one by one, all by the memory as it is now.

        A guideline with no case to be tried on, or no calls left for it, is used at once; one that was held back
        before stays so. One at which the model fails altogether waits.

        Args:
            budget: Model calls that may be made.

        Returns:
            The report.

        Raises:
            StorageError: If the store fails; the guidelines that were not settled yet are due again.
        """
        verdicts = TrialVerdicts(self._judge, lambda: self._memory.current, self._model, self._retriever)
        settled: list[Guideline] = []
        left: dict[str, str] = {}
        due = self.due
        vectors = await self._memory.vectors.parts.find(rule.text for rule in due)
        for rule in due:
            reason = await self._try(rule, vectors.vectors.get(rule.text), verdicts, budget)
            if reason is not None:
                left[rule.id] = reason
            else:
                settled += [each for each in self._memory.current.semantic.guidelines if each.id == rule.id]
        retry_after = getattr(verdicts.failure, "retry_after", None) or 0.0
        return TrialReport(
            settled=tuple(settled), left=left, retry_after=retry_after, usage=vectors.usage + verdicts.usage
        )

    async def _try(
        self, rule: Guideline, vector: Vector | None, verdicts: TrialVerdicts, budget: CallBudget
    ) -> str | None:
        """Try a guideline, and store what came of it; returns why it is left instead."""
        if verdicts.is_model_down:
            return str(verdicts.failure)
        cases = await self._cases(rule, vector, verdicts)
        affordable = await _affordable(cases, verdicts, budget)
        if cases and not affordable and rule.trial is not None:
            return BUDGET_USED_UP
        changes = self._changes(await verdicts.compare(affordable))
        if affordable and not changes:
            return str(verdicts.failure or CHANGED_MEANWHILE)
        if _is_harmful(changes):
            changes = await self._confirmed(changes, affordable, verdicts, budget)
        trial = _outcome(rule, changes)
        _log.debug("Judge %s tried guideline %s: %s", self._judge.name, rule.id, trial)
        await self._adopt(rule, trial)
        return None

    async def _confirmed(
        self,
        changes: Mapping[str, int],
        cases: Sequence[TrialCase],
        verdicts: TrialVerdicts,
        budget: CallBudget,
    ) -> Mapping[str, int]:
        """Judge the changed cases once more; those that change in another way now were chance, and count as unchanged.

        Most verdicts are right, so that chance breaks more of them than it fixes, whatever the guideline says.
        """
        changed = [case for case in cases if changes.get(case.episode.trace_id)]
        calls = await budget.take(CALLS_TO_CONFIRM * len(changed))
        again = self._changes(await verdicts.repeat(changed[: calls // CALLS_TO_CONFIRM]))
        return {
            trace_id: change if again.get(trace_id, change) == change else 0
            for trace_id, change in changes.items()
        }

    def _changes(self, outcomes: Sequence[CaseOutcome]) -> Mapping[str, int]:
        """Compare verdicts with people's labels as they are now, by trace id; see `change_of`."""
        episodes, numeric = self._memory.current.episodes, self._judge.value_type.numeric
        return {
            each.trace_id: change_of(each, episodes[each.trace_id].label, numeric=numeric)
            for each in outcomes
            if each.trace_id in episodes
        }

    async def _cases(
        self, rule: Guideline, vector: Vector | None, verdicts: TrialVerdicts
    ) -> list[TrialCase]:
        cases = []
        accepts = self._judge.value_type.accepts
        for episode in await trial_cases(verdicts.state, rule, vector):
            # no verdict is right on a case labelled while the value type was another one
            case = verdicts.prepare(rule, episode) if accepts(episode.label) else None
            cases += [case] if case is not None else []
            # a search of a large memory takes some milliseconds: others come in between
            await asyncio.sleep(0)
        return cases

    async def _adopt(self, rule: Guideline, trial: GuidelineTrial | None) -> None:
        async with self._lock:
            await self._memory.change(
                lambda current: current.with_trial(rule, trial), cause=ChangeCause(kind="trial")
            )


def _is_harmful(changes: Mapping[str, int]) -> bool:
    return sum(changes.values()) < 0


def _outcome(rule: Guideline, changes: Mapping[str, int]) -> GuidelineTrial | None:
    """Return what came of a trial; of one on no case nothing, or what came of the trial before."""
    source_traces = len(rule.source_trace_ids)
    if not changes:
        return None if rule.trial is None else replace(rule.trial, source_traces=source_traces)
    return GuidelineTrial(
        fixed=sum(change > 0 for change in changes.values()),
        broke=sum(change < 0 for change in changes.values()),
        tried=len(changes),
        source_traces=source_traces,
        time_ms=time.time_ns() // 1_000_000,
    )


async def _affordable(cases: list[TrialCase], verdicts: TrialVerdicts, budget: CallBudget) -> list[TrialCase]:
    """Take the calls that the cases need from the budget; returns as many cases as it has calls for."""
    left = await budget.take(sum(map(verdicts.calls_for, cases))) if cases else 0
    affordable = []
    for case in cases:
        left -= verdicts.calls_for(case)
        if left < 0:
            break
        affordable.append(case)
    return affordable
