"""What was asked to be forgotten is remembered until it is gone, and nothing forgotten comes back."""

from pathlib import Path

import pytest

from memalign.errors import StorageError
from memalign.ports import MemoryChange
from memalign.records import Episode, Guideline, PersonLabel, Source
from storage.database import Database
from storage.intents import Intent, Redaction
from storage.records import AuditLine, Post
from tests.storage.records import NOON_MS, at, card, judged, posted

ASKED = AuditLine(at_ms=NOON_MS, what="forgotten", judge="polite", who="U9", ids=("tr-1",))
A_WEEK_MS = 7 * 24 * 3600 * 1000


async def told(db: Database, verdict_id: str, ts: str) -> None:
    lesson = Post(
        post_id=ts, channel="C1", kind="lesson", verdict_id=verdict_id, payload={"guideline_ids": ["g"]}
    )
    await db.outbox.add(lesson)
    await db.outbox.start(ts)
    await db.outbox.done(ts, ts)


async def test_an_intent_outlives_the_process_until_its_trace_is_erased(folder: Path) -> None:
    intent = Intent(kind="trace", target="tr-1", notes=(ASKED,))
    async with await Database.open(folder) as db:
        await posted(db, "tr-1")
        await db.intents.intend(intent)
    async with await Database.open(folder) as db:
        assert await db.intents.unfinished() == [intent]
        assert await db.journal.between(0, NOON_MS + A_WEEK_MS) == []
        await db.erase("tr-1", None)
        assert await db.intents.unfinished() == []
        assert await db.journal.between(0, NOON_MS + A_WEEK_MS) == [ASKED]


async def test_asking_and_erasing_twice_leaves_one_line_in_the_audit(db: Database) -> None:
    await posted(db, "tr-1")
    for _ in range(2):
        await db.intents.intend(Intent(kind="trace", target="tr-1", notes=(ASKED,)))
    await db.erase("tr-1", None)
    await db.erase("tr-1", None)
    assert await db.journal.between(0, NOON_MS + A_WEEK_MS) == [ASKED]


async def test_what_slack_shows_of_a_trace_is_to_be_covered(db: Database) -> None:
    verdict_id = await posted(db, "tr-1", ts="1.1")
    await told(db, verdict_id, "2.2")
    await db.erase("tr-1", None)
    assert await db.intents.redactions() == [
        Redaction(channel="C1", ts=ts, kind="forgotten") for ts in ("1.1", "2.2")
    ]


async def test_a_cover_in_vain_waits_and_a_covered_message_is_no_more_listed(db: Database) -> None:
    await db.intents.cover("C1", "1.1", "taken_back")
    [cover] = await db.intents.redactions()
    await db.intents.postpone(cover, 7, "archived")
    [waiting] = await db.intents.redactions()
    assert (waiting.attempts, waiting.not_before_ms, waiting.reason) == (1, 7, "archived")
    await db.intents.redacted(waiting)
    await db.intents.postpone(waiting, 8, "archived")
    assert await db.intents.redactions() == []


async def test_a_persons_erasure_covers_what_threads_were_told_and_signs_once(db: Database) -> None:
    verdict_id = await posted(db, "tr-1", ts="1.1")
    await db.feedback.note_button("C1", "1.1", "U1", "down", at(1))
    await told(db, verdict_id, "2.2")
    line = AuditLine(at_ms=NOON_MS, what="person_forgotten", judge="", who="U1", ids=("U1",))
    await db.intents.intend(Intent(kind="person", target="U1", notes=(line,)))
    for _ in range(2):
        await db.erase_person("U1", NOON_MS)
    assert await db.intents.redactions() == [Redaction(channel="C1", ts="2.2", kind="taken_back")]
    assert await db.feedback.told(verdict_id) == ()
    assert [one.kind for one in await db.intents.unfinished()] == ["person"]
    await db.finish_person("U1")
    assert await db.intents.unfinished() == []
    assert await db.journal.between(0, NOON_MS + A_WEEK_MS) == [line]


async def test_nothing_is_learned_from_a_trace_that_was_erased_meanwhile(db: Database) -> None:
    await posted(db, "tr-1")
    await db.erase("tr-1", None)
    opinion = PersonLabel(person="U1", value=False, rationale="rude")
    episode = Episode(trace_id="tr-1", label=False, fields={}, text="words", opinions=(opinion,))
    rule = Guideline(id="g", text="Greet.", sources=(Source(trace_id="tr-1", person="U1", quote="rude"),))
    for change in (MemoryChange(put_episodes=(episode,)), MemoryChange(put_guidelines=(rule,))):
        with pytest.raises(StorageError, match=r"trace tr-1: it was forgotten"):
            await db.memories.save("polite", change)
    assert (await db.memories.load("polite")).episodes == {}


async def test_a_card_forgotten_on_its_way_is_found_by_its_id_and_taken_down(folder: Path) -> None:
    post_id = card("tr-1").post_id
    async with await Database.open(folder) as db:
        await judged(db, "tr-1")
        await db.outbox.start(post_id)
        await db.erase("tr-1", None)
    async with await Database.open(folder) as db:
        [on_its_way] = await db.outbox.in_flight()
        assert (on_its_way.post_id, on_its_way.kind, on_its_way.payload) == (post_id, "void", {})
        assert not await db.outbox.done(post_id, "1.1")
        assert await db.intents.redactions() == [Redaction(channel="C1", ts="1.1", kind="remove")]
        assert await db.outbox.waiting() == 0
