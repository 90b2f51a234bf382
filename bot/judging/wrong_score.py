"""The chance that a verdict is wrong: a logistic model over a few numbers that are known before anybody answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from memalign.records import Label
from memalign.value_types import ValueType
from storage.records import SelectionReason

AGREEMENT = -0.4
"""The number that stands for a second opinion with the same value; 1 stands for another value, 0 for no opinion. Set so
that with the starting weight a verdict that one in five contradicts is, on average, as often wrong as without."""
COPY_SCORE = 0.01
"""Of a near copy of a case or of a recent card: people have answered it, or are about to. Only chance chooses it."""
LEAST_CONTRIBUTION = 0.25
"""To the score in log-odds, beyond an average candidate's; what adds less is no reason to be told. Set by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongFeatures:
    """Numbers that tell on a verdict, -1 to 1 each, in the order in which they are stored."""

    base_difference: float = 0.0
    """Between the verdict and the judge's without memory, see `opinion_feature`."""
    case_difference: float = 0.0
    """Between the verdict and the value by the labelled cases alone."""
    novelty: float = 0.0
    """Squared, since what is half way to something known is mostly of its kind."""
    dissent: float = 0.0
    """Mean difference between the verdict and people's labels on similar cases."""
    new_rule: float = 0.0
    """1 if a guideline that led the judge is new."""
    doubtful_rule: float = 0.0
    """Chance, beyond that of any new guideline, that one of them misleads."""
    conflicting_rule: float = 0.0
    """1 if one of them contradicts another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongWeights:
    """Log-odds of a wrong verdict: where all features are 0, and for each feature where it is 1."""

    base: float = -3.0
    features: tuple[float, ...] = (1.5, 1.0, 4.0, 2.0, 1.0, 1.5, 1.0)
    """In the order of `WrongFeatures`. Set by hand. With them, one card a window of 8 candidates meets 89 % of 40 rules
    in 50 cards, where chance meets 70 % (short texts embedded by local:/wordllama)."""


STARTING_WEIGHTS = WrongWeights()


def wrong_score(features: WrongFeatures, weights: WrongWeights = STARTING_WEIGHTS) -> float:
    """Return the chance that the verdict is wrong, above 0 and below 1."""
    return 1 / (1 + math.exp(-weights.base - sum(_contributions(features, weights))))


def largest_reason(
    features: WrongFeatures, candidates: Sequence[WrongFeatures], weights: WrongWeights, *, is_unlike: bool
) -> SelectionReason:
    """Return what raises a candidate's score most above that of an average one; "random" where nothing does by much.

    Args:
        features: of the candidate.
        candidates: features of all among which it was chosen, itself included.
        weights: of the score.
        is_unlike: whether nothing is known that has anything special in common with the trace.
    """
    average = np.mean([_contributions(each, weights) for each in candidates], axis=0)
    base, cases, novel, dissent, new, doubtful, conflicting = (
        own - usual for own, usual in zip(_contributions(features, weights), average.tolist(), strict=True)
    )
    added: dict[SelectionReason, float] = {
        "unlike": novel if is_unlike else 0.0,
        # an opinion that agrees may stand out as well, among others that differ
        "disagreement": base * (features.base_difference > 0) + cases * (features.case_difference > 0),
        "dissent": dissent,
        "new_rule": new,
        "doubtful_rule": doubtful,
        "conflicting_rules": conflicting,
    }
    reason = max(added, key=lambda each: added[each])
    return reason if added[reason] >= LEAST_CONTRIBUTION else "random"


def opinion_feature(value: Label, opinion: Label | None, value_type: ValueType) -> float:
    """Return the feature of a second opinion: 0 for none, 1 for another value, less for a number that is near.

    Args:
        value: the verdict's.
        opinion: the second one; None where nobody gave any.
        value_type: the judge's.
    """
    if opinion is None or value_type.kind == "str":
        return 0.0
    return AGREEMENT + (1 - AGREEMENT) * label_difference(value, opinion, value_type)


def dissent(value: Label, votes: Mapping[Label, int], value_type: ValueType) -> float:
    """Return the mean difference between a verdict and people's votes; 0 without votes."""
    total = sum(votes.values())
    if not total or value_type.kind == "str":
        return 0.0
    return sum(label_difference(value, label, value_type) * number for label, number in votes.items()) / total


def label_difference(one: Label, other: Label, value_type: ValueType) -> float:
    """Return 0 for equal labels, 1 for different ones; of bounded numbers 1 from half the range on."""
    if one == other:
        return 0.0
    if not value_type.numeric or value_type.value_range is None:
        return 1.0
    low, high = value_type.value_range
    return min(1.0, abs(float(one) - float(other)) / ((high - low) / 2))


def _contributions(features: WrongFeatures, weights: WrongWeights) -> list[float]:
    return [weight * number for weight, number in zip(weights.features, astuple(features), strict=True)]
