"""Agreement on all traces, estimated from cards that were not all picked with the same chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.records import EstimatedShare
from bot.reports.agreement import wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedCase:
    """A verdict with its answer, and the chance it had of being picked."""

    agreed: bool
    probability: float
    """Chance that the judge's trace is shown: above 0, at most 1."""


def weighted_agreement(cases: Sequence[WeightedCase]) -> EstimatedShare | None:
    """Estimate the agreement on all traces from cards picked with different chances.

    With πᵢ the chance of a card, wᵢ = 1 / πᵢ and aᵢ = 1 where judge and people agree, else 0:

        Σ wᵢ aᵢ / Σ wᵢ

    J. Hájek, comment on D. Basu, in "Foundations of Statistical Inference" (1971). The interval is Wilson's at the
    effective number of cases,

        (Σ wᵢ)² / Σ wᵢ²

    L. Kish, "Survey Sampling" (1965), section 11.7. `tests/bot/reports/test_weighted_agreement.py` shows its coverage;
    a normal interval with the estimator's own standard error covers too little.

    Args:
        cases: The answered verdicts on which people have a majority.

    Returns:
        The share with its interval, exactly the plain ones where all chances are equal; None without cases.
    """
    if not cases:
        return None
    # relative to the rarest, equal weights are 1, so that their sums are the plain counts
    rarest = min(case.probability for case in cases)
    weights = [rarest / case.probability for case in cases]
    total = sum(weights)
    agreed = sum(weight for weight, case in zip(weights, cases, strict=True) if case.agreed)
    cases_per_weight = total / sum(weight**2 for weight in weights)
    low, high = wilson_interval(agreed * cases_per_weight, total * cases_per_weight)
    return EstimatedShare(share=agreed / total, low=low, high=high)
