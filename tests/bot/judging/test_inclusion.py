"""The chances of a window's candidates: they add up to 1, none is 0, and draws follow them exactly."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from bot.judging.inclusion import EQUAL_SHARE, draw, inclusion_probabilities

SCORES = st.lists(st.floats(1e-6, 1), min_size=1, max_size=8)
DRAWS = 20_000


@given(SCORES)
def test_one_card_is_given_and_everybody_has_a_chance(scores: list[float]) -> None:
    chances = inclusion_probabilities(scores)
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= EQUAL_SHARE / len(scores)
    assert np.argsort(chances, kind="stable")[-1] in np.flatnonzero(np.isclose(scores, max(scores)))


@given(SCORES, st.floats(0, 1, exclude_max=True))
def test_a_draw_tells_the_chance_it_had(scores: list[float], uniform: float) -> None:
    drawn = draw(scores, uniform)
    assert drawn.probability == inclusion_probabilities(scores)[drawn.place]
    assert drawn.is_by_score == (uniform >= EQUAL_SHARE) or uniform == pytest.approx(EQUAL_SHARE)


@pytest.mark.parametrize(
    "scores",
    [[0.1] * 8, [0.9, 0.01, 0.01], [0.5], [0.05, 0.1, 0.2, 0.4]],
    ids=["even", "one", "lone", "rising"],
)
def test_draws_are_as_frequent_as_their_chances(scores: Sequence[float]) -> None:
    random = np.random.default_rng(3)
    drawn = Counter(draw(scores, uniform).place for uniform in random.random(DRAWS))
    expected = [DRAWS * chance for chance in inclusion_probabilities(scores)]
    assert (
        chisquare([drawn[place] for place in range(len(scores))], expected).pvalue > 0.001 or len(scores) == 1
    )
