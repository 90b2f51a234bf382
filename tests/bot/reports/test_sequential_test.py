"""The test of "worse", looked at after each vote."""

import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bot.reports.sequential_test import WARNING_EVIDENCE, evidence_of_worse

counts = st.integers(0, 40)


@given(counts, counts)
def test_the_evidence_is_the_mean_likelihood_ratio_over_shares_above_one_half(
    fixed: int, broken: int
) -> None:
    ratio, _ = quad(lambda share: (2 * share) ** broken * (2 - 2 * share) ** fixed, 0.5, 1)
    assert evidence_of_worse(fixed, broken) == pytest.approx(2 * ratio, rel=1e-6)


@given(counts, counts)
def test_another_verdict_leaves_the_evidence_as_it_is_on_average_where_both_are_as_good(
    fixed: int, broken: int
) -> None:
    after = (evidence_of_worse(fixed + 1, broken) + evidence_of_worse(fixed, broken + 1)) / 2
    assert after == pytest.approx(evidence_of_worse(fixed, broken))


def verdicts_until_warning(rng: random.Random, share: float, longest: int) -> int | None:
    """Changed verdicts, of which a share is broken, until the evidence suffices; None if it never does."""
    fixed = broken = 0
    for number in range(1, longest + 1):
        is_broken = rng.random() < share
        broken, fixed = broken + is_broken, fixed + (not is_broken)
        if evidence_of_worse(fixed, broken) >= WARNING_EVIDENCE:
            return number
    return None


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_over_years_of_looking_after_each_vote_false_alarms_stay_below_one_week_in_a_hundred(
    share: float,
) -> None:
    rng = random.Random(20261127)
    weeks = [verdicts_until_warning(rng, share, 60) for _ in range(52 * 40)]
    assert sum(week is not None for week in weeks) / len(weeks) <= 1 / WARNING_EVIDENCE


def test_of_a_judge_that_is_mostly_worse_a_few_dozen_changed_verdicts_tell() -> None:
    rng = random.Random(20261127)
    numbers = [verdicts_until_warning(rng, 0.8, 400) for _ in range(500)]
    assert None not in numbers
    assert median(number for number in numbers if number is not None) <= 30


def test_nine_broken_verdicts_in_a_row_are_enough_and_eight_are_not() -> None:
    assert evidence_of_worse(0, 9) >= WARNING_EVIDENCE > evidence_of_worse(0, 8)


def test_of_thousands_of_verdicts_the_evidence_is_a_number() -> None:
    assert evidence_of_worse(2_000, 2_000) < 1
    assert evidence_of_worse(0, 900) > 1e200
