"""The choice of the trace that gets a window's card: which one, with which chance, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

from bot.judging.candidate_verdicts import CandidateVerdicts, JudgedCandidate
from bot.judging.chosen_card import CandidateTrace, ChosenCard
from bot.judging.hash_fraction import hash_fraction
from bot.judging.inclusion import Draw, draw
from bot.judging.near_copies import groups_of_copies
from bot.judging.novelty import UNKNOWN_DISTANCE, CardVectors, Distance
from bot.judging.recent_cards import RecentCards
from bot.judging.rule_features import rule_features
from bot.judging.score_weights import ScoreWeights
from bot.judging.wrong_score import (
    COPY_SCORE,
    WrongFeatures,
    WrongWeights,
    dissent,
    largest_reason,
    opinion_feature,
    wrong_score,
)
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from memalign.ports import Vector
from memalign.records import Trace
from storage.database import Database
from storage.records import CardSelection, SelectionReason, ShadowVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScoredCandidate:
    """A candidate with the chance that its verdict is wrong."""

    judged: JudgedCandidate
    features: WrongFeatures
    score: float
    reason: SelectionReason
    """Reason for its score."""


class CardChooser:
    """Chooses among a window's candidates, a uniform sample of all that arrived in it."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        verdicts: CandidateVerdicts,
        *,
        rate: float,
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        """Choose for the judges of these memories, which see this share of the traces."""
        self._database = database
        self._memories = memories
        self._verdicts = verdicts
        self._rate = rate
        self._time_ms = time_ms
        self._cards = RecentCards(database)
        self._weights = ScoreWeights(self._cards)

    async def choose(self, judge: str, candidates: Sequence[CandidateTrace], seen: int) -> ChosenCard:
        """Judge a window's candidates as far as the budget goes, and choose one.

        Its probability is that of all stages: of being sampled by `rate`, of being a candidate, of standing for its
        near copies, of being judged, and of being drawn by its score.

        Args:
            judge: the judge's name.
            candidates: at least one.
            seen: the number of sampled traces that arrived in the window, candidates or not.

        Returns:
            The chosen one, with its verdict; nothing is stored but its vector.

        Raises:
            ModelError: if the model fails at all of them.
            StorageError: if the store fails.
        """
        memory = self._memories[judge]
        key = await self._database.traces.sampling_key()
        traces = _shuffled([each.trace for each in candidates], judge, "candidates", key)
        vectors = await memory.neighbourhoods.embed(traces)
        groups = groups_of_copies([vectors.get(trace.trace_id) for trace in traces])
        copies = {traces[group[0]].trace_id: len(group) for group in groups}
        first_ones = _shuffled([traces[group[0]] for group in groups], judge, "groups", key)
        affordable = await self._verdicts.affordable(memory, len(first_ones))
        judged = await self._verdicts.judge(memory, first_ones[:affordable])
        scored = await self._score(memory, judged, vectors)
        ids = sorted(trace.trace_id for trace in traces)
        drawn = draw([each.score for each in scored], hash_fraction(judge, *ids, key=key))
        chosen = scored[drawn.place]
        among = min(1.0, len(candidates) / max(seen, 1)) * affordable / len(groups)
        probability = self._rate * among * drawn.probability / copies[chosen.judged.trace.trace_id]
        await memory.keep_vector(chosen.judged.trace)
        return _card(chosen, drawn, probability, is_only_one=len(scored) == 1)

    async def _score(
        self, memory: JudgeMemory, judged: Sequence[JudgedCandidate], vectors: Mapping[str, Vector]
    ) -> list[_ScoredCandidate]:
        now = self._time_ms()
        weights = await self._weights.of(memory.definition, now)
        cards = CardVectors(await self._cards.vectors(memory, now))
        guidelines = {rule.id: rule for rule in memory.guidelines}
        scored = []
        for each in judged:
            vector = vectors.get(each.trace.trace_id)
            distance = UNKNOWN_DISTANCE if vector is None else cards.distance(vector, each.neighbourhood)
            rules = rule_features(each.verdict.guideline_ids, guidelines, now)
            value, value_type = each.verdict.value, memory.definition.value_type
            features = WrongFeatures(
                base_difference=opinion_feature(value, each.base_value, value_type),
                case_difference=opinion_feature(value, each.value_by_cases, value_type),
                novelty=distance.novelty**2,
                dissent=dissent(value, each.neighbourhood.votes, value_type),
                new_rule=rules.new,
                doubtful_rule=rules.doubtful,
                conflicting_rule=rules.conflicting,
            )
            scored.append(_scored(each, features, weights, distance))
        return scored


def _scored(
    judged: JudgedCandidate, features: WrongFeatures, weights: WrongWeights, distance: Distance
) -> _ScoredCandidate:
    if distance.is_copy:
        return _ScoredCandidate(judged=judged, features=features, score=COPY_SCORE, reason="random")
    return _ScoredCandidate(
        judged=judged,
        features=features,
        score=wrong_score(features, weights),
        reason=largest_reason(features, weights, is_unlike=distance.is_unlike),
    )


def _card(chosen: _ScoredCandidate, drawn: Draw, probability: float, *, is_only_one: bool) -> ChosenCard:
    is_by_score = drawn.is_by_score and not is_only_one
    reason: SelectionReason = "all" if probability >= 1 else chosen.reason if is_by_score else "random"
    base = chosen.judged.base_value
    return ChosenCard(
        verdict=chosen.judged.verdict,
        selection=CardSelection(probability=probability, reason=reason, features=astuple(chosen.features)),
        shadows=() if base is None else (ShadowVerdict(kind="base", value=base),),
        resembles_case=chosen.judged.neighbourhood.has_copy,
    )


def _shuffled(traces: Sequence[Trace], judge: str, stage: str, key: bytes) -> list[Trace]:
    """Order traces at random, the same way each time."""
    return sorted(traces, key=lambda trace: hash_fraction(judge, stage, trace.trace_id, key=key))
