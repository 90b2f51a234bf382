"""The chance of a window's card: even over the day, also where more windows hold a trace than cards are left.

The windows that hold a trace are not known in advance: more arrives than was expected, windows of yesterday wait for
their cards, too. Were the first of them given all cards, evenings would be asked about less than mornings. So each
window is given a chance of one: what the chances before it have left of the day's cards, divided by the windows left.
The chances are laid end to end, and cards are drawn at whole steps from a random start, systematically (Madow, "On the
Theory of Systematic Sampling, II", Annals of Mathematical Statistics 20, 1949). So each window has exactly its chance,
whatever the others were given, and there are never more cards than the day has. Chances by the cards that are really
left, as in selection sampling, would be 0 once these are out: a digest that weighs by them would pass over evenings.
Pure.
"""

from bisect import bisect_right
from math import expm1, floor

from bot.judging.day_plan import JudgePlan

TRACES_OF_FORECAST = 10.0
"""Traces that the forecast counts for beside those that have arrived today. Set by hand: a forecast is often wrong by
a third, as 10 traces are by chance."""


def card_chance(cards_left: float, windows_waiting: int, windows_later: float) -> float:
    """Return the chance with which a window is given a card.

    Args:
        cards_left: the judge's cards of today, without the chances that windows had so far.
        windows_waiting: windows that have ended and had no chance yet, this one included.
        windows_later: windows of today that are expected to hold a trace when they end.
    """
    return min(1.0, max(0.0, cards_left) / (max(1, windows_waiting) + windows_later))


def is_drawn(chances_before: float, chance: float, start: float) -> bool:
    """Return whether a window is given a card.

    Args:
        chances_before: sum of the chances that the day's windows had before.
        chance: the window's.
        start: a random number of the day, from 0 up to, but without, 1.
    """
    return floor(start + chances_before + chance) > floor(start + chances_before)


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
