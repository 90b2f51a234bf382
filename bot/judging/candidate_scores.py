"""Scores of a window's judged candidates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.judging.candidate_verdicts import JudgedCandidate
from bot.judging.novelty import Distance
from bot.judging.rule_features import rule_features
from bot.judging.wrong_score import (
    COPY_SCORE,
    WrongFeatures,
    WrongWeights,
    dissent,
    largest_reason,
    opinion_feature,
    wrong_score,
)
from memalign.records import Guideline, Trace
from memalign.value_types import ValueType
from storage.records import SelectionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCandidate:
    """A candidate with the chance that its verdict is wrong."""

    judged: JudgedCandidate
    features: WrongFeatures
    score: float
    """Above 0."""
    distance: Distance
    """From what people were shown."""

    @property
    def trace(self) -> Trace:
        """The candidate's trace."""
        return self.judged.trace


def score_candidate(
    judged: JudgedCandidate,
    distance: Distance,
    guidelines: Iterable[Guideline],
    value_type: ValueType,
    weights: WrongWeights,
    now_ms: int,
) -> ScoredCandidate:
    """Score a candidate.

    Args:
        judged: the candidate.
        distance: from what people were shown.
        guidelines: the memory's.
        value_type: the judge's.
        weights: of the score.
        now_ms: the time, in milliseconds since 1970.
    """
    value, base = judged.verdict.value, judged.base
    rules = rule_features(judged.verdict.guideline_ids, {rule.id: rule for rule in guidelines}, now_ms)
    features = WrongFeatures(
        base_difference=opinion_feature(value, None if base is None else base.value, value_type),
        case_difference=opinion_feature(value, judged.value_by_cases, value_type),
        novelty=distance.novelty**2,
        dissent=dissent(value, judged.neighbourhood.votes, value_type),
        new_rule=rules.new,
        doubtful_rule=rules.doubtful,
        conflicting_rule=rules.conflicting,
    )
    score = COPY_SCORE if distance.is_copy else wrong_score(features, weights)
    return ScoredCandidate(judged=judged, features=features, score=score, distance=distance)


def reason_for(
    chosen: ScoredCandidate, candidates: Sequence[ScoredCandidate], weights: WrongWeights
) -> SelectionReason:
    """Return why one of some candidates was drawn by its score."""
    if chosen.distance.is_copy:
        return "random"
    return largest_reason(
        chosen.features,
        [each.features for each in candidates],
        weights,
        is_unlike=chosen.distance.is_unlike,
    )
