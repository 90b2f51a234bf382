"""The verdicts shown beside those of the judge without memory, and of that with the memory of the week's beginning."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar

from bot.digest_words import learning_sentences
from bot.feedback import Feedback
from bot.records import MemoryComparison
from bot.reports.learning_curve import compute_point
from bot.reports.mcnemar import mcnemar_mid_p
from bot.reports.memory_comparison import compare_memories
from bot.vote_marks import Vote
from memalign.records import Label
from memalign.value_types import value_type_of
from storage.records import CardSelection, ShadowKind, ShadowVerdict, StoredVerdict
from tests.bot.reports.test_digest import DOWN, UNSURE, UP, counted, voted

Case = tuple[StoredVerdict, list[Feedback]]
BOOL = value_type_of(bool)
counts = st.integers(0, 60)


def shadowed(
    number: int,
    judged: Label,
    shadow: Label,
    *votes: tuple[Vote | None, Label | None],
    kind: ShadowKind = "base",
    seen: bool = False,
) -> Case:
    """A verdict with another memory's value, and what each person says of it."""
    stored, feedback = voted(number, judged, *votes)
    shadows = (ShadowVerdict(kind=kind, value=shadow),)
    return replace(stored, shadows=shadows, resembles_case=seen), feedback


def compared(cases: Sequence[Case], values: object = bool, kind: ShadowKind = "base") -> MemoryComparison:
    comparison = compare_memories(cases, value_type_of(values), kind)
    assert comparison is not None
    return comparison.all


@given(counts, counts)
def test_the_mid_p_value_is_that_of_scipys_binomial_and_of_statsmodels_exact_test(
    fixed: int, broken: int
) -> None:
    pairs, fewer = fixed + broken, min(fixed, broken)
    mid_p = mcnemar_mid_p(fixed, broken)
    assert mid_p == pytest.approx(2 * binom.cdf(fewer, pairs, 0.5) - binom.pmf(fewer, pairs, 0.5), abs=1e-12)
    if fixed != broken:
        exact = mcnemar([[5, fixed], [broken, 7]], exact=True).pvalue
        assert mid_p == pytest.approx(exact - binom.pmf(fewer, pairs, 0.5), abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()), max_size=40))
def test_right_fixed_and_broken_are_those_of_the_labels(rows: list[tuple[bool, bool, bool, bool]]) -> None:
    cases = [
        shadowed(number, judged, shadow, ("up" if judged == label else "down", label), seen=seen)
        for number, (judged, shadow, label, seen) in enumerate(rows)
    ]
    comparison = compare_memories(cases, BOOL, "base")
    if not rows:
        assert comparison is None
        return
    assert comparison is not None
    for part, chosen in (
        (comparison.all, rows),
        (comparison.new, [row for row in rows if not row[3]]),
        (comparison.seen_before, [row for row in rows if row[3]]),
    ):
        assert part.n == len(chosen)
        assert part.right_now == sum(judged == label for judged, _, label, _ in chosen)
        assert part.right_then == sum(shadow == label for _, shadow, label, _ in chosen)
        assert part.right_now - part.right_then == part.fixed - part.broken
        assert part.fixed == sum(judged == label != shadow for judged, shadow, label, _ in chosen)


def test_an_unnamed_thumbs_down_says_nothing_of_another_value() -> None:
    unnamed: tuple[Vote, None] = ("down", None)
    cases = [
        shadowed(1, "good", "bad", unnamed),
        shadowed(2, "good", "good", unnamed),
        shadowed(3, "good", "bad", ("down", "bad")),
    ]
    comparison = compared(cases, ["good", "fair", "bad"])
    assert (comparison.n, comparison.right_now, comparison.right_then) == (2, 0, 1)
    assert (comparison.fixed, comparison.broken) == (0, 1)


def test_free_texts_are_not_compared() -> None:
    cases = [shadowed(1, "It is fine.", "It is fine.", ("up", "It is fine."))]
    assert compare_memories(cases, value_type_of(str), "base") is None


def test_ties_verdicts_nobody_can_tell_and_those_without_a_shadow_are_left_out() -> None:
    cases = [
        shadowed(1, True, False, UP, DOWN),
        shadowed(2, True, False, UNSURE),
        voted(3, True, UP),
        shadowed(4, True, False, UP, kind="last_week"),
        shadowed(5, True, False, UP),
    ]
    assert compared(cases).n == 1
    assert compared(cases, kind="last_week").n == 1


def test_a_digest_compares_with_no_memory_and_with_last_weeks() -> None:
    week = counted([shadowed(1, True, False, UP), shadowed(2, True, True, UP, kind="last_week")])
    assert week.against_base is not None
    assert week.against_base.all.fixed == 1
    assert week.against_last_week is not None
    assert week.against_last_week.all.fixed == 0
    assert "against_base" not in week.as_json()


def test_what_the_memory_changed_is_told_in_words() -> None:
    cases = [shadowed(number, True, False, UP) for number in range(7)]
    cases += [shadowed(number, True, False, DOWN) for number in range(7, 9)]
    cases += [shadowed(number, True, True, UP, seen=True) for number in range(9, 40)]
    assert learning_sentences(counted(cases)) == [
        "What it learned fixed 7 of 40 verdicts and broke 2. That could be chance.",
        "31 of them resembled cases it had learned. On new traces, it fixed 7 of 9 and broke 2.",
    ]


def test_a_memory_that_changed_nothing_is_told_as_such() -> None:
    votes = [UP] + 9 * [DOWN]
    cases = [shadowed(number, True, True, vote, kind="last_week") for number, vote in enumerate(votes)]
    assert learning_sentences(counted(cases)) == [
        "What it learned within the week made no difference to 10 verdicts: 1 is right either way."
    ]
    assert learning_sentences(counted(cases[1:])) == [], "of so few, no difference says nothing"


def test_of_all_weeks_each_is_compared_with_its_own_beginning() -> None:
    cases = [shadowed(number, True, False, DOWN, kind="last_week", seen=True) for number in range(3)]
    assert learning_sentences(replace(counted(cases), week="")) == [
        "What it learned within each week fixed none of 3 verdicts and broke 3. That could be chance.",
        "All 3 of them resembled cases it had learned.",
    ]


def test_a_difference_that_is_hardly_chance_is_told_as_such() -> None:
    cases = [shadowed(number, True, False, UP) for number in range(7)]
    (sentence,) = learning_sentences(counted(cases))
    assert sentence.endswith("and broke none. That is hardly chance.")


def test_a_point_of_the_curve_compares_both_judges_on_the_same_cards() -> None:
    cases = [
        voted(1, True, DOWN),
        shadowed(2, True, False, UP),
        shadowed(3, True, True, UP),
        shadowed(4, True, False, DOWN),
    ]
    point = compute_point("2026-W47", BOOL, cases)
    assert point is not None
    assert (point.shown.agreed, point.shown.n) == (2, 4)
    assert point.beside_base is not None
    assert (point.beside_base.agreed, point.beside_base.n) == (2, 3)
    assert point.base is not None
    assert (point.base.agreed, point.base.n) == (2, 3)
    assert point.shown.low < 0.5 < point.shown.high


def test_a_card_that_was_likely_to_be_picked_counts_less_in_the_shares_of_a_week() -> None:
    likely, feedback = shadowed(1, True, False, DOWN)
    likely = replace(likely, selection=CardSelection(probability=1.0))
    rare = [
        (replace(stored, selection=CardSelection(probability=0.25)), votes)
        for stored, votes in (shadowed(2, True, False, UP), shadowed(3, True, True, UP))
    ]
    point = compute_point("2026-W47", BOOL, [(likely, feedback), *rare])
    assert point is not None
    assert (point.shown.agreed, point.shown.n) == (2, 3)
    assert point.estimate.share == pytest.approx(8 / 9)
    assert point.base_share == pytest.approx(5 / 9)


def test_the_judge_without_memory_is_told_by_the_difference_where_it_was_asked() -> None:
    asked = [shadowed(1, True, True, DOWN), shadowed(2, True, False, DOWN), shadowed(3, True, True, UP)]
    others = [voted(number, True, UP) for number in range(4, 11)]
    point = compute_point("2026-W47", BOOL, [*asked, *others])
    assert point is not None
    assert point.estimate.share == pytest.approx(0.8)
    assert point.base_share == pytest.approx(1.0)  # 0.8 + (2 - 1) / 3, which is more than all
    same = compute_point("2026-W47", BOOL, [shadowed(1, True, True, DOWN), *others])
    assert same is not None
    assert same.base_share == same.estimate.share


def test_a_week_without_labels_has_no_point() -> None:
    assert compute_point("2026-W47", BOOL, [voted(1, True, UNSURE)]) is None
