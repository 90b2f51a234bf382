"""The difference of two weeks' shares of agreement, with its interval."""

from math import hypot

from bot.digest_words import headline_bounds
from bot.records import Digest
from bot.weekly_report import AgreementChange


def change_of(week: Digest, before: Digest) -> AgreementChange | None:
    """Return the interval of the change of the share that is told, from one week to another.

    It is Newcombe's hybrid score interval of a difference of independent shares, from the bounds of each: R. G.
    Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998), method 10. With the bounds of weighted shares it is the same construction: G. Y. Zou and A. Donner,
    "Construction of confidence limits about effect measures: a general approach", Statistics in Medicine 27 (2008).

    Args:
        week: the week.
        before: the week before it.

    Returns:
        The change; None where either has too few verdicts for a share.
    """
    now, earlier = headline_bounds(week), headline_bounds(before)
    if now is None or earlier is None:
        return None
    (share, low, high), (share_before, low_before, high_before) = now, earlier
    difference = share - share_before
    return AgreementChange(
        low=difference - hypot(share - low, high_before - share_before),
        high=difference + hypot(high - share, share_before - low_before),
    )
