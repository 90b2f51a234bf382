"""The difference of two weeks' shares of agreement, with its interval."""

from math import hypot

from bot.records import MIN_VERDICTS_FOR_SHARE, Digest
from bot.reports.agreement import wilson_interval
from bot.weekly_report import AgreementChange


def change_of(week: Digest, before: Digest) -> AgreementChange | None:
    """Return the interval of the change from one week to another; None where either has too few verdicts.

    It is Newcombe's hybrid score interval of a difference of independent shares, from Wilson's bounds of each:
    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
    17 (1998), method 10.
    """
    if min(week.n, before.n) < MIN_VERDICTS_FOR_SHARE:
        return None
    share, share_before = week.agreed / week.n, before.agreed / before.n
    (low, high), (low_before, high_before) = (wilson_interval(each.agreed, each.n) for each in (week, before))
    difference = share - share_before
    return AgreementChange(
        low=difference - hypot(share - low, high_before - share_before),
        high=difference + hypot(high - share, share_before - low_before),
    )
