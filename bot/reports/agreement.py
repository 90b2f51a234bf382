"""Agreement of two raters: a share with its interval, and two coefficients corrected for chance."""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import hypot, sqrt

from bot.records import EstimatedShare

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""

Pair = tuple[Hashable, Hashable]
"""The labels that two raters gave to one case."""


def wilson_interval(agreed: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share.

    With p = agreed / n and z = `Z_95`:

        (p + z² / 2n ± z · sqrt(p (1 - p) / n + z² / 4n²)) / (1 + z² / n)

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Args:
        agreed: Number of cases on which the raters agree.
        n: Number of cases, above 0; no whole number where cases weigh less than one.

    Returns:
        Lower and upper bound, within 0 and 1.
    """
    share, z2 = agreed / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half_width = Z_95 / (1 + z2 / n) * sqrt(max(share * (1 - share), 0.0) / n + z2 / (4 * n**2))
    # the interval holds the share, but for rounding
    return max(0.0, min(centre - half_width, share)), min(1.0, max(centre + half_width, share))


def newcombe_interval(first: EstimatedShare, second: EstimatedShare) -> tuple[float, float]:
    """Return the 95 % interval of the difference between two shares of different cases.

    With p, l and u a share and the bounds of its Wilson interval:

        (p₁ - p₂) - sqrt((p₁ - l₁)² + (u₂ - p₂)²),  (p₁ - p₂) + sqrt((u₁ - p₁)² + (p₂ - l₂)²)

    R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998), method 10.

    Args:
        first: The share that the other is taken from.
        second: The other share.

    Returns:
        Lower and upper bound, within -1 and 1.
    """
    difference = first.share - second.share
    low = difference - hypot(first.share - first.low, second.high - second.share)
    high = difference + hypot(first.high - first.share, second.share - second.low)
    return max(low, -1.0), min(high, 1.0)


def cohen_kappa(pairs: Sequence[Pair]) -> float | None:
    """Return Cohen's kappa, agreement beyond what the raters' own label frequencies would give by chance.

    With a the share of equal pairs and p₁(k), p₂(k) the shares of label k of each rater:

        (a - e) / (1 - e),  e = Σₖ p₁(k) p₂(k)

    J. Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960).

    Args:
        pairs: The labels of both raters, case by case.

    Returns:
        At most 1, which is full agreement; 0 is chance. None if one of the raters used one label only.
    """
    if not both_vary(pairs):
        return None
    chance = _chance(pairs)
    return (_share_of_equals(pairs) - chance) / (1 - chance)


def gwet_ac1(pairs: Sequence[Pair], label_count: int = 0) -> float | None:
    """Return Gwet's AC1, which stays meaningful where nearly all cases have the same label.

    With a the share of equal pairs, K the number of labels and p(k) the share of label k over both raters:

        (a - e) / (1 - e),  e = Σₖ p(k) (1 - p(k)) / (K - 1)

    K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement",
    Br. J. Math. Stat. Psychol. 61 (2008).

    Args:
        pairs: The labels of both raters, case by case.
        label_count: Number of labels that the raters may give. By default, or where it is less, of those they gave.

    Returns:
        As for `cohen_kappa`.
    """
    if not both_vary(pairs):
        return None
    frequencies = Counter(label for pair in pairs for label in pair)
    shares = [frequency / (2 * len(pairs)) for frequency in frequencies.values()]
    chance = sum(share * (1 - share) for share in shares) / (max(label_count, len(frequencies)) - 1)
    return (_share_of_equals(pairs) - chance) / (1 - chance)


def both_vary(pairs: Sequence[Pair]) -> bool:
    """Return whether each rater used more than one label."""
    return len({first for first, _ in pairs}) > 1 and len({second for _, second in pairs}) > 1


def _share_of_equals(pairs: Sequence[Pair]) -> float:
    return sum(first == second for first, second in pairs) / len(pairs)


def _chance(pairs: Sequence[Pair]) -> float:
    """Return the agreement that the raters' own label frequencies would give by chance."""
    first, second = Counter(label for label, _ in pairs), Counter(label for _, label in pairs)
    return sum(first[label] * second[label] for label in first) / len(pairs) ** 2
