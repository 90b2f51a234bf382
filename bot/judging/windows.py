"""Windows: a day cut into parts in each of which about as many traces are expected as in any other. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from math import expm1

import numpy as np

UNIFORM_SHARE = 0.05
"""Part of the expected traffic that is spread evenly over the day, so that no hour is without any."""
MAX_SLOTS_PER_CARD = 4
STEP_MS = 15 * 60_000
"""Zones differ from UTC, and change their clocks, by multiples of a quarter of an hour."""


def day_bounds(day: date, zone: tzinfo) -> tuple[int, int]:
    """Return the first millisecond of a calendar day in a time zone, and of the next day, since 1970."""
    midnights = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    start, end = (int(midnight.timestamp() * 1000) for midnight in midnights)
    return start, end


def slots_for(cards: int, expected: float) -> int:
    """Return the number of windows of which about `cards` hold a trace, where `expected` arrive by chance (Poisson).

    Of as many windows as cards, with one trace each on average, more than a third would hold none. At most four times
    as many windows as cards.
    """
    low, high = cards, MAX_SLOTS_PER_CARD * cards
    while low < high:
        middle = (low + high) // 2
        if middle * -expm1(-expected / middle) < cards:
            low = middle + 1
        else:
            high = middle
    return low


def window_ends(hours: Sequence[float], slots: int, day: date, zone: tzinfo) -> tuple[int, ...]:
    """Cut a day at the quantiles of its expected traffic.

    Args:
        hours: expected traffic of each hour of the day, 24 numbers; only their proportions matter.
        slots: number of windows, at least 1; fewer come back where they would be shorter than a millisecond.
        day: the calendar day.
        zone: its time zone. On days when clocks change an hour is missing, or counts twice.

    Returns:
        The ends of the windows, in milliseconds since 1970, the last of which is the end of the day. Each window is
        up to, but without, its end, and from the end before it, or from the start of the day.
    """
    start, end = day_bounds(day, zone)
    steps = [*range(start, end, STEP_MS), end]
    lengths = np.diff(steps).astype(np.float64)
    local = [datetime.fromtimestamp(step / 1000, tz=zone).hour for step, _ in pairwise(steps)]
    expected = np.array([hours[hour] for hour in local], dtype=np.float64) * lengths
    even = lengths / lengths.sum()
    total = expected.sum()
    density = even if total <= 0 else (1 - UNIFORM_SHARE) * expected / total + UNIFORM_SHARE * even
    cumulative = np.concatenate(([0.0], np.cumsum(density)))
    quantiles = np.arange(1, slots) / slots * cumulative[-1]
    inner = np.interp(quantiles, cumulative, np.array(steps, dtype=np.float64))
    return (*sorted({ms for ms in (int(each) for each in inner) if start < ms < end}), end)
