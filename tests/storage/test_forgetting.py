"""A request to forget is kept until nothing of its target is left, and nothing forgotten comes back."""

from pathlib import Path

import pytest

from memalign.errors import StorageError
from memalign.ports import MemoryChange
from memalign.records import Episode, Guideline, PersonLabel, Source
from storage.database import Database
from storage.records import AuditLine, ForgetRequest, Redaction
from tests.storage.records import FOREVER_MS, NOON_MS, at, button_event, card, judged, lesson, posted

ASKED = AuditLine(at_ms=NOON_MS, what="forgotten", judge="polite", person="U9", ids=("tr-1",))
A_WEEK_MS = 7 * 24 * 3600 * 1000


async def keep_lesson(db: Database, verdict_id: str, ts: str) -> None:
    await db.outbox.add(lesson(ts, verdict_id, "g"))
    await db.outbox.start(ts)
    await db.outbox.done(ts, ts)


async def test_a_request_outlives_the_process_until_its_trace_is_deleted(folder: Path) -> None:
    request = ForgetRequest(kind="trace", target="tr-1", notes=(ASKED,))
    async with await Database.open(folder) as db:
        await posted(db, "tr-1")
        await db.forgetting.request(request)
    async with await Database.open(folder) as db:
        assert await db.forgetting.requests() == [request]
        assert await db.audit.between(0, NOON_MS + A_WEEK_MS) == []
        await db.forgetting.delete_traces(["tr-1"])
        assert await db.forgetting.requests() == []
        assert await db.audit.between(0, NOON_MS + A_WEEK_MS) == [ASKED]


async def test_requesting_and_deleting_twice_leaves_one_line_in_the_audit(db: Database) -> None:
    await posted(db, "tr-1")
    for _ in range(2):
        await db.forgetting.request(ForgetRequest(kind="trace", target="tr-1", notes=(ASKED,)))
    await db.forgetting.delete_traces(["tr-1"])
    await db.forgetting.delete_traces(["tr-1"])
    assert await db.audit.between(0, NOON_MS + A_WEEK_MS) == [ASKED]


async def test_what_slack_shows_of_a_trace_is_to_be_redacted(db: Database) -> None:
    verdict_id = await posted(db, "tr-1", ts="1.1")
    await keep_lesson(db, verdict_id, "2.2")
    await db.forgetting.delete_traces(["tr-1"])
    assert await db.forgetting.redactions_due(FOREVER_MS) == [
        Redaction(channel="C1", ts="1.1", kind="forgotten"),
        Redaction(channel="C1", ts="2.2", kind="forgotten_reply"),
    ]


async def test_a_failed_redaction_waits_and_a_redacted_message_is_listed_no_more(db: Database) -> None:
    await posted(db, "tr-1", ts="1.1")
    await db.forgetting.delete_traces(["tr-1"])
    [redaction] = await db.forgetting.redactions_due(FOREVER_MS)
    await db.forgetting.postpone(redaction, 7, "archived")
    [waiting] = await db.forgetting.redactions_due(FOREVER_MS)
    assert (waiting.attempts, waiting.not_before_ms, waiting.reason) == (1, 7, "archived")
    await db.forgetting.redacted(waiting)
    await db.forgetting.postpone(waiting, 8, "archived")
    assert await db.forgetting.redactions_due(FOREVER_MS) == []


async def test_deleting_a_person_redacts_what_threads_were_told_and_signs_once(db: Database) -> None:
    verdict_id = await posted(db, "tr-1", ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(1)))
    await keep_lesson(db, verdict_id, "2.2")
    line = AuditLine(at_ms=NOON_MS, what="person_forgotten", judge="", person="U1", ids=("U1",))
    await db.forgetting.request(ForgetRequest(kind="person", target="U1", notes=(line,)))
    for _ in range(2):
        await db.forgetting.delete_person("U1", NOON_MS)
    # the one message there is edited, to what is so without them
    assert await db.forgetting.redactions_due(FOREVER_MS) == []
    assert [each.message_ts for each in await db.thread_statuses.due(FOREVER_MS)] == ["2.2"]
    assert verdict_id == (await db.thread_statuses.due(FOREVER_MS))[0].verdict_id
    assert [request.kind for request in await db.forgetting.requests()] == ["person"]
    await db.forgetting.finish_person("U1")
    assert await db.forgetting.requests() == []
    assert await db.audit.between(0, NOON_MS + A_WEEK_MS) == [line]


async def test_nothing_is_learned_from_a_trace_that_was_erased_meanwhile(db: Database) -> None:
    await posted(db, "tr-1")
    await db.forgetting.delete_traces(["tr-1"])
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
        await db.forgetting.delete_traces(["tr-1"])
    async with await Database.open(folder) as db:
        [on_its_way] = await db.outbox.in_flight()
        assert (on_its_way.post_id, on_its_way.content) == (post_id, None)
        assert not await db.outbox.done(post_id, "1.1")
        assert await db.forgetting.redactions_due(FOREVER_MS) == [
            Redaction(channel="C1", ts="1.1", kind="remove")
        ]
        assert await db.outbox.waiting() == 0
