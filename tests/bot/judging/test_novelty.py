"""Novelty: near what was learned or shown, or unlike anything."""

import numpy as np
import pytest

from bot.judging.novelty import MIN_CARDS_FOR_FLOOR, CardVectors
from memalign.ports import Vector
from memalign.trace_neighbourhoods import Neighbourhood

FLOOR = 0.2


def direction(*numbers: float) -> Vector:
    row = np.array([*numbers, *[0.0] * (20 - len(numbers))], dtype=np.float32)
    return row / np.linalg.norm(row)


def near(cosine: float | None = None) -> Neighbourhood:
    return Neighbourhood(nearest_cosine=cosine, least_cosine=FLOOR)


@pytest.mark.parametrize(
    ("cosine", "novelty", "is_unlike", "is_copy"),
    [
        (None, 1.0, True, False),
        (FLOOR, 1.0, True, False),
        (-0.3, 1.0, True, False),
        (0.6, 0.5, False, False),
        (0.99, 0.0125, False, True),
        (1.0000001, 0.0, False, True),
    ],
)
def test_novelty_falls_with_the_nearest_case(
    cosine: float | None, novelty: float, is_unlike: bool, is_copy: bool
) -> None:
    distance = CardVectors([]).distance(direction(1), near(cosine))
    assert distance.novelty == pytest.approx(novelty, abs=1e-4)
    assert (distance.is_unlike, distance.is_copy) == (is_unlike, is_copy)


def test_a_recent_card_counts_as_a_learned_case_does() -> None:
    cards = CardVectors([direction(0, 1), direction(0.6, 0, 0.8)])
    assert cards.distance(direction(1), near(0.3)).nearest_cosine == pytest.approx(0.6)
    assert cards.distance(direction(1), near(0.7)).nearest_cosine == pytest.approx(0.7)
    assert cards.distance(direction(0, 1), near()).is_copy


def test_a_trace_without_a_vector_is_neither_new_nor_a_copy() -> None:
    distance = CardVectors([direction(1)]).distance(None, near())
    assert not distance.is_unlike
    assert not distance.is_copy
    assert distance.novelty < 0.05


def test_cards_tell_how_similar_any_two_are_where_all_of_them_are_alike() -> None:
    """Embedding models differ: by some of them unrelated texts have a cosine of .8."""
    alike = [direction(2, *(float(place == number) for place in range(19))) for number in range(19)]
    few, many = CardVectors(alike[: MIN_CARDS_FOR_FLOOR - 1]), CardVectors(alike[:-1])
    assert not few.distance(alike[-1], near()).is_unlike
    assert many.distance(alike[-1], near()).is_unlike
    assert many.distance(alike[-1], near()).novelty == pytest.approx(1.0)


def test_copies_among_cards_do_not_count_for_how_similar_any_two_are() -> None:
    copies = CardVectors([direction(1)] * 30)
    assert copies.distance(direction(0.5, 1), near()).least_cosine == FLOOR
