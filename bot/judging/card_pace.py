"""The chance of a window's card: even over the day, also where more windows hold a trace than cards are left.

The windows that hold a trace are not known in advance: more arrives than was expected, windows of yesterday wait for
their cards, too. Were the first of them given all cards, evenings would be asked about less than mornings. So each
window is given one with the chance of (cards left) / (windows left), which is selection sampling where their number is
known: C. T. Fan, M. E. Muller, I. Rezucha, "Development of Sampling Plans by Using Sequential (Item by Item) Selection
Techniques and Digital Computers", J. Am. Stat. Assoc. 57 (1962). Pure.
"""

from bisect import bisect_right
from math import expm1

from bot.judging.day_plan import JudgePlan

TRACES_OF_FORECAST = 10.0
"""Traces that the forecast counts for beside those that have arrived today. Set by hand: a forecast is often wrong by
a third, as 10 traces are by chance."""


def card_chance(cards_left: int, windows_waiting: int, windows_later: float) -> float:
    """Return the chance with which a window is given a card.

    Args:
        cards_left: cards that the judge may still show today, at least 1.
        windows_waiting: windows that have ended without a card so far, this one included.
        windows_later: windows of today that are expected to hold a trace when they end.
    """
    return min(1.0, cards_left / (max(1, windows_waiting) + windows_later))


def windows_later(plan: JudgePlan, now_ms: int, arrived: int) -> float:
    """Return how many of the day's windows that end later will hold a trace, where traces arrive by chance (Poisson).

    Args:
        plan: the judge's day.
        now_ms: the time, in milliseconds since 1970.
        arrived: the judge's traces of today so far.
    """
    if not plan.is_spread:
        return 0.0
    windows = len(plan.ends_ms)
    ended = bisect_right(plan.ends_ms, now_ms)
    # as many are expected in one window as in any other
    by_now = plan.expected * ended / windows
    busier = (arrived + TRACES_OF_FORECAST) / (by_now + TRACES_OF_FORECAST)
    return (windows - ended) * -expm1(-busier * plan.expected / windows)
