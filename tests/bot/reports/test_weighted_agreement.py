"""Simulations of picked cards, with fixed seeds: the weighted share is that of all traces, its interval holds it."""

import numpy as np
import pytest
from numpy.typing import NDArray

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
