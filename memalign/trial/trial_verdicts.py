"""Verdicts on earlier cases, with and without a guideline that is tried."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from memalign.errors import ModelError
from memalign.judge import Judge
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import JudgeModel, JudgeRequest
from memalign.recall.retrieval import Retriever
from memalign.records import Episode, Evidence, Guideline, Label, Usage

MAX_CALLS_AT_ONCE = 4
"""Of one trial, so that verdicts on new traces do not wait behind it. Set by hand."""
MAX_FAILURES_IN_A_ROW = 3
"""Calls that fail one after the other before no more are made: the model is down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCase:
    """A case with what the judge model is shown of the memory for it, the guideline included."""

    episode: Episode
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOutcome:
    """Both verdicts on one case."""

    trace_id: str
    without: Label
    with_guideline: Label


class TrialVerdicts:
    """Asks for verdicts by one state of a memory; those without any new guideline are asked for once.

    Args:
        judge: The judge.
        current_state: Returns the memory as it stands. All verdicts are by the state that it returns first, and the
            model is shown nothing that has been forgotten or changed since.
        model: Gives the verdicts.
        retriever: Finds the evidence.
    """

    def __init__(
        self,
        judge: Judge,
        current_state: Callable[[], MemoryState],
        model: JudgeModel,
        retriever: Retriever,
    ) -> None:
        self.state = current_state()
        self._current_state = current_state
        self.usage = Usage()
        self.failure: ModelError | None = None
        """The last failure of the model; None once it has answered since."""
        self._judge = judge
        self._model = model
        self._retriever = retriever
        self._without: dict[str, Label] = {}
        """Verdicts without what is tried, by trace id."""
        self._memories: dict[tuple[str, frozenset[str]], SemanticMemory] = {}
        """By the guideline that is tried, empty for none, and those left out."""
        self._failures = 0
        self._slots = asyncio.Semaphore(MAX_CALLS_AT_ONCE)

    @property
    def is_model_down(self) -> bool:
        """True if the model has failed so often in a row that it is left alone."""
        return self._failures >= MAX_FAILURES_IN_A_ROW

    def prepare(self, guideline: Guideline, episode: Episode) -> TrialCase | None:
        """Find the evidence for a case.

        Args:
            guideline: The guideline that is tried.
            episode: The case.

        Returns:
            The case with its evidence; None if the judge would not be shown the guideline, so that nothing can change.
        """
        evidence = self._evidence(episode, guideline)
        is_shown = any(rule.id == guideline.id for rule in evidence.guidelines)
        return TrialCase(episode=episode, evidence=evidence) if is_shown else None

    def calls_for(self, case: TrialCase) -> int:
        """Count the calls that a case still takes.

        Args:
            case: The case.

        Returns:
            1 or 2.
        """
        return 1 if case.episode.trace_id in self._without else 2

    async def compare(self, cases: Sequence[TrialCase]) -> list[CaseOutcome]:
        """Judge cases with and without the guideline.

        Args:
            cases: The cases.

        Returns:
            The outcomes; without the cases at which the model failed, those left when it was down, and those of which
            something was forgotten or changed meanwhile.
        """
        outcomes = await asyncio.gather(*map(self._compare, cases))
        return [outcome for outcome in outcomes if outcome is not None]

    async def repeat(self, cases: Sequence[TrialCase]) -> list[CaseOutcome]:
        """Judge cases once more, both ways.

        Args:
            cases: The cases.

        Returns:
            The outcomes, as of `compare`.
        """
        outcomes = await asyncio.gather(*map(self._ask_both, cases))
        return [outcome for outcome in outcomes if outcome is not None]

    async def _compare(self, case: TrialCase) -> CaseOutcome | None:
        known = self._without.get(case.episode.trace_id)
        outcome = await self._ask_both(case, known)
        if outcome is not None:
            self._without[outcome.trace_id] = outcome.without
        return outcome

    async def _ask_both(self, case: TrialCase, without: Label | None = None) -> CaseOutcome | None:
        """Ask for the verdict without the guideline, unless it is known, and with it."""
        async with self._slots:
            if without is None:
                without = await self._ask(case.episode, self._evidence(case.episode))
            with_guideline = None if without is None else await self._ask(case.episode, case.evidence)
        if without is None or with_guideline is None:
            return None
        return CaseOutcome(trace_id=case.episode.trace_id, without=without, with_guideline=with_guideline)

    async def _ask(self, episode: Episode, evidence: Evidence) -> Label | None:
        """Return the model's verdict on a case; None where it fails or is down, or must not be shown the case."""
        if self.is_model_down or not _still_stands(episode, evidence, self._current_state()):
            return None
        request = JudgeRequest(
            judge=self._judge.name,
            instructions=self._judge.instructions,
            value_type=self._judge.value_type,
            fields=episode.fields,
            trace_id=episode.trace_id,
            evidence=evidence,
            episodes=(),  # a model that reads guidelines is shown the similar cases alone
            version=self.state.version,
        )
        try:
            response = await self._model.decide(request)
        except ModelError as error:
            self.failure = error
            self._failures += 1
            return None
        self.failure, self._failures = None, 0
        self.usage += response.usage
        return response.value

    def _evidence(self, episode: Episode, guideline: Guideline | None = None) -> Evidence:
        """Return what `JudgeMemory.judge` would show for a case, but for guidelines that rest on this case alone."""
        state = replace(self.state, semantic=self._semantic(episode.trace_id, guideline))
        vector = self.state.episodic.vectors.get(episode.trace_id)
        evidence = self._retriever.recall(episode.case_text, vector, state, exclude_trace_id=episode.trace_id)
        accepts = self._judge.value_type.accepts
        fitting = tuple(case for case in evidence.retrieved if accepts(case.episode.label))
        return replace(evidence, retrieved=fitting)

    def _semantic(self, trace_id: str, guideline: Guideline | None) -> SemanticMemory:
        """Return the guidelines for a case; the same object for most cases, so that a selection is made once."""
        rules = self.state.semantic.guidelines
        left_out = frozenset(rule.id for rule in rules if _rests_on_alone(rule, trace_id))
        tried_id = "" if guideline is None else guideline.id
        if (tried_id, left_out) not in self._memories:
            kept = (
                replace(rule, lacks=()) if rule.id == tried_id else rule
                for rule in rules
                if rule.id not in left_out
            )
            semantic = replace(self.state.semantic, guidelines=tuple(kept))
            self._memories[tried_id, left_out] = semantic
        return self._memories[tried_id, left_out]


def change_of(outcome: CaseOutcome, label: Label, *, numeric: bool) -> int:
    """Compare what a guideline changes with people's label.

    Args:
        outcome: The verdicts.
        label: The label.
        numeric: Whether verdicts are numbers, of which the nearer one is the better one.

    Returns:
        1 where the guideline makes the verdict better, -1 where it makes it worse, and 0 where it changes nothing.
    """
    without = _error(outcome.without, label, numeric=numeric)
    with_guideline = _error(outcome.with_guideline, label, numeric=numeric)
    return (without > with_guideline) - (without < with_guideline)


def _still_stands(episode: Episode, evidence: Evidence, state: MemoryState) -> bool:
    """Tell whether a case, and all that the judge would be shown for it, is in memory as it was."""
    cases = [episode]
    for each in evidence.retrieved:
        cases += [each.episode, *each.copies]
    texts = {rule.id: rule.text for rule in state.semantic.guidelines}
    return all(state.episodes.get(case.trace_id) == case for case in cases) and all(
        texts.get(rule.id) == rule.text for rule in evidence.guidelines
    )


def _error(verdict: Label, label: Label, *, numeric: bool) -> float:
    return abs(float(verdict) - float(label)) if numeric else float(verdict != label)


def _rests_on_alone(rule: Guideline, trace_id: str) -> bool:
    """Tell whether a guideline was learned from one case alone: shown for that case, it gives the answer away."""
    return rule.source_trace_ids == (trace_id,) and rule.added_by is None
