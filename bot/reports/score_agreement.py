"""Agreement of judge and people where labels are numbers: how far apart they are."""

from collections.abc import Sequence

from bot.reports.agreement import both_vary
from bot.reports.verdict_label import UNNAMED, Unnamed

ScorePair = tuple[float, float | Unnamed]
"""The judge's number and people's."""


def weighted_kappa(pairs: Sequence[ScorePair]) -> float | None:
    """Return Cohen's kappa with quadratic weights.

    With a and b the numbers of judge and people:

        1 - mean of (a - b)² over the cases / mean of (a - b)² over all pairs of one a and one b

    J. Cohen, "Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit",
    Psychological Bulletin 70 (1968). An unnamed number is taken for as far off as the other wrong ones are on average
    (mean squared distance), so that who names no number makes no judge look better.

    Args:
        pairs: The numbers of judge and people, case by case.

    Returns:
        At most 1, which is full agreement; 0 is chance. None if one side used one number only, or where no wrong
        verdict's right number is known though there are wrong ones.
    """
    miss = _mean_miss(pairs, power=2)
    if miss is None or not both_vary(pairs):
        return None
    n = len(pairs)
    judge, people = [first for first, _ in pairs], [other for _, other in pairs if other is not UNNAMED]
    observed = sum(miss if other is UNNAMED else (first - other) ** 2 for first, other in pairs) / n
    by_chance = sum((first - float(other)) ** 2 for first in judge for other in people)
    expected = by_chance / n**2 + miss * (n - len(people)) / n
    return 1 - observed / expected


def mean_absolute_error(pairs: Sequence[ScorePair]) -> float | None:
    """Return the mean distance between the numbers of judge and people.

    An unnamed number is taken for as far off as the other wrong ones are on average.

    Args:
        pairs: The numbers of judge and people, case by case.

    Returns:
        The distance, in the unit of the numbers; None without cases, or where no wrong verdict's right number is known
        though there are wrong ones.
    """
    miss = _mean_miss(pairs, power=1)
    if miss is None or not pairs:
        return None
    return sum(miss if other is UNNAMED else abs(first - other) for first, other in pairs) / len(pairs)


def _mean_miss(pairs: Sequence[ScorePair], power: int) -> float | None:
    """Return the mean distance, to a power, of wrong verdicts whose right number is known; 0 where all is known."""
    distances = [abs(first - other) ** power for first, other in pairs if other is not UNNAMED]
    misses = [distance for distance in distances if distance > 0]
    if misses:
        return sum(misses) / len(misses)
    return 0.0 if len(distances) == len(pairs) else None
