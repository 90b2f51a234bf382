"""A clock that was ahead: work put off meanwhile waits no years; Slack's times need not be this machine's."""

import asyncio

import pytest

from storage.database import Database
from tests.storage.records import NOON_MS, at, button_event, note, posted, trace

YEAR_MS = 365 * 24 * 3_600_000


async def test_a_job_put_off_for_a_year_is_taken_at_once(db: Database) -> None:
    await db.traces.add([(trace("t"), ["polite"])], NOON_MS, 10)
    await db.traces.postpone("t", "polite", NOON_MS + YEAR_MS, "down")
    assert [job.trace_id for job in await db.traces.next_jobs(NOON_MS, 10)] == ["t"]


async def test_a_job_put_off_for_some_minutes_waits(db: Database) -> None:
    await db.traces.add([(trace("t"), ["polite"])], NOON_MS, 10)
    await db.traces.postpone("t", "polite", NOON_MS + 300_000, "down")
    assert await db.traces.next_jobs(NOON_MS, 10) == []


async def test_a_post_put_off_or_a_channel_held_for_a_year_is_sent_at_once(db: Database) -> None:
    for channel in ("C1", "C2"):
        await db.outbox.add(note(f"post-{channel}", channel))
        await db.outbox.start(f"post-{channel}")
    await db.outbox.retry("post-C1", NOON_MS + YEAR_MS, "refused")
    await db.outbox.hold("post-C2", NOON_MS + YEAR_MS, "refused")
    assert {post.channel for post in await db.outbox.next_due(NOON_MS)} == {"C1", "C2"}
    assert await db.outbox.next_due(NOON_MS + YEAR_MS - 1000) != []


async def test_a_redaction_put_off_for_a_year_is_due_at_once(db: Database) -> None:
    await posted(db, ts="1.1")
    await db.forgetting.delete_traces(["tr-1"])
    [redaction] = await db.forgetting.redactions_due(NOON_MS)
    await db.forgetting.postpone(redaction, NOON_MS + YEAR_MS, "down")
    assert [each.ts for each in await db.forgetting.redactions_due(NOON_MS)] == ["1.1"]
    await db.forgetting.postpone(redaction, NOON_MS + 60_000, "down")
    assert await db.forgetting.redactions_due(NOON_MS) == []


@pytest.mark.parametrize("off_seconds", [-600, 600, 3600 * 24 * 365])
async def test_feedback_rests_from_its_arrival_on_whatever_slacks_clock_shows(
    db: Database, off_seconds: float
) -> None:
    await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(off_seconds)))
    assert await db.feedback.pending(NOON_MS, 60_000) == []
    await asyncio.sleep(0.02)
    assert [each.trace_id for each in await db.feedback.pending(NOON_MS, 10)] == ["tr-1"]


async def test_what_a_forgotten_person_is_known_to_have_done_is_not_taken_in_again(db: Database) -> None:
    await posted(db, ts="1.1")
    vote = button_event("U1", "up", at(30))
    await db.feedback.note("C1", "1.1", vote)
    await db.forgetting.delete_person("U1", NOON_MS)
    await db.feedback.note("C1", "1.1", vote)
    assert await db.feedback.of_person("U1") == []
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(31)))
    assert len(await db.feedback.of_person("U1")) == 1
