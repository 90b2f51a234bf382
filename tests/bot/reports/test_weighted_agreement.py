"""Simulations of picked cards, with fixed seeds: the weighted share is that of all traces, its interval holds it."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.judging.inclusion import draw
from bot.judging.sampling import selection_at_rate
from bot.judging.windows import day_bounds, window_ends
from bot.reports.agreement import wilson_interval
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement

TRACES = 3000
AGREEMENT = 0.824
RUNS = 1500
RANDOM_PART = 0.4
"""Share of the cards that chance alone picks."""

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def traffic(chance: np.random.Generator) -> tuple[Flags, Numbers]:
    """Traces on which the judge is right or not, each with an estimate, of medium sharpness, that it is wrong."""
    suspicion = chance.beta(1.32, 6.18, TRACES)
    right = chance.random(TRACES) >= suspicion
    # exactly as many as are said to be right
    surplus = int(right.sum()) - round(AGREEMENT * TRACES)
    swapped = chance.choice(np.flatnonzero(right == (surplus > 0)), abs(surplus), replace=False)
    right[swapped] = surplus < 0
    return right, suspicion


def estimates(
    right: Flags, chances: Numbers, chance: np.random.Generator, runs: int = RUNS
) -> tuple[Numbers, Numbers, Numbers]:
    """The weighted shares of many drawings, the plain ones, and whether the weighted interval holds the truth."""
    weighted, plain, held = [], [], []
    truth = right.mean()
    for _ in range(runs):
        picked = np.flatnonzero(chance.random(len(right)) < chances)
        cases = [WeightedCase(agreed=bool(right[each]), probability=float(chances[each])) for each in picked]
        share = weighted_agreement(cases)
        if share is not None:
            weighted.append(share.share)
            plain.append(right[picked].mean())
            held.append(share.low <= truth <= share.high)
    return np.array(weighted), np.array(plain), np.array(held, dtype=float)


def rmse(shares: Numbers, truth: float) -> float:
    return float(np.sqrt(np.mean((shares - truth) ** 2)))


@pytest.mark.parametrize("cards", [30, 60, 150])
def test_the_share_of_picked_cards_is_that_of_all_traces_once_each_is_weighed(cards: int) -> None:
    chance = np.random.default_rng(cards)
    right, suspicion = traffic(chance)
    truth = float(right.mean())
    assert truth == pytest.approx(AGREEMENT, abs=1e-3)
    aimed = (1 - RANDOM_PART) * suspicion / suspicion.sum()
    chances = np.minimum(1, cards * (RANDOM_PART / TRACES + aimed))

    weighted, plain, held = estimates(right, chances, chance)
    uniform, _, _ = estimates(right, np.full(TRACES, cards / TRACES), chance)

    assert abs(weighted.mean() - truth) <= 0.01
    assert 0.93 <= held.mean() <= 0.99
    assert plain.mean() - truth == pytest.approx(-0.058, abs=0.015)
    assert rmse(weighted, truth) <= 1.15 * rmse(uniform, truth)


def test_a_share_without_weights_has_an_interval_that_leaves_out_the_truth() -> None:
    chance = np.random.default_rng(1)
    right, suspicion = traffic(chance)
    chances = np.minimum(1, 150 * (RANDOM_PART / TRACES + (1 - RANDOM_PART) * suspicion / suspicion.sum()))
    _, plain, held = estimates(right, chances, chance, runs=500)
    intervals = [wilson_interval(share * 150, 150) for share in plain]
    plain_held = np.mean([low <= right.mean() <= high for low, high in intervals])
    assert plain_held < 0.8 < held.mean()


ZONE = ZoneInfo("Europe/Berlin")
OFFICE_HOURS = np.array([0.2] * 7 + [2, 6, 11, 12, 11, 7, 9, 11, 11, 9, 6, 2] + [0.4] * 5)
"""Relative traffic by hour."""
BEFORE_NOON, AFTER_NOON = 0.90, 0.75
"""Agreement, which depends on the hour."""
RATE, CARDS_A_DAY, CANDIDATES = 0.1, 30, 8
WEEKS = 150


def a_day(chance: np.random.Generator, sampled: int, day: date) -> tuple[Numbers, Flags, Numbers]:
    """Arrivals in order, in milliseconds, whether the judge is right, and how likely it seems to be wrong."""
    hours = np.sort(chance.choice(24, size=chance.poisson(sampled), p=OFFICE_HOURS / OFFICE_HOURS.sum()))
    times = np.sort(day_bounds(day, ZONE)[0] + (hours + chance.random(len(hours))) * 3_600_000)
    right = chance.random(len(hours)) < np.where(hours < 12, BEFORE_NOON, AFTER_NOON)
    suspicion = 1 / (1 + np.exp(-chance.normal(np.where(right, -1.9, -0.9), 1.0)))
    return times, right, suspicion


def cards_of_first_day(right: Flags) -> list[WeightedCase]:
    """All sampled traces at once, until the day's cards are used up."""
    probability = selection_at_rate(RATE).probability
    return [WeightedCase(agreed=bool(each), probability=probability) for each in right[:CARDS_A_DAY]]


def cards_of_windows(
    chance: np.random.Generator, times: Numbers, right: Flags, suspicion: Numbers, ends: tuple[int, ...]
) -> list[WeightedCase]:
    """A card of each window with traces: one of some candidates, drawn by suspicion."""
    cards = []
    windows = np.searchsorted(np.array(ends), times, side="right")
    for window in np.unique(windows):
        arrived = np.flatnonzero(windows == window)
        candidates = chance.choice(arrived, min(CANDIDATES, len(arrived)), replace=False)
        drawn = draw([float(suspicion[each]) for each in candidates], float(chance.random()))
        probability = RATE * len(candidates) / len(arrived) * drawn.probability
        cards.append(WeightedCase(agreed=bool(right[candidates[drawn.place]]), probability=probability))
    return cards


@pytest.mark.parametrize("traces_a_day", [1000, 10_000])
def test_a_week_of_windows_over_the_day_is_estimated_right_even_after_a_first_day_at_once(
    traces_a_day: int,
) -> None:
    chance = np.random.default_rng(traces_a_day)
    forecast = tuple(OFFICE_HOURS.tolist())
    shares, plain, held, truths = [], [], [], []
    for week in range(WEEKS):
        monday = date(2026, 1, 5) + timedelta(weeks=week)
        cards: list[WeightedCase] = []
        everything = []
        for number in range(7):
            day = monday + timedelta(days=number)
            times, right, suspicion = a_day(chance, round(traces_a_day * RATE), day)
            everything.append(right)
            ends = window_ends(forecast, CARDS_A_DAY, day, ZONE)
            cards += (
                cards_of_windows(chance, times, right, suspicion, ends)
                if number
                else cards_of_first_day(right)
            )
        truth = float(np.concatenate(everything).mean())
        share = weighted_agreement(cards)
        assert share is not None
        shares.append(share.share)
        plain.append(np.mean([card.agreed for card in cards]))
        held.append(share.low <= truth <= share.high)
        truths.append(truth)
    assert abs(np.mean(shares) - np.mean(truths)) <= 0.01
    assert 0.93 <= np.mean(held) <= 0.995
    assert np.mean(plain) - np.mean(truths) < -0.01
