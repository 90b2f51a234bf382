"""Events for receivers outside: written with the change, told in order, and gone with what is forgotten."""

from dataclasses import replace
from pathlib import Path

import pytest

from memalign.ports import ChangeCause, GuidelineDecision, MemoryChange
from memalign.records import Handling
from storage.database import Database
from storage.records import (
    AuditLine,
    EventSubscription,
    ForgetRequest,
    OutboundEvent,
    OutboundEventType,
)
from storage.verdicts import verdict_id_of
from tests.storage.records import (
    DAY,
    FOREVER_MS,
    NOON_MS,
    at,
    button_event,
    judged,
    places_of,
    posted,
    trace,
    verdict,
)
from tests.storage.test_memories import guideline

HOOK, OTHER = "hook", "other"
ALL: tuple[OutboundEventType, ...] = (
    "verdict.created",
    "verdict.changed",
    "vote.changed",
    "lesson.learned",
    "lesson.changed",
    "lesson.retired",
    "lesson.edited",
    "trace.forgotten",
    "person.forgotten",
)
DAY_MS = 24 * 60 * 60 * 1000


async def subscribed(db: Database, *judges: str, receiver: str = HOOK) -> None:
    """Let a receiver be told of all changes of some judges."""
    await db.outbound_events.subscribe([EventSubscription(receiver=receiver, types=ALL, judges=judges)])


async def waiting(db: Database, receiver: str = HOOK) -> list[OutboundEvent]:
    return await db.outbound_events.due(receiver, FOREVER_MS, 100)


async def told(db: Database, receiver: str = HOOK) -> list[tuple[str, str]]:
    """Type and subject of what waits, in order."""
    changes = [event.change for event in await waiting(db, receiver)]
    return [
        (each.type, each.guideline_id or " ".join(filter(None, (each.trace_id, each.person))))
        for each in changes
    ]


async def voted(
    db: Database, verdict_id: str, person: str = "U1", vote: str = "down", ts: str = "100.1"
) -> None:
    """Store a vote of a member of the channel."""
    await db.feedback.note("C1", ts, button_event(person, vote, at(len(person))))
    await db.feedback.note_members(verdict_id, {person: True})


async def test_without_a_receiver_nothing_is_written(db: Database) -> None:
    verdict_id = await posted(db)
    await voted(db, verdict_id)
    await db.forgetting.delete_traces(["tr-1"])
    await subscribed(db)
    assert await told(db) == []


async def test_a_verdict_a_vote_and_its_removal_are_told_in_order(db: Database) -> None:
    await subscribed(db)
    verdict_id = await posted(db)
    await voted(db, verdict_id)
    await judged(db, "tr-2")
    assert await told(db) == [
        ("verdict.created", "tr-1"),
        ("vote.changed", "tr-1 U1"),
        ("verdict.created", "tr-2"),
    ]


async def test_a_vote_of_which_nobody_knows_yet_whether_it_counts_is_not_told(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await db.feedback.note("C1", "100.1", button_event("U1", "down", at()))
    assert await told(db) == [("verdict.created", "tr-1")]


async def test_of_several_changes_of_one_vote_the_last_waits_under_an_id_of_its_own(db: Database) -> None:
    await subscribed(db)
    verdict_id = await posted(db)
    await voted(db, verdict_id)
    first = (await waiting(db))[-1]
    await judged(db, "tr-2")
    await db.feedback.note("C1", "100.1", button_event("U1", "up", at(60)))
    await db.feedback.note_members(verdict_id, {"U1": True})
    last = (await waiting(db))[-1]
    assert [kind for kind, _ in await told(db)] == ["verdict.created", "verdict.created", "vote.changed"]
    assert first.event_id != last.event_id
    # told just now, as it stood before: the change is still to be told
    await db.outbound_events.delivered(first)
    assert (await waiting(db))[-1] == last


async def test_a_verdict_that_its_card_hides_is_told_with_the_votes_once_it_shows_it(db: Database) -> None:
    await subscribed(db)
    await db.traces.add([(trace(), ["polite"])], NOON_MS, 10)
    await db.verdicts.keep(verdict(), channel="C1", judged_ms=NOON_MS, day=DAY, is_blind=True)
    verdict_id = verdict_id_of("polite", "tr-1")
    post_id = f"card:{verdict_id}"
    assert await db.outbox.start(post_id)
    assert await db.outbox.done(post_id, "100.1")
    await voted(db, verdict_id)
    await db.verdicts.redact(verdict_id, "other words")
    assert await told(db) == []
    await db.feedback.reveal(verdict_id, at(70), 1)
    assert await told(db) == [("verdict.created", "tr-1"), ("vote.changed", "tr-1 U1")]


async def test_words_of_a_verdict_that_are_redacted_are_told_anew(db: Database) -> None:
    await subscribed(db)
    verdict_id = await posted(db)
    await db.verdicts.redact(verdict_id, "[forgotten]")
    assert await told(db) == [("verdict.created", "tr-1"), ("verdict.changed", "tr-1")]


async def test_somebody_whose_feedback_counts_no_more_is_told(db: Database) -> None:
    verdict_id = await posted(db)
    await voted(db, verdict_id)
    await subscribed(db)
    await db.feedback.exclude("U1", NOON_MS)
    assert await told(db) == [("vote.changed", "tr-1 U1")]


async def test_guidelines_that_come_change_and_go_are_told(db: Database) -> None:
    await subscribed(db)
    await db.memories.save("polite", MemoryChange(put_guidelines=(guideline("g1"), guideline("g2"))))
    assert await told(db) == [("lesson.learned", "g1"), ("lesson.learned", "g2")]
    for event in await waiting(db):
        await db.outbound_events.delivered(event)
    reworded = guideline("g1", "Be brief.")
    change = MemoryChange(put_guidelines=(reworded,), drop_guidelines=frozenset({"g2"}), from_version=1)
    await db.memories.save("polite", change)
    assert await told(db) == [("lesson.changed", "g1"), ("lesson.retired", "g2")]
    edited = replace(reworded, text="Be kind.", edited_by=Handling(person="U1", time_ms=1))
    decision = GuidelineDecision(action="edit", guideline_id="g1", person="U1")
    cause = ChangeCause(kind="edit", decision=decision)
    await db.memories.save("polite", MemoryChange(put_guidelines=(edited,), cause=cause, from_version=2))
    assert ("lesson.edited", "g1") in await told(db)


async def test_one_more_case_of_a_guideline_is_not_told(db: Database) -> None:
    await db.memories.save("polite", MemoryChange(put_guidelines=(guideline("g1"),)))
    await subscribed(db)
    await db.memories.save("polite", MemoryChange(put_guidelines=(guideline("g1"),), from_version=1))
    assert await told(db) == []


async def test_a_receiver_is_told_of_its_judges_and_of_all_that_is_forgotten(db: Database) -> None:
    await subscribed(db, "tone")
    await posted(db)
    await judged(db, "tr-2", "tone")
    await db.memories.save("polite", MemoryChange(put_guidelines=(guideline("g1"),)))
    await db.forgetting.delete_traces(["tr-1"])
    assert await told(db) == [("verdict.created", "tr-2"), ("trace.forgotten", "tr-1")]


async def test_of_a_forgotten_trace_nothing_waits_but_that_it_was_forgotten(
    db: Database, folder: Path
) -> None:
    await subscribed(db)
    verdict_id = await posted(db, "tr-SECRET")
    await voted(db, verdict_id)
    await judged(db, "tr-2")
    await db.forgetting.delete_traces(["tr-SECRET"])
    assert await told(db) == [("verdict.created", "tr-2"), ("trace.forgotten", "tr-SECRET")]
    for event in await waiting(db):
        await db.outbound_events.delivered(event)
    await db.vacuum()
    assert list(places_of([b"tr-SECRET"], folder)) == []


async def test_of_a_forgotten_person_nothing_waits_but_that_they_were_forgotten(
    db: Database, folder: Path
) -> None:
    await subscribed(db)
    verdict_id = await posted(db)
    await voted(db, verdict_id, "USECRET")
    await voted(db, verdict_id, "U2")
    line = AuditLine(at_ms=NOON_MS, what="person_forgotten", judge="polite")
    await db.forgetting.request(ForgetRequest(kind="person", target="USECRET", notes=(line,)))
    await db.forgetting.delete_person("USECRET", NOON_MS)
    await db.forgetting.finish_person("USECRET")
    events = await waiting(db)
    assert [(each.change.type, each.change.person) for each in events] == [
        ("verdict.created", ""),
        ("vote.changed", "U2"),
        ("person.forgotten", "USECRET"),
    ]
    await db.outbound_events.delivered(events[-1])
    await db.vacuum()
    assert list(places_of([b"USECRET"], folder)) == []


async def test_what_expires_is_not_told(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await db.forgetting.delete_expired(FOREVER_MS, 10, NOON_MS)
    assert await told(db) == []


async def test_events_and_their_ids_outlive_a_restart(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await subscribed(db)
        await posted(db)
        before = await waiting(db)
    async with await Database.open(folder) as db:
        await subscribed(db)
        assert await waiting(db) == before
        assert len(before) == 1


async def test_a_receiver_that_left_the_settings_keeps_nothing(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await db.outbound_events.subscribe([EventSubscription(receiver=OTHER, types=ALL)])
    await judged(db, "tr-2")
    assert (await told(db), await told(db, OTHER)) == ([], [("verdict.created", "tr-2")])


async def test_what_the_settings_no_longer_name_is_let_go_of(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await judged(db, "tr-2", "tone")
    await subscribed(db, "tone")
    assert await told(db) == [("verdict.created", "tr-2")]


async def test_a_refused_event_keeps_no_other_waiting(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await judged(db, "tr-2")
    first, second = await waiting(db)
    await db.outbound_events.postpone(first, NOON_MS + 1000, "it refuses it (400)")
    assert await db.outbound_events.due(HOOK, NOON_MS, 10) == [second]
    [back, _] = await db.outbound_events.due(HOOK, NOON_MS + 1000, 10)
    assert (back.event_id, back.attempts) == (first.event_id, 1)
    backlog = await db.outbound_events.backlog(HOOK)
    assert (backlog.waiting, backlog.refused, backlog.reason) == (2, 1, "it refuses it (400)")


@pytest.mark.parametrize(("days", "given_up"), [(2.9, 0), (3.0, 1)])
async def test_a_receiver_that_fails_for_days_is_given_up_on_for_what_waited_as_long(
    db: Database, days: float, given_up: int
) -> None:
    await subscribed(db)
    await posted(db)
    later_ms = NOON_MS + int(days * DAY_MS)
    await judged(db, "tr-2", judged_ms=later_ms)
    note = db.outbound_events.note_failure
    assert await note(HOOK, NOON_MS, 3 * DAY_MS) == 0
    assert await note(HOOK, later_ms, 3 * DAY_MS) == given_up
    assert len(await waiting(db)) == 2 - given_up


async def test_forgetting_is_never_given_up(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await db.forgetting.delete_traces(["tr-1"])
    note = db.outbound_events.note_failure
    await note(HOOK, NOON_MS, DAY_MS)
    assert await note(HOOK, FOREVER_MS, DAY_MS) == 0
    assert await told(db) == [("trace.forgotten", "tr-1")]


async def test_a_success_begins_the_days_anew(db: Database) -> None:
    await subscribed(db)
    await posted(db)
    await judged(db, "tr-2")
    note = db.outbound_events.note_failure
    assert await note(HOOK, NOON_MS, DAY_MS) == 0
    await db.outbound_events.delivered((await waiting(db))[0])
    assert await note(HOOK, NOON_MS + DAY_MS, DAY_MS) == 0
    assert len(await waiting(db)) == 1
