"""Windows cover each day without gaps, and hold about as many traces each as were expected."""

import math
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.judging.windows import MAX_SLOTS_PER_CARD, UNIFORM_SHARE, day_bounds, slots_for, window_ends

HOUR_MS = 3_600_000
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("America/St_Johns", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Pacific/Chatham", "Pacific/Apia"),
)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
HOURS = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=24, max_size=24)
OFFICE = tuple(100.0 if 9 <= hour < 17 else 1.0 for hour in range(24))


@given(DAYS, st.sampled_from(ZONES))
def test_days_follow_each_other_and_are_those_of_the_calendar(day: date, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    start, end = day_bounds(day, zone)
    assert day_bounds(day + timedelta(days=1), zone)[0] == end
    assert 22 * HOUR_MS < end - start < 26 * HOUR_MS
    for ms, expected in ((start, day), (end - 1, day), (end, day + timedelta(days=1))):
        assert datetime.fromtimestamp(ms / 1000, tz=zone).date() == expected


@given(HOURS, st.integers(1, 400), DAYS, st.sampled_from(ZONES))
def test_windows_cover_the_day_without_gaps(
    hours: list[float], slots: int, day: date, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    ends = window_ends(hours, slots, day, zone)
    start, end = day_bounds(day, zone)
    assert ends[-1] == end
    assert all(before < after for before, after in pairwise((start, *ends)))
    assert len(ends) == slots


@given(HOURS, st.integers(1, 60), DAYS, st.sampled_from(ZONES))
def test_each_window_expects_as_much_as_any_other(
    hours: list[float], slots: int, day: date, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    start, end = day_bounds(day, zone)
    ends = window_ends(hours, slots, day, zone)
    # by the minute, which the function under test knows nothing of
    minutes = range(start, end, 60_000)
    weights = np.array([hours[datetime.fromtimestamp(ms / 1000, tz=zone).hour] for ms in minutes])
    even = np.full(len(weights), 1 / len(weights))
    total = weights.sum()
    density = even if total <= 0 else (1 - UNIFORM_SHARE) * weights / total + UNIFORM_SHARE * even
    cumulative = np.concatenate(([0.0], np.cumsum(density)))
    at_ends = np.interp([0, *((ms - start) / 60_000 for ms in ends)], np.arange(len(cumulative)), cumulative)
    assert np.allclose(np.diff(at_ends), 1 / slots, atol=1e-6)


@pytest.mark.parametrize(
    ("zone_name", "day", "length"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),
    ],
)
def test_on_days_when_clocks_change_windows_are_cut_from_the_hours_there_are(
    zone_name: str, day: date, length: float
) -> None:
    start, end = day_bounds(day, ZoneInfo(zone_name))
    assert (end - start) / HOUR_MS == length
    ends = window_ends([1.0] * 24, 10, day, ZoneInfo(zone_name))
    assert np.allclose(np.diff((start, *ends)), length * HOUR_MS / 10, atol=2)


def test_most_windows_lie_where_the_traffic_is() -> None:
    day, zone = date(2026, 11, 20), ZoneInfo("Asia/Kolkata")
    ends = window_ends(OFFICE, 30, day, zone)
    in_office_hours = [9 <= datetime.fromtimestamp((ms - 1) / 1000, tz=zone).hour < 17 for ms in ends]
    assert sum(in_office_hours) >= 27


@given(st.integers(1, 500), st.floats(1, 1000))
def test_there_are_so_many_windows_that_as_many_as_cards_hold_a_trace(cards: int, ratio: float) -> None:
    expected = cards * ratio
    slots = slots_for(cards, expected)

    def held(number: int) -> float:
        return number * (1 - math.exp(-expected / number))

    assert cards <= slots <= MAX_SLOTS_PER_CARD * cards
    assert slots == MAX_SLOTS_PER_CARD * cards or held(slots) >= cards * (1 - 1e-9)
    assert slots == cards or held(slots - 1) < cards * (1 + 1e-9)


@pytest.mark.parametrize(("expected", "slots"), [(31, 120), (45, 52), (100, 32), (300, 31), (3000, 30)])
def test_much_traffic_needs_hardly_more_windows_than_cards(expected: float, slots: int) -> None:
    assert slots_for(30, expected) == slots
