"""Agreement of judge and people where labels are numbers: how far apart they are."""

from collections import Counter
from collections.abc import Sequence

from bot.reports.agreement import both_vary
from bot.reports.kappa_interval import kappa_interval
from bot.reports.verdict_label import UNNAMED, Unnamed
from memalign.value_types import ValueType

ScorePair = tuple[float, float | Unnamed]
"""The judge's number and people's."""


def has_scores(value_type: ValueType) -> bool:
    """Return whether all labels are numbers, so that one can be near another."""
    numbers = (isinstance(each, int | float) and not isinstance(each, bool) for each in value_type.categories)
    return value_type.numeric or (value_type.kind == "category" and all(numbers))


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
    judge = Counter(first for first, _ in pairs)
    people = Counter(other for _, other in pairs if not isinstance(other, Unnamed))
    observed = sum(_distance(first, other, miss, power=2) for first, other in pairs) / n
    by_chance = sum(
        times * others * (first - other) ** 2
        for first, times in judge.items()
        for other, others in people.items()
    )
    expected = by_chance / n**2 + miss * (n - people.total()) / n
    return 1 - observed / expected


def weighted_kappa_interval(pairs: Sequence[ScorePair]) -> tuple[float, float] | None:
    """Return a 95 % interval of `weighted_kappa`, by the method of `kappa_interval`; None as for the former.

    An unnamed number is taken for as far off as it is there.
    """
    miss = _mean_miss(pairs, power=2)
    if miss is None or not both_vary(pairs):
        return None
    numbers = [number for pair in pairs for number in pair if not isinstance(number, Unnamed)]
    widest = max((max(numbers) - min(numbers)) ** 2, miss)

    def nearness(first: float, second: float | Unnamed) -> float:
        return 1 - _distance(first, second, miss, power=2) / widest

    return kappa_interval(pairs, nearness)


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
    return sum(_distance(first, other, miss, power=1) for first, other in pairs) / len(pairs)


def _distance(first: float, second: float | Unnamed, miss: float, *, power: int) -> float:
    """Return the distance of two numbers to a power; `miss` is that of an unnamed one."""
    return miss if isinstance(second, Unnamed) else abs(first - second) ** power


def _mean_miss(pairs: Sequence[ScorePair], power: int) -> float | None:
    """Return the mean distance, to a power, of wrong verdicts whose right number is known; 0 where all is known."""
    distances = [abs(first - other) ** power for first, other in pairs if other is not UNNAMED]
    misses = [distance for distance in distances if distance > 0]
    if misses:
        return sum(misses) / len(misses)
    return 0.0 if len(distances) == len(pairs) else None
