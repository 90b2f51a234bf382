from dataclasses import replace
from pathlib import Path

from storage.database import Database
from storage.records import DigestContent, NoteContent, Post
from tests.storage.records import NOON_MS, card, judged, lesson, note, posted, status_post, stored


async def due(db: Database, now_ms: int = 1) -> list[str]:
    return [each.post_id for each in await db.outbox.next_due(now_ms)]


async def test_a_post_is_added_once(db: Database) -> None:
    assert await db.outbox.add(note("a"))
    assert not await db.outbox.add(replace(note("a"), content=NoteContent(text="other")))
    assert await db.outbox.next_due(1) == [note("a")]
    assert await db.outbox.waiting() == 1


async def test_each_channel_offers_its_first_in_order_of_adding(db: Database) -> None:
    for post in (note("b", "C2"), note("z", "C1"), note("a", "C1"), note("c", "C11"), note("d", "C2")):
        await db.outbox.add(post)
    assert await due(db) == ["b", "z", "c"]


async def test_a_channel_with_a_post_on_its_way_offers_none(db: Database) -> None:
    for post in (note("a"), note("b"), note("c", "C2")):
        await db.outbox.add(post)
    assert await db.outbox.start("a")
    assert await due(db) == ["c"]
    assert await db.outbox.in_flight() == [replace(note("a"), state="posting")]
    assert await db.outbox.done("a", "1.1")
    assert await due(db) == ["b", "c"]
    assert await db.outbox.in_flight() == []
    assert await db.outbox.waiting() == 2


async def test_a_post_starts_once(db: Database) -> None:
    await db.outbox.add(note("a"))
    assert await db.outbox.start("a")
    assert not await db.outbox.start("a")
    assert not await db.outbox.start("nobody")


async def test_a_held_channel_offers_nothing_and_then_its_posts_in_their_old_order(db: Database) -> None:
    for post in (note("a"), note("b"), note("c", "C2")):
        await db.outbox.add(post)
    await db.outbox.start("a")
    await db.outbox.hold("a", 50, "429")
    assert await db.outbox.in_flight() == []
    assert await due(db, 49) == ["c"]
    assert await db.outbox.next_due(50) == [replace(note("a"), attempts=1, reason="429"), note("c", "C2")]
    await db.outbox.start("a")
    await db.outbox.done("a", "1.1")
    assert await due(db, 50) == ["b", "c"]


async def test_a_post_added_to_a_held_channel_waits_too(db: Database) -> None:
    await db.outbox.add(note("a"))
    await db.outbox.hold("a", 50, "429")
    await db.outbox.drop("a")
    await db.outbox.add(note("b"))
    assert await due(db, 49) == []
    assert await due(db, 50) == ["b"]


async def test_a_hold_takes_a_restart_unharmed(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.outbox.add(note("a"))
        await db.outbox.add(note("b"))
        await db.outbox.start("a")
        await db.outbox.hold("a", 50, "429")
    async with await Database.open(folder) as db:
        assert await due(db, 49) == []
        assert await due(db, 50) == ["a"]


async def test_a_channel_is_expected_in_while_it_has_posts_in_any_state(db: Database) -> None:
    for post in (note("due", "C1"), note("later", "C2"), note("held", "C3"), note("posting", "C4")):
        await db.outbox.add(post)
    await db.outbox.retry("later", 50, "invalid_blocks")
    await db.outbox.hold("held", 50, "429")
    await db.outbox.start("posting")
    assert await db.outbox.expecting(["C1", "C2", "C3", "C4", "C5"]) == {"C1", "C2", "C3", "C4"}
    for each in ("due", "later", "held", "posting"):
        await db.outbox.drop(each)
    assert await db.outbox.expecting(["C1", "C2", "C3", "C4", "C5"]) == set()


async def test_a_faulty_post_is_overtaken_and_then_comes_before_later_ones(db: Database) -> None:
    await db.outbox.add(note("a"))
    await db.outbox.add(note("b"))
    await db.outbox.start("a")
    await db.outbox.retry("a", 50, "invalid_blocks")
    assert await due(db, 49) == ["b"]
    (first,) = await db.outbox.next_due(50)
    assert first == replace(note("a"), attempts=1, reason="invalid_blocks")


async def test_a_dropped_post_is_gone_in_any_state(db: Database) -> None:
    for each in ("due", "later", "posting"):
        await db.outbox.add(note(each))
    await db.outbox.retry("later", 50, "429")
    await db.outbox.start("posting")
    for each in ("due", "later", "posting", "nobody"):
        await db.outbox.drop(each)
    assert await db.outbox.waiting() == 0
    assert await due(db, 1000) == []
    assert await db.outbox.in_flight() == []


async def test_a_post_on_its_way_is_known_after_a_restart(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.outbox.add(note("a"))
        await db.outbox.add(note("b"))
        await db.outbox.start("a")
    async with await Database.open(folder) as db:
        assert [each.post_id for each in await db.outbox.in_flight()] == ["a"]
        assert await due(db) == []


async def test_the_lesson_of_an_earlier_version_becomes_the_status_where_it_arrives(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.outbox.add(lesson("l", verdict_id, "g1", "g2"))
    assert await db.thread_statuses.get(verdict_id) is None
    await db.outbox.start("l")
    await db.outbox.done("l", "2.2")
    [status] = await db.thread_statuses.due(NOON_MS)
    assert (status.message_ts, [rule.ids for rule in status.rules]) == ("2.2", [("g1",), ("g2",)])


async def test_a_card_erased_while_being_sent_is_not_done(db: Database) -> None:
    await judged(db)
    await db.outbox.start(card().post_id)
    await db.forgetting.delete_traces(["tr-1"])
    assert not await db.outbox.done(card().post_id, "1.1")
    assert await db.verdicts.by_card("C1", "1.1") is None


async def test_a_card_erased_before_its_turn_does_not_start(db: Database) -> None:
    await judged(db)
    [post] = await db.outbox.next_due(NOON_MS)
    await db.forgetting.delete_traces(["tr-1"])
    assert not await db.outbox.start(post.post_id)
    assert await due(db, NOON_MS) == []


async def test_the_status_of_an_erased_verdict_is_not_taken(db: Database) -> None:
    verdict_id = await posted(db)
    await db.thread_statuses.tell(await stored(db, verdict_id), (), is_declined=False)
    await db.forgetting.delete_traces(["tr-1"])
    assert not await db.outbox.add(status_post(verdict_id))
    assert await db.outbox.waiting() == 0


async def test_a_status_is_posted_once(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.thread_statuses.tell(await stored(db, verdict_id), (), is_declined=False)
    post = status_post(verdict_id)
    assert await db.outbox.add(post)
    assert not await db.outbox.add(post)
    await db.outbox.start(post.post_id)
    await db.outbox.done(post.post_id, "2.2")
    assert not await db.outbox.add(post)
    status = await db.thread_statuses.get(verdict_id)
    assert status is not None
    assert status.message_ts == "2.2"


async def test_a_digest_of_a_slot_and_a_week_is_added_once(db: Database) -> None:
    digest = Post(post_id="d-1", channel="C1", content=DigestContent(text="12 of 14", due_ms=5))
    assert await db.outbox.add_digest("C1:polite", "2023-W46", digest)
    assert not await db.outbox.add_digest("C1:polite", "2023-W46", replace(digest, post_id="d-2"))
    assert await db.outbox.next_due(1) == [digest]
    await db.outbox.start("d-1")
    await db.outbox.done("d-1", "1.1")
    assert not await db.outbox.add_digest("C1:polite", "2023-W46", digest)
    assert await db.outbox.waiting() == 0
    assert await db.outbox.add_digest("C1:polite", "2023-W47", replace(digest, post_id="d-3"))
    assert await db.outbox.add_digest("C1:curt", "2023-W46", replace(digest, post_id="d-4"))
