"""Agreement that depends on the hour: what cards show is what is so, and not what is so in the morning.

Design and first figures: cards of the day's first traces read .898 where .816 is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.config import Settings
from bot.judging.card_pace import card_chance, is_drawn, windows_later
from bot.judging.day_plan import DayPlan, plan_day
from bot.judging.reservoir import Reservoir
from bot.judging.windows import day_bounds
from tests.bot.bot_in_workspace import settings_for

OFFICE_HOURS = np.array([0.2] * 7 + [2, 6, 11, 12, 11, 7, 9, 11, 11, 9, 6, 2] + [0.4] * 5)
"""Relative traffic by hour."""
WEEKEND_SHARE = 0.1
BEFORE_NOON, AFTER_NOON = 0.90, 0.75
DAYS = 400
CAP = 30
RATE = 0.1
JUDGE = "politeness"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedTraffic:
    """The sampled traces of a day."""

    times_ms: np.ndarray
    """Of arrival, in order."""
    agrees: np.ndarray
    """True where people would agree with the verdict."""
    by_hour: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The true share of agreement, and what cards say."""

    true: float
    shown: float
    weighted: float
    """As a digest's headline weighs cards."""
    cards_a_day: Sequence[int]


def settings_of(folder: Path, *, spread: bool, cap: int = CAP) -> Settings:
    sampling = {"rate": RATE, "max_per_day": cap, "spread": spread}
    return settings_for(folder, "C1", sampling=sampling, digest={"timezone": "Europe/Berlin"})


def a_day(random: np.random.Generator, number: float, day: date, settings: Settings) -> ReplayedTraffic:
    """Draw a day's sampled traces, about so many."""
    start, end = day_bounds(day, settings.digest.zone)
    weights = OFFICE_HOURS / OFFICE_HOURS.sum()
    hours = np.sort(random.choice(24, size=random.poisson(number), p=weights))
    times = np.sort(start + ((hours + random.random(len(hours))) * 3_600_000).astype(np.int64))
    chances = np.where(hours < 12, BEFORE_NOON, AFTER_NOON)
    counts = np.bincount(hours, minlength=24)
    return ReplayedTraffic(
        # a day when clocks change may be an hour shorter
        times_ms=np.minimum(times, end - 1),
        agrees=random.random(len(hours)) < chances,
        by_hour=tuple(int(each) for each in counts),
    )


def shown_places(
    plan: DayPlan, traffic: ReplayedTraffic, random: np.random.Generator
) -> list[tuple[int, float]]:
    """Return the places of the traces that get the day's cards, each with its chance.

    They are the first ones, or those of windows.
    """
    own = plan.judges[JUDGE]
    if not own.is_spread:
        return [(place, 1.0) for place in range(min(own.cards, len(traffic.times_ms)))]
    chosen: list[tuple[int, float]] = []
    before, start = 0.0, random.random()
    windows = np.searchsorted(np.array(own.ends_ms), traffic.times_ms, side="right")
    ranks = random.random(len(windows))
    for window in np.unique(windows):
        places = np.flatnonzero(windows == window)
        later = windows_later(own, own.ends_ms[window], arrived=int(places[-1]) + 1)
        chance = card_chance(own.cards - before, 1, later)
        drawn, before = is_drawn(before, chance, start), before + chance
        if not drawn:
            continue
        reservoir = Reservoir()
        for place in places:
            if ranks[place] < reservoir.bound:
                reservoir.add(float(ranks[place]))
        candidates = places[ranks[places] <= reservoir.bound]
        chosen.append((int(random.choice(candidates)), chance / len(places)))
    return chosen


def replayed(
    settings: Settings, traces_a_day: float, weekends: float = 1.0, growth: float = 1.0, seed: int = 12
) -> Shares:
    """Replay the days with the traffic learned from the week before each."""
    random, choices = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    known: dict[str, tuple[int, ...]] = {}
    true: list[np.ndarray] = []
    shown: list[np.ndarray] = []
    weights: list[list[float]] = []
    for number in range(DAYS):
        day = date(2026, 1, 5) + timedelta(days=number)
        share = weekends if day.weekday() >= 5 else growth ** (number % 7)
        traffic = a_day(random, traces_a_day * RATE * share, day, settings)
        plan = plan_day(
            day, settings.digest.zone, settings, {"C1": settings.sampling.max_per_day}, {JUDGE: known}
        )
        true.append(traffic.agrees)
        cards = shown_places(plan, traffic, choices)
        shown.append(traffic.agrees[[place for place, _ in cards]])
        weights.append([1 / chance for _, chance in cards])
        known[day.isoformat()] = traffic.by_hour
    return Shares(
        true=float(np.concatenate(true).mean()),
        shown=float(np.concatenate(shown).mean()),
        weighted=float(np.average(np.concatenate(shown), weights=np.concatenate(weights))),
        cards_a_day=[len(each) for each in shown],
    )


@pytest.mark.parametrize("traces_a_day", [330, 450, 1000, 30_000])
def test_the_mean_of_the_cards_is_that_of_the_traces(tmp_path: Path, traces_a_day: int) -> None:
    shares = replayed(settings_of(tmp_path, spread=True), traces_a_day)
    assert shares.true == pytest.approx(0.816, abs=0.01)
    assert abs(shares.shown - shares.true) <= 0.01
    assert max(shares.cards_a_day) <= CAP
    assert np.mean(shares.cards_a_day) >= 0.88 * CAP


def test_the_mean_of_the_cards_is_that_of_the_traces_where_weekends_are_quiet(tmp_path: Path) -> None:
    shares = replayed(settings_of(tmp_path, spread=True), 3000, weekends=WEEKEND_SHARE)
    assert abs(shares.shown - shares.true) <= 0.01


@pytest.mark.parametrize(
    ("traces_a_day", "weekends", "growth"),
    [(500, 0.1, 1.0), (700, 0.1, 1.0), (500, 0.0, 1.0), (330, 1.0, 1.3), (450, 0.1, 1.3)],
    ids=["quiet weekends", "more traffic", "no weekends", "busier by the day", "both"],
)
def test_the_evening_has_its_cards_where_more_comes_than_was_expected(
    tmp_path: Path, traces_a_day: float, weekends: float, growth: float
) -> None:
    """About as much traffic as cards: more windows than cards hold a trace on a busy day."""
    shares = replayed(settings_of(tmp_path, spread=True), traces_a_day, weekends, growth)
    assert abs(shares.weighted - shares.true) <= 0.01
    assert max(shares.cards_a_day) <= CAP
    busiest = sorted(shares.cards_a_day)[DAYS // 2 :]
    assert np.mean(busiest) >= 0.9 * CAP


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_the_evening_counts_as_much_as_the_morning_where_cards_are_few(tmp_path: Path, cap: int) -> None:
    """Half as many traces again as cards: most days have more windows with a trace than cards."""
    settings = settings_of(tmp_path, spread=True, cap=cap)
    shares = [replayed(settings, 1.5 * cap / RATE, seed=seed) for seed in range(20)]
    assert max(max(each.cards_a_day) for each in shares) <= cap
    # the mean of 20 times 400 days; one card a day leaves it a standard error of half a point
    assert abs(np.mean([each.weighted - each.true for each in shares])) <= 0.01


@pytest.mark.parametrize("traces_a_day", [1000, 30_000])
def test_the_days_first_traces_show_the_morning_only(tmp_path: Path, traces_a_day: int) -> None:
    shares = replayed(settings_of(tmp_path, spread=False), traces_a_day)
    assert shares.shown - shares.true > 0.05
