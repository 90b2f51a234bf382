"""Agreement of single people: with the judge, and with each other.

A majority errs less than each of its people, so that "judge against majority" may not stand beside "people among
themselves". Both figures here are of one person's label, on the same verdicts.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from bot.records import AgreementShare, SingleVotes
from bot.reports.agreement import wilson_interval

MIN_VERDICTS_FOR_SINGLE_VOTES = 10
"""Below this number of verdicts with two labels or more the figures say little, and are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cluster:
    """Comparisons on one verdict."""

    equal: int
    pairs: int


def compare_single_votes(verdicts: Sequence[tuple[Hashable, Sequence[Hashable]]]) -> SingleVotes | None:
    """Compare single people's labels with the judge's, and with each other.

    Args:
        verdicts: the judge's value and people's labels of each verdict.

    Returns:
        Both shares, of the verdicts that two people or more gave a label; None below
        `MIN_VERDICTS_FOR_SINGLE_VOTES` of them.
    """
    shared = [(value, labels) for value, labels in verdicts if len(labels) > 1]
    if len(shared) < MIN_VERDICTS_FOR_SINGLE_VOTES:
        return None
    return SingleVotes(
        with_judge=_share([_with_judge(value, labels) for value, labels in shared]),
        among_people=_share([_among_people(labels) for _, labels in shared]),
    )


def _with_judge(value: Hashable, labels: Sequence[Hashable]) -> _Cluster:
    return _Cluster(equal=sum(label == value for label in labels), pairs=len(labels))


def _among_people(labels: Sequence[Hashable]) -> _Cluster:
    equal = sum(count * (count - 1) // 2 for count in Counter(labels).values())
    return _Cluster(equal=equal, pairs=len(labels) * (len(labels) - 1) // 2)


def _share(clusters: Sequence[_Cluster]) -> AgreementShare:
    """Return the share of equal pairs, with an interval that allows for pairs on one verdict being alike.

    It is Wilson's interval at the number of independent pairs that would give the share the same variance, that of a
    ratio of cluster totals: L. Kish, "Survey Sampling" (1965), chapters 6 and 8.
    """
    equal, pairs, number = (
        sum(each.equal for each in clusters),
        sum(each.pairs for each in clusters),
        len(clusters),
    )
    share = equal / pairs
    squares = sum((each.equal - share * each.pairs) ** 2 for each in clusters)
    variance = number / (number - 1) * squares / pairs**2
    # pairs that are all alike tell no more than their verdicts do
    effective_n = min(share * (1 - share) / variance, float(pairs)) if variance > 0 else float(number)
    low, high = wilson_interval(share * effective_n, effective_n)
    return AgreementShare(agreed=equal, n=pairs, low=low, high=high)
