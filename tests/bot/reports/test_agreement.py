"""Agreement beyond chance, also where people name no right value."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.reports.agreement import cohen_kappa, gwet_ac1, wilson_interval
from bot.reports.score_agreement import ScorePair, mean_absolute_error, weighted_kappa
from bot.reports.single_votes import compare_single_votes
from bot.reports.verdict_label import UNNAMED

labels = st.sampled_from(["good", "fair", "bad"])
pairs_with_unnamed = st.lists(st.tuples(labels, labels | st.just(UNNAMED)), min_size=2, max_size=50)
scores = st.integers(1, 5).map(float)
scores_with_unnamed = st.lists(st.tuples(scores, scores | st.just(UNNAMED)), min_size=2, max_size=50)


@given(pairs_with_unnamed)
def test_kappa_and_ac1_are_1_only_where_all_agree(pairs: list[tuple[str, object]]) -> None:
    all_agree = all(first == second for first, second in pairs)
    for value in (cohen_kappa(pairs), gwet_ac1(pairs, 4)):
        assert value is None or (value == pytest.approx(1, abs=1e-12)) == all_agree


@given(scores_with_unnamed)
def test_figures_of_numbers_claim_full_agreement_only_where_all_agree(pairs: list[ScorePair]) -> None:
    all_agree = all(first == second for first, second in pairs)
    kappa, error = weighted_kappa(pairs), mean_absolute_error(pairs)
    assert kappa is None or (kappa == pytest.approx(1, abs=1e-12)) == all_agree
    assert error is None or (error == 0) == all_agree


@pytest.mark.parametrize(
    ("pairs", "label_count", "expected"),
    [
        ([("a", "a")] * 12 + [("a", "b")] * 3 + [("b", "b")] * 5, 3, 0.80785),
        ([("a", "a")] * 45 + [("a", "b")] * 2 + [("b", "a")] * 2 + [("b", "b")], 2, 0.90983),
        (
            [("a", "a")] * 10
            + [("b", "b")] * 6
            + [("c", "c")] * 4
            + [("a", "unnamed")] * 5
            + [("b", "c")] * 2,
            4,
            0.66539,
        ),
    ],
)
def test_ac1_is_what_irrcac_computed(pairs: list[tuple[str, str]], label_count: int, expected: float) -> None:
    assert gwet_ac1(pairs, label_count) == pytest.approx(expected, abs=1e-5)


@given(pairs_with_unnamed, st.integers(4, 9))
def test_more_labels_to_choose_from_make_agreement_by_chance_rarer(
    pairs: list[tuple[str, object]], label_count: int
) -> None:
    few, many = gwet_ac1(pairs, label_count), gwet_ac1(pairs, label_count + 1)
    assume(few is not None)
    assert few is not None
    assert many is not None
    assert many >= few - 1e-12


def test_the_interval_of_a_share_of_none_or_all_ends_exactly_there() -> None:
    assert wilson_interval(0, 7)[0] == 0
    assert wilson_interval(7, 7)[1] == 1


# --- numbers


def test_a_number_off_by_one_is_a_small_miss() -> None:
    near: list[ScorePair] = [(float(n % 4 + 1), float(n % 4 + 2)) for n in range(25)]
    kappa = weighted_kappa(near)
    assert cohen_kappa(near) == pytest.approx(-0.25, abs=0.15)
    assert kappa is not None
    assert kappa > 0.6
    assert mean_absolute_error(near) == 1


def test_an_unnamed_number_is_as_far_off_as_the_named_wrong_ones() -> None:
    right: list[ScorePair] = [(1.0, 1.0), (3.0, 3.0), (5.0, 5.0)] * 10
    named: list[ScorePair] = [(2.0, 4.0), (4.0, 3.0)] * 3
    unnamed: list[ScorePair] = [(2.0, UNNAMED), (4.0, UNNAMED)] * 3
    assert mean_absolute_error([*right, *named, *unnamed]) == pytest.approx((9 + 9) / 42)
    known, some, all_known = (
        weighted_kappa(pairs) for pairs in (right + named, right + named + unnamed, right + named + named)
    )
    assert known is not None
    assert some is not None
    assert all_known is not None
    assert some < known
    assert some == pytest.approx(all_known, abs=0.02)


@pytest.mark.parametrize(
    "pairs", [[], [(1.0, 1.0), (2.0, 2.0), (3.0, UNNAMED)], [(1.0, UNNAMED), (2.0, UNNAMED)]]
)
def test_the_distance_is_not_known_where_nobody_names_a_right_number(pairs: list[ScorePair]) -> None:
    assert mean_absolute_error(pairs) is None
    assert weighted_kappa(pairs) is None


def test_weighted_kappa_needs_two_numbers_on_each_side() -> None:
    assert weighted_kappa([(1.0, 1.0), (1.0, 2.0)]) is None
    assert weighted_kappa([(1.0, 1.0), (2.0, 1.0)]) is None


# --- single people


def test_judge_and_people_are_compared_person_by_person_on_the_same_verdicts() -> None:
    verdicts = [
        *((True, [True, True, False]) for _ in range(8)),
        *((False, [False, True]) for _ in range(4)),
        *((True, [True]) for _ in range(100)),
    ]
    votes = compare_single_votes(verdicts)
    assert votes is not None
    assert (votes.with_judge.agreed, votes.with_judge.n) == (16 + 4, 24 + 8)
    assert (votes.among_people.agreed, votes.among_people.n) == (8, 24 + 4)
    for share in (votes.with_judge, votes.among_people):
        assert 0 <= share.low < share.agreed / share.n < share.high <= 1


def test_few_shared_verdicts_give_no_comparison() -> None:
    verdicts = [(True, [True, False])] * 9
    assert compare_single_votes([*verdicts, (True, [True])]) is None
    assert compare_single_votes([*verdicts, (True, [True, True])]) is not None


def test_many_votes_on_one_verdict_are_no_more_than_that_verdict() -> None:
    votes = compare_single_votes([(True, [True] * 40)] * 6 + [(True, [False] * 40)] * 6)
    assert votes is not None
    # twelve verdicts of two kinds, not 480 votes
    assert votes.with_judge.high - votes.with_judge.low > 0.4
