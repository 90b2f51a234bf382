"""How far two raters agree: share with its interval, Cohen's kappa, Gwet's AC1."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from memalign.records import Label

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""

Pair = tuple[Label, Label]
"""The labels that two raters gave to the same case."""


def wilson(agreed: int, n: int) -> tuple[float, float]:
    """95 % score interval of the share `agreed / n`, n > 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    share, z2 = agreed / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def cohen_kappa(pairs: Sequence[Pair]) -> float | None:
    """Agreement beyond chance; None where one of the raters used one class only.

    J. Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960).
    """
    if not _both_vary(pairs):
        return None
    n = len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[label] * second[label] for label in first) / n**2
    return (_share(pairs) - chance) / (1 - chance)


def gwet_ac1(pairs: Sequence[Pair]) -> float | None:
    """Agreement beyond chance, steady where classes are very uneven; None as for `cohen_kappa`.

    K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement",
    Br. J. Math. Stat. Psychol. 61 (2008).
    """
    if not _both_vary(pairs):
        return None
    n = len(pairs)
    used = Counter(label for pair in pairs for label in pair)
    shares = [count / (2 * n) for count in used.values()]
    chance = sum(share * (1 - share) for share in shares) / (len(shares) - 1)
    return (_share(pairs) - chance) / (1 - chance)


def _share(pairs: Sequence[Pair]) -> float:
    return sum(a == b for a, b in pairs) / len(pairs)


def _both_vary(pairs: Sequence[Pair]) -> bool:
    return len({a for a, _ in pairs}) > 1 and len({b for _, b in pairs}) > 1
