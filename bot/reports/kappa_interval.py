"""The interval of Cohen's kappa, plain or weighted."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from math import sqrt
from typing import Any

from bot.reports.agreement import Pair, both_vary, wilson_interval

Weight = Callable[[Any, Any], float]
"""The degree to which two labels agree, at most 1, which equal ones have."""

ADDED_CASES = 0.5
"""Cases added to the diagonal for each label that both raters used, for the standard error alone. Set by simulation:
without them the error is near 0 where one label is rare, and up to 24 % of the intervals leave out the true kappa."""


def equality(first: object, second: object) -> float:
    """Return the weight of plain kappa: 1 for equal labels, else 0."""
    return float(first == second)


def kappa_standard_error(pairs: Sequence[Pair], weight: Weight = equality) -> float | None:
    """Return the asymptotic standard error of kappa.

    With p(i, j) the share of cases that the raters label i and j, p₁ and p₂ the raters' own shares, w(i, j) the weight,
    a and e the weighted agreement as it is and by chance, κ = (a - e) / (1 - e), and n the number of cases, it is the
    root of

        (Σᵢⱼ p(i, j) (w(i, j) - (w₁(i) + w₂(j)) (1 - κ))² - (κ - e (1 - κ))²) / ((1 - e)² n),
        w₁(i) = Σⱼ p₂(j) w(i, j),  w₂(j) = Σᵢ p₁(i) w(i, j)

    J. L. Fleiss, J. Cohen, B. S. Everitt, "Large sample standard errors of kappa and weighted kappa", Psychological
    Bulletin 72 (1969).

    Args:
        pairs: The labels of both raters, case by case.
        weight: The degree to which two labels agree, at most 1; by default 1 for equal ones, else 0.

    Returns:
        The standard error; None if one of the raters used one label only.
    """
    return _kappa_and_error(Counter(pairs), weight)[1] if both_vary(pairs) else None


def kappa_interval(pairs: Sequence[Pair], weight: Weight = equality) -> tuple[float, float] | None:
    """Return a 95 % interval of kappa.

    It is Wilson's interval of (κ + 1) / 2, with the number of cases at which a share of that size would have the
    standard error that kappa has. Where that error is 0, Wilson's interval of the agreement is carried over with the
    agreement by chance as it is, as in the standard error of J. Cohen, "A coefficient of agreement for nominal scales",
    Educ. Psychol. Meas. 20 (1960). `tests/bot/reports/test_kappa_interval.py` compares it with others by simulation.

    Args:
        pairs: The labels of both raters, case by case.
        weight: As for `kappa_standard_error`.

    Returns:
        Lower and upper bound, within -1 and 1; None as for `kappa_standard_error`.
    """
    if not both_vary(pairs):
        return None
    counts = Counter(pairs)
    kappa, error, chance = _kappa_and_error(counts, weight)
    error = max(error, _kappa_and_error(_with_added_cases(counts), weight)[1])
    share = (kappa + 1) / 2
    if error > 0 and 0 < share < 1:
        effective_n = share * (1 - share) / (error / 2) ** 2
        low, high = wilson_interval(share * effective_n, effective_n)
        return 2 * low - 1, 2 * high - 1
    agreement = kappa * (1 - chance) + chance
    bounds = wilson_interval(agreement * len(pairs), len(pairs))
    low, high = ((bound - chance) / (1 - chance) for bound in bounds)
    return max(low, -1.0), min(high, 1.0)


def _with_added_cases(counts: Mapping[Pair, float]) -> dict[Pair, float]:
    firsts, seconds = {first for first, _ in counts}, {second for _, second in counts}
    used_by_both = [(first, second) for first in firsts for second in seconds if first == second]
    return {**counts, **{place: counts.get(place, 0) + ADDED_CASES for place in used_by_both}}


def _kappa_and_error(counts: Mapping[Pair, float], weight: Weight) -> tuple[float, float, float]:
    """Return kappa, its standard error, and the weighted agreement by chance."""
    n = sum(counts.values())
    first: dict[Hashable, float] = {}
    second: dict[Hashable, float] = {}
    for (one, other), count in counts.items():
        first[one] = first.get(one, 0) + count / n
        second[other] = second.get(other, 0) + count / n
    of_first = {one: sum(share * weight(one, other) for other, share in second.items()) for one in first}
    of_second = {other: sum(share * weight(one, other) for one, share in first.items()) for other in second}
    chance = sum(share * of_first[one] for one, share in first.items())
    agreement = sum(count / n * weight(*pair) for pair, count in counts.items())
    kappa = (agreement - chance) / (1 - chance)
    spread = sum(
        count / n * (weight(one, other) - (of_first[one] + of_second[other]) * (1 - kappa)) ** 2
        for (one, other), count in counts.items()
    )
    variance = (spread - (kappa - chance * (1 - kappa)) ** 2) / ((1 - chance) ** 2 * n)
    return kappa, sqrt(max(variance, 0.0)), chance
