"""A verdict counts once: in the week of its first vote, with the votes of that week's end."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.records import Digest
from bot.reports.digest import read_digest
from memalign.records import Label, Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import FeedbackEvent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.storage.records import button_event, correction_event, reaction_event, reply_event

JUDGE = "politeness"
BERLIN = ZoneInfo("Europe/Berlin")
WEEKS = ("2026-W46", "2026-W47", "2026-W48")
SUNDAY, MONDAY, NEXT_MONDAY = "2026-11-15T23:50", "2026-11-16T00:10", "2026-11-23T08:00"
CARD = str(datetime(2026, 11, 10, 9, tzinfo=BERLIN).timestamp())


def at(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).replace(tzinfo=BERLIN).timestamp():.6f}"


def thumb(person: str, name: str, moment: str, *, live: bool = True) -> FeedbackEvent:
    return reaction_event(person, name, live, at(moment))


async def a_card(database: Database, judged: Label = True, trace_id: str = "tr-1", ts: str = CARD) -> None:
    verdict = Verdict(judge=JUDGE, trace_id=trace_id, value=judged, rationale="so")
    await database.verdicts.keep(verdict, channel="C1", judged_ms=1, day="2026-11-10")
    post_id = card_post_id_of(verdict_id_of(JUDGE, trace_id))
    await database.outbox.start(post_id)
    await database.outbox.done(post_id, ts)


async def weeks(database: Database, *events: FeedbackEvent, values: object = bool) -> list[Digest]:
    """The digests of three weeks after the events on the card."""
    for event in events:
        await database.feedback.note("C1", CARD, event)
    return [await read_digest(database, JUDGE, value_type_of(values), week, BERLIN) for week in WEEKS]


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        # one vote on Sunday, another one on Monday
        ([thumb("ana", "+1", SUNDAY), thumb("ben", "-1", MONDAY)], [(1, 1), (0, 0), (0, 0)]),
        # all in one week
        ([thumb("ana", "+1", MONDAY), thumb("ben", "-1", "2026-11-19T10:00")], [(0, 0), (0, 0), (0, 0)]),
        # the majority of later weeks changes nothing
        (
            [thumb("ana", "+1", SUNDAY), thumb("ben", "-1", MONDAY), thumb("cleo", "-1", NEXT_MONDAY)],
            [(1, 1), (0, 0), (0, 0)],
        ),
        # a mind changed after the week's end
        (
            [thumb("ana", "+1", SUNDAY), thumb("ana", "+1", MONDAY, live=False), thumb("ana", "-1", MONDAY)],
            [(1, 1), (0, 0), (0, 0)],
        ),
        (
            [button_event("ana", "up", at(SUNDAY)), button_event("ana", "down", at(NEXT_MONDAY))],
            [(1, 1), (0, 0), (0, 0)],
        ),
        # a vote taken back: after its week's end, and before
        ([thumb("ana", "+1", SUNDAY), thumb("ana", "+1", MONDAY, live=False)], [(1, 1), (0, 0), (0, 0)]),
        (
            [
                thumb("ana", "+1", "2026-11-14T09:00"),
                thumb("ana", "+1", SUNDAY, live=False),
                thumb("ben", "-1", MONDAY),
            ],
            [(0, 0), (1, 0), (0, 0)],
        ),
        # who cannot tell has answered
        ([thumb("ana", "shrug", SUNDAY), thumb("ben", "+1", MONDAY)], [(0, 0), (0, 0), (0, 0)]),
        ([thumb("ana", "heart", SUNDAY), thumb("ben", "+1", NEXT_MONDAY)], [(0, 0), (0, 0), (1, 1)]),
    ],
)
async def test_a_verdict_counts_in_the_week_of_its_first_vote_as_it_stood_then(
    tmp_path: Path, events: list[FeedbackEvent], counts: list[tuple[int, int]]
) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database)
        assert [(each.n, each.agreed) for each in await weeks(database, *events)] == counts


@pytest.mark.parametrize("order", [1, -1])
async def test_a_verdict_counts_alike_in_whatever_order_the_events_come(tmp_path: Path, order: int) -> None:
    events = [
        button_event("ana", "up", at(SUNDAY)),
        button_event("ana", "down", at(MONDAY)),
        button_event("ana", None, at(NEXT_MONDAY)),
    ]
    async with await Database.open(tmp_path) as database:
        await a_card(database)
        digests = await weeks(database, *events[::order])
    assert [(each.n, each.agreed, each.people) for each in digests] == [(1, 1, 1), (0, 0, 0), (0, 0, 0)]


async def test_the_right_value_named_later_leaves_the_week_as_it_was(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database, judged=4)
        before = await weeks(database, thumb("ana", "-1", SUNDAY), values=int)
        after = await weeks(database, correction_event("ana", 2, at(MONDAY)), values=int)
    assert [(each.n, each.unnamed) for each in before] == [(each.n, each.unnamed) for each in after]
    assert (after[0].n, after[0].agreed, after[0].unnamed) == (1, 0, 1)


async def test_a_value_said_in_a_reply_is_a_vote_of_the_week_it_was_written_in(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database)
        reply = reply_event("ana", at(SUNDAY), "fail: curt", at(SUNDAY))
        edit = reply_event("ana", at(SUNDAY), "fail: it is curt", at(MONDAY))
        for digests in (await weeks(database, reply), await weeks(database, edit)):
            assert [(each.n, each.agreed) for each in digests] == [(1, 0), (0, 0), (0, 0)]


async def test_cards_are_told_by_when_they_were_posted_and_first_answered(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database)
        for number, day in enumerate((17, 18, 19)):
            ts = str(datetime(2026, 11, day, 9, tzinfo=BERLIN).timestamp())
            await a_card(database, trace_id=f"tr-{number + 2}", ts=ts)
            if number:
                await database.feedback.note("C1", ts, thumb("ana", "shrug", "2026-11-20T10:00"))
        digests = await weeks(database, thumb("ana", "+1", MONDAY))
    assert [(each.shown, each.answered, each.unsure) for each in digests] == [(1, 0, 0), (3, 3, 2), (0, 0, 0)]
