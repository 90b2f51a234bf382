from storage.database import Database
from storage.records import AuditLine, Post

DIGEST = Post(post_id="d-1", channel="C1", kind="digest", payload={"week": "2023-W46"})


def line(at_ms: int, *ids: str) -> AuditLine:
    return AuditLine(at_ms=at_ms, what="forgotten", judge="polite", who="U1", ids=ids)


async def test_a_digest_is_intended_once_and_posted_with_its_post(db: Database) -> None:
    assert await db.journal.digest_state("C1", "2023-W46") is None
    assert await db.journal.intend_digest("C1", "2023-W46", DIGEST)
    assert await db.journal.digest_state("C1", "2023-W46") == "intended"
    other = Post(post_id="d-2", channel="C1", kind="digest")
    assert not await db.journal.intend_digest("C1", "2023-W46", other)
    assert await db.outbox.next_due(1) == [DIGEST]
    await db.outbox.start("d-1")
    await db.outbox.done("d-1", "1.1")
    assert await db.journal.digest_state("C1", "2023-W46") == "posted"
    assert not await db.journal.intend_digest("C1", "2023-W46", other)
    assert await db.outbox.waiting() == 0


async def test_channels_and_weeks_are_apart(db: Database) -> None:
    await db.journal.intend_digest("C1", "2023-W46", DIGEST)
    assert await db.journal.digest_state("C1", "2023-W47") is None
    assert await db.journal.digest_state("C2", "2023-W46") is None


async def test_audit_lines_come_in_order_also_within_a_millisecond(db: Database) -> None:
    lines = [line(5, "a"), line(5, "b"), line(5, "c"), line(9, "d"), line(2, "e")]
    for each in lines:
        await db.journal.note(each)
    assert await db.journal.between(2, 9) == [lines[4], *lines[:3]]
    assert await db.journal.between(9, 10) == [lines[3]]
    assert await db.journal.between(10, 99) == []


async def test_the_first_start_is_remembered(db: Database) -> None:
    assert await db.journal.first_start_ms(100) == 100
    assert await db.journal.first_start_ms(900) == 100
