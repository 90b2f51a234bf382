"""The week as its digest tells it: gathered once, for Slack and for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.reports.share_difference import change_of
from bot.reports.weekly_report_reader import WeeklyReportReader
from bot.runtime.clock import from_ms, now_ms
from bot.weekly_report import WeeklyReport
from memalign.records import Guideline
from storage.database import Database
from storage.records import StoredVerdict
from tests.bot.bot_in_workspace import settings_for
from tests.bot.reports.test_digest import DOWN, UP, counted, many
from tests.bot.reports.weeks import MONDAY, WEEK, WEEK_BEFORE, Cards
from tests.factories import a_memory, a_trace, a_vote

UNKNOWN = "U404"
"""A person whom Slack does not name."""


async def names_of(people: Iterable[str]) -> Mapping[str, str]:
    return {person: person if person == UNKNOWN else f"Name of {person}" for person in people}


async def links_to(cards: Sequence[StoredVerdict]) -> Mapping[str, str]:
    return {card.verdict_id: f"https://slack.example/{card.message_ts}" for card in cards}


async def report_of(
    database: Database,
    folder: Path,
    rules: Sequence[Guideline] = (),
    *,
    week: str = WEEK,
    show_votes: bool = True,
) -> WeeklyReport:
    settings = settings_for(folder, "C1", access={"show_votes": show_votes}, digest={"timezone": "UTC"})
    reader = WeeklyReportReader(settings, database, names_of, links_to)
    return await reader.read(settings.judges[0], week, rules)


async def test_a_week_is_told_with_the_one_before_it_and_the_curve_of_both(
    database: Database, tmp_path: Path
) -> None:
    cards = Cards(database)
    await cards.add_week(5, 6, MONDAY - timedelta(weeks=1))
    await cards.add_week(9, 3)
    report = await report_of(database, tmp_path)
    assert (report.figures.agreed, report.figures.n) == (9, 12)
    assert (report.before.agreed, report.before.n, report.before.week) == (5, 11, WEEK_BEFORE)
    assert [(point.week, point.shown.agreed, point.shown.n) for point in report.curve] == [
        (WEEK_BEFORE, 5, 11),
        (WEEK, 9, 12),
    ]
    assert report.change is not None
    assert report.change.could_be_chance
    assert (report.first_day.isoformat(), report.last_day.isoformat()) == ("2026-11-23", "2026-11-29")


async def test_the_curve_is_that_of_twelve_weeks_at_most(database: Database, tmp_path: Path) -> None:
    cards = Cards(database)
    for weeks in range(14):
        await cards.add([("U1", "up")], at=MONDAY - timedelta(weeks=weeks))
    report = await report_of(database, tmp_path)
    assert len(report.curve) == 12
    assert report.curve[-1].week == WEEK


async def test_verdicts_are_told_with_what_people_said_the_most_overruled_first(
    database: Database, tmp_path: Path
) -> None:
    cards = Cards(database)
    await cards.add([("U1", "up")], question="Which parks?")
    await cards.add([("U1", "down")], question="Which museums?")
    await cards.add([("U1", "down"), ("U2", "down"), ("U3", "down")], question="Which bars?")
    await cards.add([("U1", "up"), ("U2", "down")], question="Which lakes?")
    await cards.add([("U1", "unsure")], question="Which hills?")
    report = await report_of(database, tmp_path)
    assert [(each.question, each.value, each.people_value, each.majority) for each in report.overruled] == [
        ("Which bars?", True, False, 3),
        ("Which museums?", True, False, 1),
    ]
    assert [each.question for each in report.splits] == ["Which lakes?"]
    assert all(each.link.startswith("https://slack.example/") for each in report.verdicts)
    assert len(report.verdicts) == report.figures.answered
    assert sum(each.agreed is True for each in report.verdicts) == report.figures.agreed


async def test_people_are_named_in_alphabetical_order_but_for_those_who_muted_the_bot(
    database: Database, tmp_path: Path
) -> None:
    await Cards(database).add([("U3", "up"), ("U1", "up"), ("U2", "down")])
    await database.preferences.mute("U2", 1)
    report = await report_of(database, tmp_path)
    assert (report.people, report.unnamed_people) == (("Name of U1", "Name of U3"), 1)


async def test_nobody_is_named_where_votes_are_not_shown(database: Database, tmp_path: Path) -> None:
    await Cards(database).add([("U3", "up"), ("U1", "up")])
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace("tr-1", a_vote(False, "curt", "U1"))])
    this_week = from_ms(now_ms()).strftime("%G-W%V")
    report = await report_of(database, tmp_path, memory.guidelines, show_votes=False)
    assert (report.people, report.unnamed_people) == ((), 2)
    report = await report_of(database, tmp_path, memory.guidelines, week=this_week, show_votes=False)
    assert [rule.authors for rule in report.learned] == [()]


async def test_whom_slack_does_not_name_is_no_id_beside_a_rule(database: Database, tmp_path: Path) -> None:
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace("tr-1", a_vote(False, "curt", "U1"))])
    await memory.learn([a_trace("tr-2", a_vote(False, "It is far too cold to be kind.", UNKNOWN))])
    report = await report_of(database, tmp_path, memory.guidelines, week=from_ms(now_ms()).strftime("%G-W%V"))
    assert sorted(rule.authors for rule in report.learned) == [(), ("Name of U1",)]
    assert all(UNKNOWN not in rule.authors for rule in report.learned)


async def test_a_rule_worded_anew_is_told_in_its_last_words(database: Database, tmp_path: Path) -> None:
    memory = await a_memory(store=database.memories)
    for number, reason in enumerate(["curt", "rude", "cold"]):
        await memory.learn([a_trace("tr-1", a_vote(False, reason, "U1", ms=number + 1))])
    report = await report_of(database, tmp_path, memory.guidelines, week=from_ms(now_ms()).strftime("%G-W%V"))
    assert [(rule.text, rule.authors, rule.cases) for rule in report.learned] == [
        ("cold", ("Name of U1",), 1)
    ]
    assert len(report.learned) == report.figures.guidelines_learned
    assert report.is_running


async def test_cards_that_nobody_answered_are_counted_for_three_days(
    database: Database, tmp_path: Path
) -> None:
    cards, now = Cards(database), from_ms(now_ms())
    await cards.add([("U1", "up")], at=now - timedelta(days=1))
    await cards.add(at=now - timedelta(days=2))
    await cards.add(at=now - timedelta(days=4))
    assert (await report_of(database, tmp_path)).unanswered == 1


async def test_a_week_in_which_nothing_happened_is_quiet(database: Database, tmp_path: Path) -> None:
    await Cards(database).add()
    assert (await report_of(database, tmp_path)).is_quiet
    await Cards(database, channel="C2").add([("U1", "unsure")])
    assert not (await report_of(database, tmp_path)).is_quiet


@pytest.mark.parametrize(
    ("week", "before", "low", "high", "could_be_chance"),
    # 56/70 and 48/80 is Newcombe's own example (a) with method 10: 0.2 with bounds 0.0524 and 0.3339
    [((56, 70), (48, 80), 0.0524, 0.3339, False), ((9, 10), (3, 10), 0.1705, 0.8090, False)],
)
def test_the_change_has_newcombes_interval(
    week: tuple[int, int], before: tuple[int, int], low: float, high: float, could_be_chance: bool
) -> None:
    change = change_of(*(counted(many((a, True, [UP]), (n - a, True, [DOWN]))) for a, n in (week, before)))
    assert change is not None
    assert change.low == pytest.approx(low, abs=5e-5)
    assert change.high == pytest.approx(high, abs=5e-5)
    assert change.could_be_chance == could_be_chance


@pytest.mark.parametrize(("n", "n_before"), [(9, 30), (30, 9), (0, 30), (0, 0)])
def test_there_is_no_change_of_few_verdicts(n: int, n_before: int) -> None:
    week, before = (counted(many((each, True, [UP]))) for each in (n, n_before))
    assert change_of(week, before) is None
