"""Looks for work that the bot repeats each second: they write only where something has waited long enough."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from memalign.records import Json
from storage.database import Database
from storage.engines.postgres import PostgresEngine
from storage.records import Redaction
from tests.storage.engines import Opener
from tests.storage.records import NOON_MS, note, posted, trace

LATER_MS = NOON_MS + 60_000


@contextmanager
def another_writer(open_another: Opener) -> Iterator[None]:
    """Hold the lock for writing: a transaction that writes is refused meanwhile."""
    with closing(open_another()) as engine, engine.transaction():
        if isinstance(engine, PostgresEngine):
            # only then it has it
            assert engine.version
        yield


async def work_waiting_until(db: Database, not_before_ms: int) -> None:
    """Put off one piece of each kind of work."""
    await db.traces.add([(trace("tr-1"), ["polite"])], NOON_MS, 10)
    await db.traces.postpone("tr-1", "polite", not_before_ms, "model is down")
    await db.outbox.add(note("a"))
    await db.outbox.retry("a", not_before_ms, "500")


async def polls(db: Database, now_ms: int) -> list[list[Json]]:
    return [
        [job.trace_id for job in await db.traces.next_jobs(now_ms, 10)],
        [post.post_id for post in await db.outbox.next_due(now_ms)],
    ]


async def test_a_poll_writes_nothing_while_all_that_waits_must_wait(
    db: Database, open_another: Opener
) -> None:
    await work_waiting_until(db, LATER_MS)
    with another_writer(open_another):
        assert await polls(db, LATER_MS - 1) == [[], []]


async def test_a_poll_gives_what_is_ready_without_writing(db: Database, open_another: Opener) -> None:
    await work_waiting_until(db, LATER_MS)
    ready = [["tr-1"], ["a"]]
    assert await polls(db, LATER_MS) == ready
    with another_writer(open_another):
        assert await polls(db, LATER_MS) == ready


async def test_redactions_that_are_due_come_by_channel_and_time(db: Database) -> None:
    for ts in ("3.3", "1.1", "2.2"):
        await posted(db, f"tr-{ts}", ts=ts)
    await db.forgetting.delete_traces(["tr-3.3", "tr-1.1", "tr-2.2"])
    await db.forgetting.postpone(Redaction(channel="C1", ts="2.2", kind="forgotten"), LATER_MS, "429")
    assert [each.ts for each in await db.forgetting.redactions_due(LATER_MS - 1)] == ["1.1", "3.3"]
    assert [each.ts for each in await db.forgetting.redactions_due(LATER_MS)] == ["1.1", "2.2", "3.3"]
