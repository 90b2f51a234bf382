"""The difference of two weeks' shares of agreement, with its interval."""

from bot.digest_words import headline_bounds
from bot.records import Digest, EstimatedShare
from bot.reports.agreement import newcombe_interval
from bot.weekly_report import AgreementChange


def change_of(week: Digest, before: Digest) -> AgreementChange | None:
    """Return the interval of the change of the share that is told, from one week to another.

    It is `newcombe_interval`. With the bounds of weighted shares it is the same construction: G. Y. Zou and A. Donner,
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
    shares = (EstimatedShare(share=share, low=low, high=high) for share, low, high in (now, earlier))
    low, high = newcombe_interval(*shares)
    return AgreementChange(low=low, high=high)
