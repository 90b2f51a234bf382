"""The chance that a verdict is wrong: what raises it, what is told of it, and how it follows people's answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bot.judging.rule_features import rule_features
from bot.judging.wrong_score import (
    STARTING_WEIGHTS,
    WrongFeatures,
    dissent,
    label_difference,
    largest_reason,
    opinion_feature,
    wrong_score,
)
from bot.judging.wrong_score_fit import MIN_ANSWERED_CARDS, AnsweredCard, fit_weights
from memalign.records import Guideline, GuidelineRecord, Json, Label
from memalign.value_types import FeedbackValueType, ValueType
from storage.records import SelectionReason
from tests.factories import a_guideline, a_judge

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
PLAIN = WrongFeatures(novelty=0.25)


def value_type(kind: FeedbackValueType, value_range: tuple[float, float] | None = None) -> ValueType:
    return replace(a_judge(value_type=kind).definition.value_type, value_range=value_range)


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (WrongFeatures(), "random"),
        (WrongFeatures(novelty=1.0), "unlike"),
        (WrongFeatures(base_difference=1.0), "disagreement"),
        (WrongFeatures(case_difference=1.0), "disagreement"),
        (WrongFeatures(dissent=0.5), "dissent"),
        (WrongFeatures(new_rule=1.0), "new_rule"),
        (WrongFeatures(doubtful_rule=0.8), "doubtful_rule"),
        (WrongFeatures(conflicting_rule=1.0), "conflicting_rules"),
        (WrongFeatures(base_difference=-0.4, dissent=0.1), "random"),
        (WrongFeatures(new_rule=1.0, base_difference=1.0), "disagreement"),
    ],
)
def test_the_largest_reason_is_told(features: WrongFeatures, reason: SelectionReason) -> None:
    others = [features, *[WrongFeatures()] * 7]
    assert largest_reason(features, others, STARTING_WEIGHTS, is_unlike=True) == reason
    if reason != "random":
        assert wrong_score(features) > wrong_score(WrongFeatures())


def test_what_all_candidates_share_is_no_reason_to_pick_one_of_them() -> None:
    all_new = WrongFeatures(novelty=1.0)
    both = replace(all_new, new_rule=1.0)
    assert largest_reason(all_new, [all_new] * 4, STARTING_WEIGHTS, is_unlike=True) == "random"
    assert largest_reason(both, [both, *[all_new] * 3], STARTING_WEIGHTS, is_unlike=True) == "new_rule"


def test_an_opinion_that_agrees_is_no_disagreement_where_none_agrees() -> None:
    agrees, differs = WrongFeatures(base_difference=-0.4), WrongFeatures(case_difference=-0.4)
    assert largest_reason(agrees, [agrees, differs], STARTING_WEIGHTS, is_unlike=False) == "random"
    assert largest_reason(differs, [agrees, differs], STARTING_WEIGHTS, is_unlike=False) == "random"


def test_what_is_like_something_known_is_not_called_new() -> None:
    near = WrongFeatures(novelty=0.9)
    assert largest_reason(near, [near, WrongFeatures()], STARTING_WEIGHTS, is_unlike=False) == "random"


@pytest.mark.parametrize(
    ("kind", "value_range", "one", "other", "difference"),
    [
        (bool, None, True, True, 0.0),
        (bool, None, True, False, 1.0),
        (["good", "bad"], None, "good", "bad", 1.0),
        (int, None, 3, 4, 1.0),
        (int, (1, 5), 3, 3, 0.0),
        (int, (1, 5), 3, 4, 0.5),
        (float, (0, 1), 0.1, 0.9, 1.0),
    ],
)
def test_labels_differ_by_their_scale(
    kind: FeedbackValueType,
    value_range: tuple[float, float] | None,
    one: Label,
    other: Label,
    difference: float,
) -> None:
    assert label_difference(one, other, value_type(kind, value_range)) == pytest.approx(difference)


def test_an_opinion_that_agrees_lowers_the_score_and_none_leaves_it() -> None:
    def score(opinion: Label | None) -> float:
        feature = opinion_feature(True, opinion, value_type(bool))
        return wrong_score(replace(PLAIN, base_difference=feature))

    assert score(True) < score(None) < score(False)


def test_free_texts_are_not_compared() -> None:
    assert opinion_feature("curt", "rude", value_type(str)) == 0
    assert dissent("curt", {"rude": 3}, value_type(str)) == 0


def test_dissent_is_the_share_of_peoples_labels_that_are_not_the_verdicts() -> None:
    assert dissent(True, {True: 3, False: 1}, value_type(bool)) == pytest.approx(0.25)
    assert dissent(True, {}, value_type(bool)) == 0
    assert dissent(5, {3: 1, 5: 1}, value_type(int, (1, 5))) == pytest.approx(0.5)


def a_rule(up: int = 0, down: int = 0, age_days: int = 0, **fields: Json) -> Guideline:
    rule = a_guideline(guideline_id="g-1")
    record = GuidelineRecord(up=up, down=down)
    return replace(rule, record=record, learned_ms=NOW_MS - age_days * DAY_MS, **fields)


@pytest.mark.parametrize(
    ("rule", "new", "doubtful", "conflicting"),
    [
        (a_rule(), 1, False, 0),
        (a_rule(up=4), 1, False, 0),
        (a_rule(up=5), 0, False, 0),
        (a_rule(age_days=29), 0, False, 0),
        (a_rule(down=3, age_days=29), 0, True, 0),
        (a_rule(up=9, conflicts_with=("g-2",)), 0, False, 1),
        (a_rule(up=9, conflicts_with=("g-gone",)), 0, False, 0),
    ],
)
def test_guidelines_that_led_the_judge_tell_on_its_verdict(
    rule: Guideline, new: float, doubtful: bool, conflicting: float
) -> None:
    guidelines = {"g-1": rule, "g-2": a_guideline(guideline_id="g-2")}
    features = rule_features(["g-1", "g-unknown"], guidelines, NOW_MS)
    assert (features.new, features.doubtful > 0.3, features.conflicting) == (new, doubtful, conflicting)
    assert rule_features([], guidelines, NOW_MS) == rule_features(["g-unknown"], {}, NOW_MS)


def answers(number: int, truth: Sequence[float], seed: int = 5) -> list[AnsweredCard]:
    """Cards whose verdicts are wrong with the log-odds of some weights, that of the base first."""
    random = np.random.default_rng(seed)
    rows = np.where(random.random((number, 7)) < 0.4, random.random((number, 7)), 0.0)
    chances = 1 / (1 + np.exp(-(truth[0] + rows @ np.array(truth[1:]))))
    outcomes = random.random(number) < chances
    return [
        AnsweredCard(features=tuple(map(float, row)), is_wrong=bool(wrong))
        for row, wrong in zip(rows, outcomes, strict=True)
    ]


def loss(cards: Sequence[AnsweredCard], weights: Sequence[float]) -> float:
    total = 0.0
    for card in cards:
        lean = weights[0] + sum(w * x for w, x in zip(weights[1:], card.features, strict=True))
        total += float(np.logaddexp(0, lean)) - card.is_wrong * lean
    return total / len(cards)


def test_weights_follow_peoples_answers() -> None:
    truth = (-1.0, 0.0, 3.0, 4.0, 0.0, 2.0, 0.0, -1.0)
    fitted = fit_weights(answers(600, truth))
    unseen = answers(2000, truth, seed=6)
    start = (STARTING_WEIGHTS.base, *STARTING_WEIGHTS.features)
    assert loss(unseen, (fitted.base, *fitted.features)) < 0.9 * loss(unseen, start)
    assert loss(unseen, (fitted.base, *fitted.features)) < 1.1 * loss(unseen, truth)


def test_few_answers_hardly_move_the_weights() -> None:
    few = answers(MIN_ANSWERED_CARDS, (-1.0, 0.0, 3.0, 4.0, 0.0, 2.0, 0.0, -1.0))
    many = answers(600, (-1.0, 0.0, 3.0, 4.0, 0.0, 2.0, 0.0, -1.0))

    def moved(cards: Sequence[AnsweredCard]) -> float:
        return max(
            abs(one - other)
            for one, other in zip(fit_weights(cards).features, STARTING_WEIGHTS.features, strict=True)
        )

    assert moved(few) < 0.5 * moved(many)


@pytest.mark.parametrize(
    "cards",
    [
        answers(MIN_ANSWERED_CARDS - 1, (0.0,) * 8),
        [replace(card, is_wrong=False) for card in answers(500, (0.0,) * 8)],
        [replace(card, features=card.features[:3]) for card in answers(500, (0.0,) * 8)],
    ],
    ids=["few", "all right", "of another version"],
)
def test_the_starting_weights_stay_without_enough_answers(cards: Sequence[AnsweredCard]) -> None:
    assert fit_weights(cards) is STARTING_WEIGHTS


def test_separable_answers_leave_finite_weights() -> None:
    cards = [
        AnsweredCard(features=(float(number % 2), *[0.0] * 6), is_wrong=number % 2 == 0)
        for number in range(400)
    ]
    assert all(abs(weight) < 20 for weight in fit_weights(cards).features)
