"""A verdict counts once: in the week of its first vote, with the votes of that week's end."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.digest import digest_message
from bot.feedback import feedback_of
from bot.records import Digest
from bot.reports.digest import read_digest
from bot.reports.vote_week import votes_in_week
from bot.runtime.clock import week_bounds
from bot.vote_marks import Vote
from memalign.records import Label, Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.feedback_events import apply
from storage.records import FeedbackEvent, PersonFeedback, StoredVerdict
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.report_factory import a_report
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


async def test_late_votes_are_told_and_change_no_earlier_week(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database)
        events = (thumb("ana", "+1", SUNDAY), thumb("ben", "-1", MONDAY), thumb("cleo", "shrug", NEXT_MONDAY))
        digests = await weeks(database, *events)
    assert [(each.late, each.people) for each in digests] == [(0, 1), (1, 0), (1, 0)]
    text = digest_message(a_report(digests[1])).text
    assert "No verdict got its first vote" in text
    assert "Late votes on 1 verdict of earlier weeks" in text


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


STORED = StoredVerdict(
    verdict_id="v-1",
    verdict=Verdict(judge=JUDGE, trace_id="tr-1", value=True, rationale="so"),
    judged_ms=0,
    channel="C1",
    message_ts="1.0",
)
histories = st.lists(
    st.tuples(
        st.sampled_from(["ana", "ben"]),
        st.sampled_from(["+1", "-1", "shrug", "up", "down", ""]),
        st.booleans(),
        st.integers(0, 21 * 24),
    ),
    max_size=12,
)


@given(histories)
def test_whatever_people_do_a_verdict_counts_in_one_week_as_if_that_weeks_end_were_now(
    history: list[tuple[str, str, bool, int]],
) -> None:
    start = week_bounds(WEEKS[0], BERLIN)[0] // 1000
    events = [
        reaction_event(person, name, live, f"{start + hour * 3600}.{number:06}")
        if name in ("+1", "-1", "shrug")
        else button_event(person, name or None, f"{start + hour * 3600}.{number:06}")
        for number, (person, name, live, hour) in enumerate(history)
    ]

    def feedback_before(end_ms: int) -> dict[str, PersonFeedback]:
        people: dict[str, PersonFeedback] = {}
        for event in events:
            if float(event.at) * 1000 < end_ms:
                people[event.person] = apply(people.get(event.person, PersonFeedback()), event)
        return people

    def votes(people: dict[str, PersonFeedback]) -> dict[str, Vote]:
        feedback = [feedback_of(STORED, person, each, value_type_of(bool)) for person, each in people.items()]
        return {entry.person: entry.vote for entry in feedback if entry.vote}

    expected: dict[str, dict[str, Vote]] = {}
    for week in WEEKS:
        standing = votes(feedback_before(week_bounds(week, BERLIN)[1]))
        expected[week] = {} if any(expected.values()) else standing

    now = feedback_before(10**15)
    for week in WEEKS:
        counted = votes_in_week(STORED, now, value_type_of(bool), week, BERLIN)
        assert {entry.person: entry.vote for entry in counted} == expected[week]
