"""Limits of a judge's report: each is told where the data show it, and only there, in short sentences."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.judge_report import JudgeReport, ModelUse
from bot.pages.report_limits import report_limits
from tests.bot.pages.test_judge_report_page import AT, blind_of, figures, full_report

Change = Callable[[JudgeReport], JudgeReport]


def plain_report() -> JudgeReport:
    """A report without any limit: many verdicts, of several people, all answered, nothing changed or gone."""
    report = full_report()
    life = replace(
        figures(n=400, agreed=300), shown=500, answered=410, unsure=0, split=0, unnamed=0, people=6
    )
    return replace(
        report,
        life=life,
        data=replace(
            report.data,
            lowest_chance=0.1,
            highest_chance=0.1,
            cards_without_chance=0,
            near_copies=0,
            forgotten_traces=0,
            forgotten_people=0,
            expired=0,
            late=0,
            most_by_one=100,
            votes=600,
        ),
        settings=replace(report.settings, changes=()),
        history=replace(report.history, rollbacks=(), settings=()),
    )


def of_life(**changes: object) -> Change:
    return lambda report: replace(report, life=replace(report.life, **changes))  # type: ignore[arg-type]


def of_data(**changes: object) -> Change:
    return lambda report: replace(report, data=replace(report.data, **changes))  # type: ignore[arg-type]


def with_another_model(report: JudgeReport) -> JudgeReport:
    later = ModelUse(
        model="openai:/gpt-6", verdicts=3, first=AT + timedelta(days=9), last=AT + timedelta(days=9)
    )
    return replace(report, data=replace(report.data, models=[*report.data.models, later]))


CASES: dict[str, Change] = {
    "says nothing of the judge's quality": of_life(n=0, agreed=0),
    "Only 7 verdicts could be compared: too few": of_life(n=7, agreed=7),
    "Only 40 verdicts could be compared, so that the interval is 30 points wide": of_life(n=40, agreed=30),
    "Nobody answered lately": lambda report: replace(report, recent=replace(report.recent, n=0)),
    "Only 2 people have answered": of_life(people=2),
    "Only 1 person has answered": of_life(people=1),
    "One person gave 67% of all 600 votes": of_data(most_by_one=400),
    "Too few verdicts were answered by several people": of_life(single_votes=None),
    "People answered 40% of the cards": of_life(answered=200),
    "On 3 verdicts people tie": of_life(split=3),
    "On 1 verdict nobody could tell": of_life(unsure=1),
    "On 2 verdicts people say that the judge is wrong, but not what is right": of_life(unnamed=2),
    "On 4 verdicts people voted after the week": of_data(late=4),
    "Cards were picked with different chances": of_data(highest_chance=0.7),
    "The first 5 cards count as picked for certain": of_data(cards_without_chance=5),
    "no blind card was answered": of_life(blind=None),
    "Only 3 answers came before the verdict was shown": lambda report: of_life(
        blind=replace(blind_of(report), n=3)
    )(report),
    "Free texts are not comparable": of_life(is_comparable=False),
    "Of 2 verdicts compared, the memory held a near copy": of_data(near_copies=2),
    "offline statistical model": lambda report: replace(
        report, card=replace(report.card, model="local:/cases")
    ),
    "70 verdicts of an earlier version of the bot": of_data(
        models=[ModelUse(model="", verdicts=70, first=AT, last=AT)]
    ),
    "Since 2 December 2026 verdicts also came from openai:/gpt-6": with_another_model,
    "On 23 November 2026: The instructions were changed.": lambda report: replace(
        report, history=replace(full_report().history, rollbacks=())
    ),
    "On 23 November 2026 the memory went back to version 4": lambda report: replace(
        report, history=replace(full_report().history, settings=())
    ),
    "The instructions were changed since the bot last ran": lambda report: replace(
        report, settings=full_report().settings
    ),
    "Forgotten on request, and so in no figure: 2 traces.": of_data(forgotten_traces=2),
    "2 traces and the words and votes of 1 person.": of_data(forgotten_traces=2, forgotten_people=1),
    "Damaged in the store, and so in no figure: 2 records.": of_data(damaged_records=2),
    "In 2026-W45 the judge did worse": lambda report: replace(report, worse_weeks=("2026-W45",)),
    "1 unanswered trace of all judges was deleted": of_data(expired=1),
}


def test_a_report_without_limits_has_none() -> None:
    assert report_limits(plain_report()) == []


@pytest.mark.parametrize("words", CASES)
def test_a_limit_is_told_where_the_data_show_it(words: str) -> None:
    limits = report_limits(CASES[words](plain_report()))
    assert [limit for limit in limits if words in limit], limits
    # no people, no votes: the limits of a judge without verdicts are more than this one
    assert len(limits) == 1 or "quality" in words


@pytest.mark.parametrize("words", CASES)
def test_its_sentences_are_short(words: str) -> None:
    for limit in report_limits(CASES[words](plain_report())):
        for sentence in re.split(r"(?<=[.])\s", limit):
            assert len(sentence.split()) <= 25, sentence
