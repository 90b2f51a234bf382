"""The pace of a day's cards: each window has its chance, and there are never more cards than the day has."""

from collections.abc import Sequence
from math import ceil, floor, fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.judging.card_pace import card_chance, is_drawn

CHANCES = st.lists(st.floats(0, 1), max_size=60)
STARTS = st.integers(0, 2**20 - 1).map(lambda steps: steps / 2**20)
"""Starts that stay below 1 when chances are added and rounded: the last float before 1 does not."""


def drawn_windows(chances: Sequence[float], start: float) -> list[bool]:
    before, drawn = 0.0, []
    for chance in chances:
        drawn.append(is_drawn(before, chance, start))
        before += chance
    return drawn


@given(CHANCES, STARTS)
def test_there_are_as_many_cards_as_the_chances_add_up_to(chances: list[float], start: float) -> None:
    total = fsum(chances)
    assert floor(total - 1e-9) <= sum(drawn_windows(chances, start)) <= ceil(total + 1e-9)


def test_each_window_is_drawn_as_often_as_its_chance_says() -> None:
    chances = [0.5, 0.1, 1.0, 0.25, 0.9, 0.25]
    starts = (np.arange(10_000) + 0.5) / 10_000
    shares = np.mean([drawn_windows(chances, float(start)) for start in starts], axis=0)
    assert shares == pytest.approx(chances, abs=1e-3)


@given(st.integers(1, 40), st.integers(0, 80), STARTS)
def test_windows_that_are_known_have_equal_chances_and_no_more_cards_than_there_are(
    cards: int, windows: int, start: float
) -> None:
    before, chances = 0.0, []
    for left in range(windows, 0, -1):
        chances.append(card_chance(cards - before, 1, left - 1))
        before += chances[-1]
    assert chances == pytest.approx([min(1.0, cards / windows)] * windows if windows else [])
    assert sum(drawn_windows(chances, start)) <= cards
