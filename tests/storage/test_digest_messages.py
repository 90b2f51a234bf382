"""Digests in Slack: what is forgotten leaves them, and they are made anew."""

from pathlib import Path

from storage.database import Database
from storage.records import DigestContent, DigestMessage, ForgetRequest, Post, Redaction
from tests.storage.records import FOREVER_MS, NOON_MS, places_of, posted

DIGEST = DigestMessage(
    post_id="digest:1",
    channel="C1",
    judge="polite",
    week="2023-W46",
    trace_ids=("tr-gone", "tr-kept"),
    people=("UGONE", "UKEPT"),
)


async def shown(db: Database, digest: DigestMessage = DIGEST) -> None:
    """Let a digest arrive as `9.9`."""
    post = Post(post_id=digest.post_id, channel="C1", content=DigestContent(judge="polite", week="2023-W46"))
    await db.outbox.add_digest("C1:polite", "2023-W46", post)
    assert await db.digest_messages.note_shown(digest)
    await db.outbox.start(post.post_id)
    await db.outbox.done(post.post_id, "9.9")


async def redactions(db: Database) -> list[Redaction]:
    due = await db.forgetting.redactions_due(FOREVER_MS)
    return [each for each in due if each.kind == "digest"]


async def test_a_digest_that_tells_of_a_forgotten_trace_is_made_anew(db: Database, folder: Path) -> None:
    await posted(db, "tr-gone", ts="1.1")
    await shown(db)
    await db.forgetting.delete_traces(["tr-gone"])
    [redaction] = await redactions(db)
    assert (redaction.channel, redaction.ts) == ("C1", "9.9")
    digest = await db.digest_messages.by_message("C1", "9.9")
    assert digest is not None
    assert (digest.trace_ids, digest.is_stale) == (("tr-kept",), True)
    assert list(places_of([b"tr-gone"], folder)) == []


async def test_one_of_other_traces_stays_as_it_is(db: Database) -> None:
    await posted(db, "tr-other", ts="1.1")
    await shown(db)
    await db.forgetting.delete_traces(["tr-other"])
    assert await redactions(db) == []


async def test_a_digest_that_tells_of_a_forgotten_person_is_made_anew_once_no_memory_holds_their_words(
    db: Database, folder: Path
) -> None:
    await shown(db)
    await db.forgetting.request(ForgetRequest(kind="person", target="UGONE"))
    await db.forgetting.delete_person("UGONE", NOON_MS)
    [redaction] = await redactions(db)
    # a memory still holds them, so that the digest tells of them again
    assert await db.digest_messages.note_shown(DIGEST)
    await db.forgetting.redacted(redaction)
    assert await redactions(db) == []
    await db.forgetting.finish_person("UGONE")
    assert len(await redactions(db)) == 1
    assert list(places_of([b"UGONE"], folder)) == []


async def test_a_trace_forgotten_while_a_digest_is_on_its_way_is_taken_out_once_it_arrived(
    db: Database,
) -> None:
    await posted(db, "tr-gone", ts="1.1")
    assert await db.digest_messages.note_shown(DIGEST)
    await db.forgetting.delete_traces(["tr-gone"])
    assert await redactions(db) == []
    post = Post(post_id=DIGEST.post_id, channel="C1", content=DigestContent(judge="polite", week="2023-W46"))
    await db.outbox.add(post)
    await db.outbox.start(post.post_id)
    await db.outbox.done(post.post_id, "9.9")
    assert [each.ts for each in await redactions(db)] == ["9.9"]


async def test_a_digest_made_before_a_trace_was_forgotten_is_not_sent(db: Database) -> None:
    await posted(db, "tr-gone", ts="1.1")
    await db.forgetting.delete_traces(["tr-gone"])
    assert not await db.digest_messages.note_shown(DIGEST)
    assert await db.digest_messages.by_message("C1", "9.9") is None


async def test_a_trace_forgotten_while_a_digest_is_edited_keeps_it_due(db: Database) -> None:
    await posted(db, "tr-gone", ts="1.1")
    await posted(db, "tr-kept", ts="2.1")
    await shown(db)
    await db.forgetting.delete_traces(["tr-gone"])
    [redaction] = await redactions(db)
    await db.forgetting.delete_traces(["tr-kept"])
    await db.forgetting.redacted(redaction)
    assert len(await redactions(db)) == 1
