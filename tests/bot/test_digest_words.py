"""The week's figures in words: few verdicts claim nothing, and no sentence contradicts another."""

import re
from dataclasses import replace

import pytest

from bot.blocks.digest import digest_message
from bot.blocks.digest_details import digest_figures_message
from bot.digest_words import (
    coefficient,
    coverage_line,
    figure_sentences,
    headline_bounds,
    headline_share,
    percent,
    share_note,
    weighting_reason,
)
from bot.records import AgreementShare, BlindAgreement, Digest, SingleVotes
from bot.reports.agreement import wilson_interval
from bot.reports.blind_agreement import FirstAnswer, compare_blind
from bot.reports.weighted_agreement import WeightedCase
from tests.bot.report_factory import a_report

WITH_JUDGE = (
    "Where several people answered, one person agrees with the judge in 37 of 50 "
    "(74%, likely between 60% and 85%)."
)


def week(n: int = 0, agreed: int = 0, **fields: object) -> Digest:
    low, high = wilson_interval(agreed, n) if n else (None, None)
    digest = Digest(
        judge="politeness",
        week="2026-W47",
        n=n,
        agreed=agreed,
        agreement=agreed / n if n else None,
        wilson_low=low,
        wilson_high=high,
        table=None,
        kappa=None,
        ac1=None,
        people=min(n, 3),
        guidelines_learned=0,
        guidelines_retired=0,
        forgotten=0,
    )
    return replace(digest, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 3, 9])
def test_below_ten_verdicts_the_counts_stand_alone(n: int) -> None:
    text = digest_message(a_report(week(n, n))).text
    assert f"*The judge was right on {n} of {'1 verdict' if n == 1 else f'{n} verdicts'}*." in text
    assert "%" not in text


@pytest.mark.parametrize("n", [10, 19, 20, 400])
def test_from_ten_verdicts_on_a_share_has_its_interval(n: int) -> None:
    note = share_note(week(n, n - 2))
    assert note.startswith(f" ({percent((n - 2) / n)}, likely between ")
    share, low, high = headline_bounds(week(n, n - 2)) or (0, 0, 0)
    told = f"*{percent(share)} agreement* ({n - 2} of {n}, likely {round(low * 100)}–{percent(high)})"
    assert told in digest_message(a_report(week(n, n - 2))).text


WEIGHED = {"weighted_agreement": 0.781, "weighted_low": 0.55, "weighted_high": 0.9}


def test_where_chances_differ_the_headline_is_weighed_and_says_why() -> None:
    digest = week(20, 14, **WEIGHED)
    assert headline_share(digest) == "78%, likely between 55% and 90%"
    assert (
        weighting_reason(digest)
        == "Cards are picked to teach, so I weigh each by its chance of being picked."
    )
    text = digest_message(a_report(digest)).text
    assert "*78% agreement* (likely 55–90%)" in text
    assert f"{weighting_reason(digest)} You agreed with 14 of 20." in text
    assert "70%" not in text


def test_below_ten_verdicts_nothing_is_weighed() -> None:
    digest = week(9, 7, **WEIGHED)
    assert (headline_share(digest), weighting_reason(digest)) == ("", "")
    assert "%" not in digest_message(a_report(digest)).text


def test_where_chances_are_equal_the_headline_is_the_share_of_the_counts() -> None:
    digest = week(20, 14)
    same = replace(digest, weighted_agreement=digest.agreement)
    same = replace(same, weighted_low=digest.wilson_low, weighted_high=digest.wilson_high)
    for each in (digest, same):
        assert share_note(each) == f" ({headline_share(each)})" == " (70%, likely between 48% and 85%)"
        assert weighting_reason(each) == ""


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0%"), (1, "100%"), (0.9999, "99%"), (0.0001, "1%"), (0.5, "50%"), (0.826, "83%")],
)
def test_all_and_none_are_said_of_all_and_none_only(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "1.00"), (0.9999, "0.99"), (0.624, "0.62"), (-0.25, "-0.25"), (0.0, "0.00"), (-0.001, "0.00")],
)
def test_full_agreement_is_said_of_full_agreement_only(value: float, words: str) -> None:
    assert coefficient(value) == words


def beyond_chance(kappa: float, ac1: float) -> list[str]:
    return figure_sentences(week(50, 40, kappa=kappa, kappa_low=kappa - 0.2, kappa_high=kappa + 0.1, ac1=ac1))


def test_kappa_stands_with_its_interval() -> None:
    [sentence] = beyond_chance(0.6, 0.7)
    assert (
        "Cohen's kappa 0.60 (moderate), likely between 0.40 and 0.70; Gwet's AC1 0.70 (substantial)."
        in sentence
    )


@pytest.mark.parametrize(
    ("kappa", "ac1", "word"),
    [(0.2, 0.85, "Most verdicts have the same value"), (0.1, -0.4, "very different shares")],
)
def test_figures_that_lie_far_apart_are_explained_in_a_sentence(kappa: float, ac1: float, word: str) -> None:
    sentences = beyond_chance(kappa, ac1)
    assert len(sentences) == 2
    assert word in sentences[1]


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        (
            {"mean_absolute_error": 0.84, "weighted_kappa": 0.71, "weighted_kappa_bounds": (0.5, 0.84)},
            [
                "On average the judge's number is 0.84 away from people's.",
                (
                    "Beyond chance (0 is chance, 1 is full agreement): weighted kappa 0.71 (substantial), "
                    "likely between 0.50 and 0.84."
                ),
            ],
        ),
        (
            {"mean_absolute_error": 1234.5, "unnamed": 2},
            [
                "On average the judge's number is 1,234 away from people's.",
                "A 👎 without a number counts as far off as the other wrong ones.",
            ],
        ),
        (
            {"mean_absolute_error": None},
            ["Nobody named a right number, so I don't know how far off the judge is."],
        ),
    ],
)
def test_numbers_are_told_by_their_distance(fields: dict[str, object], sentences: list[str]) -> None:
    assert figure_sentences(week(25, 5, has_scores=True, **fields)) == sentences


@pytest.mark.parametrize(("n", "error", "is_told"), [(12, 0.4, True), (9, 0.4, False), (12, None, False)])
def test_the_digest_of_numbers_tells_their_distance_below_the_share(
    n: int, error: float | None, is_told: bool
) -> None:
    text = digest_message(a_report(week(n, 4, has_scores=True, mean_absolute_error=error))).text
    assert ("On average the judge's number is 0.4 away from people's." in text) is is_told


def test_numbers_are_not_told_by_how_many_are_equal() -> None:
    sentences = figure_sentences(
        week(
            25,
            5,
            has_scores=True,
            mean_absolute_error=1.0,
            kappa=0.1,
            kappa_low=0.0,
            kappa_high=0.2,
            ac1=-0.2,
        )
    )
    assert not any("Cohen" in each or "AC1" in each for each in sentences)


def test_free_texts_are_said_to_be_not_comparable() -> None:
    [sentence] = figure_sentences(week(3, 2, is_comparable=False))
    assert "not comparable" in sentence


def test_single_people_stand_beside_single_people() -> None:
    votes = SingleVotes(
        with_judge=AgreementShare(agreed=37, n=50, low=0.6, high=0.85),
        among_people=AgreementShare(agreed=12, n=20, low=0.38, high=0.79),
    )
    assert figure_sentences(week(20, 16, single_votes=votes)) == [
        WITH_JUDGE,
        "Two people agree with each other in 12 of 20 (60%, likely between 38% and 79%).",
    ]


def blind(n: int, agreed: int, anchored_n: int, anchored_agreed: int, weeks: int = 1) -> BlindAgreement:
    chance = 0.25
    cases = [
        FirstAnswer(case=WeightedCase(agreed=number < agreed, probability=chance), is_blind=is_blind)
        for total, agreed, is_blind in ((n, agreed, True), (anchored_n, anchored_agreed, False))
        for number in range(total)
    ]
    figures = compare_blind(cases, weeks)
    assert figures is not None
    return figures


BEFORE = "People who answered before seeing the verdict agreed with the judge on"


@pytest.mark.parametrize(
    ("figures", "sentences"),
    [
        (
            blind(18, 12, 50, 40),
            [
                f"{BEFORE} 12 of 18.",
                "With the verdict in sight, it was 40 of 50.",
                "The difference of +13 points may be chance: likely between −8 and +38.",
            ],
        ),
        (
            blind(60, 36, 400, 340, weeks=12),
            [
                f"{BEFORE} 36 of 60 in the last 12 weeks.",
                "With the verdict in sight, it was 340 of 400.",
                "People agree more once they see the verdict: by 25 points, likely between 13 and 38.",
            ],
        ),
        (
            blind(60, 57, 400, 260),
            [
                f"{BEFORE} 57 of 60.",
                "With the verdict in sight, it was 260 of 400.",
                "People agree less once they see the verdict: by 30 points, likely between 20 and 36.",
            ],
        ),
        (blind(9, 6, 50, 40), [f"{BEFORE} 6 of 9.", "With the verdict in sight, it was 40 of 50."]),
        (blind(12, 6, 0, 0), [f"{BEFORE} 6 of 12."]),
    ],
)
def test_answers_before_the_verdict_is_seen_stand_beside_those_after(
    figures: BlindAgreement, sentences: list[str]
) -> None:
    assert figure_sentences(week(40, 30, blind=figures)) == sentences


def test_a_weighed_difference_beside_counts_is_said_to_be_weighed() -> None:
    def first(agreed: bool, chance: float, *, is_blind: bool) -> FirstAnswer:
        return FirstAnswer(case=WeightedCase(agreed=agreed, probability=chance), is_blind=is_blind)

    figures = compare_blind(
        [
            *[first(agreed=True, chance=0.1, is_blind=True)] * 12,
            *[first(agreed=False, chance=0.9, is_blind=True)] * 6,
            *[first(agreed=True, chance=0.5, is_blind=False)] * 40,
            *[first(agreed=False, chance=0.5, is_blind=False)] * 10,
        ]
    )
    assert figures is not None
    *_, sentence = figure_sentences(week(40, 30, blind=figures))
    assert sentence.startswith(
        "Weighed by their chances, the difference of −15 points may be chance: likely between"
    )


def test_figures_that_are_not_weighed_are_said_not_to_be_beside_a_weighed_share() -> None:
    figures = {"kappa": 0.1, "kappa_low": 0.0, "kappa_high": 0.3, "ac1": 0.2}
    told = figure_sentences(week(50, 35, **WEIGHED, **figures))
    assert told[2] == "The figures that follow are of the answered cards alone."
    assert told[3].startswith("Beyond chance")
    assert not [each for each in figure_sentences(week(50, 35, **figures)) if "answered cards alone" in each]


def test_cards_posted_and_answered_are_told_with_those_that_say_nothing() -> None:
    line = coverage_line(week(5, 4, shown=12, answered=8, unsure=2, split=1, unnamed=1))
    assert (
        line == "Cards posted: 12 · answered: 8 · cannot tell: 2 · split: 1 · 👎 without the right value: 1"
    )
    assert coverage_line(week(5, 4, shown=12, answered=5)) == "Cards posted: 12 · answered: 5"
    assert coverage_line(week()) == ""


def test_no_sentence_is_long() -> None:
    report = a_report(week(50, 40, kappa=0.1, kappa_low=0.0, kappa_high=0.3, ac1=0.8))
    text = f"{digest_message(report).text}\n{digest_figures_message(report).text}"
    assert [each for each in re.split(r"[.;] |\n", text) if len(each.split()) > 25] == []
