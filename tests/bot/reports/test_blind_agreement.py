"""Answers given before the verdict is seen, beside those with it in sight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.records import EstimatedShare
from bot.reports.agreement import newcombe_interval, wilson_interval
from bot.reports.blind_agreement import FirstAnswer, compare_blind
from bot.reports.weighted_agreement import WeightedCase

AGREEMENT = 0.76
"""Share of verdicts that people agree with if they have not seen them."""
BLIND, SHOWN = 60, 240
RUNS = 1000


def answers(agreed: int, n: int, *, is_blind: bool, probability: float = 1.0) -> list[FirstAnswer]:
    return [
        FirstAnswer(case=WeightedCase(agreed=number < agreed, probability=probability), is_blind=is_blind)
        for number in range(n)
    ]


def estimated(agreed: int, n: int) -> EstimatedShare:
    low, high = wilson_interval(agreed, n)
    return EstimatedShare(share=agreed / n, low=low, high=high)


@given(st.integers(1, 400), st.integers(1, 400), st.data())
@settings(deadline=None)
def test_the_interval_of_a_difference_is_statsmodels(n: int, other: int, data: st.DataObject) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    agreed, other_agreed = data.draw(st.integers(0, n)), data.draw(st.integers(0, other))
    expected = proportion.confint_proportions_2indep(
        agreed, n, other_agreed, other, method="newcomb", compare="diff"
    )
    interval = newcombe_interval(estimated(agreed, n), estimated(other_agreed, other))
    assert interval == pytest.approx(expected, abs=1e-12)


def test_the_anchoring_effect_is_the_difference_with_its_interval() -> None:
    # the example of Newcombe's table II, (a): 56 of 70 and 48 of 80
    blind = compare_blind([*answers(48, 80, is_blind=True), *answers(56, 70, is_blind=False)])
    assert blind is not None
    assert (blind.agreed, blind.n, blind.anchored_agreed, blind.anchored_n) == (48, 80, 56, 70)
    assert blind.effect == pytest.approx(0.2)
    assert (blind.effect_low, blind.effect_high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert (blind.low, blind.high) == wilson_interval(48, 80)


def test_without_answers_of_the_one_or_other_kind_there_is_no_effect() -> None:
    assert compare_blind(answers(5, 9, is_blind=False)) is None
    blind = compare_blind(answers(5, 9, is_blind=True))
    assert blind is not None
    assert (blind.n, blind.agreed, blind.effect, blind.effect_low, blind.effect_high) == (
        9,
        5,
        None,
        None,
        None,
    )


def test_cards_are_weighed_by_their_chance_of_being_picked() -> None:
    blind = compare_blind(
        [
            *answers(2, 6, is_blind=True, probability=0.5),
            *answers(6, 6, is_blind=True, probability=0.1),
            *answers(9, 10, is_blind=False),
        ]
    )
    assert blind is not None
    assert blind.agreement == pytest.approx((2 * 2 + 6 * 10) / (6 * 2 + 6 * 10))
    assert blind.effect == pytest.approx(0.9 - blind.agreement)


@pytest.mark.parametrize("anchoring", [0.2, 0.4])
def test_blind_cards_tell_agreement_and_anchoring_within_their_intervals(anchoring: float) -> None:
    """People who see a wrong verdict wave a part of them through."""
    chance = np.random.default_rng(round(anchoring * 10))
    effect = anchoring * (1 - AGREEMENT)
    agreed_blind = chance.binomial(BLIND, AGREEMENT, RUNS)
    agreed_shown = chance.binomial(SHOWN, AGREEMENT + effect, RUNS)
    share_held, effect_held, effects = [], [], []
    for blind_count, shown_count in zip(agreed_blind.tolist(), agreed_shown.tolist(), strict=True):
        blind = compare_blind(
            [*answers(blind_count, BLIND, is_blind=True), *answers(shown_count, SHOWN, is_blind=False)]
        )
        assert blind is not None
        assert blind.effect is not None
        assert blind.effect_low is not None
        assert blind.effect_high is not None
        share_held.append(blind.low <= AGREEMENT <= blind.high)
        effect_held.append(blind.effect_low <= effect <= blind.effect_high)
        effects.append(blind.effect)
    assert 0.93 <= np.mean(share_held) <= 0.98
    assert 0.93 <= np.mean(effect_held) <= 0.98
    assert abs(np.mean(effects) - effect) <= 0.01
