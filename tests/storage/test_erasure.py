"""What is erased is in no file any more: every byte of the folder is searched."""

import base64
import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from memalign.ports import MemoryChange, Vector, VectorKey
from memalign.records import Episode
from memalign.serialization import pack_vector
from storage.database import Database
from storage.documents import Documents
from storage.engine import connect_writer, wipe
from storage.records import AuditLine, Post
from storage.verdicts import verdict_id_of
from tests.storage.records import DAY, NOON_MS, at, card, judged, places_of, posted, trace, verdict

NOTE = AuditLine(at_ms=NOON_MS, what="forgotten", judge="polite", who="U9", ids=("tr-1",))


def spellings(text: str) -> list[bytes]:
    return [
        text.encode(),
        json.dumps(text)[1:-1].encode(),
        text.encode("utf-16-le"),
        base64.b64encode(text.encode()),
    ]


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Another program in the middle of a read."""
    with closing(sqlite3.connect(folder / "memalign.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM traces").fetchone()
        yield


async def test_all_that_hangs_on_a_trace_goes_with_it(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note_button("C1", "1.1", "U1", "down", at(1))
    lesson = Post(
        post_id="l", channel="C1", kind="lesson", verdict_id=verdict_id, payload={"guideline_ids": ["g"]}
    )
    await db.outbox.add(lesson)
    await db.outbox.start("l")
    await db.outbox.done("l", "2.2")
    await db.outbox.add(Post(post_id="m", channel="C1", kind="lesson", verdict_id=verdict_id))
    [gone] = await db.erase("tr-1", NOTE)
    assert (gone.verdict_id, gone.message_ts, gone.channel) == (verdict_id, "1.1", "C1")
    assert await db.traces.get("tr-1") is None
    assert await db.verdicts.get(verdict_id) is None
    assert await db.verdicts.of_trace("tr-1") == []
    assert await db.verdicts.recent("polite", 5) == []
    assert await db.verdicts.by_card("C1", "1.1") is None
    assert await db.verdicts.voted_between("polite", 0, 2 * NOON_MS) == []
    assert await db.feedback.of(verdict_id) == {}
    assert await db.feedback.of_person("U1") == []
    assert await db.feedback.told(verdict_id) == ()
    assert await db.feedback.waiting() == 0
    assert await db.feedback.note_button("C1", "1.1", "U1", "up", at(2)) is None
    assert await db.outbox.waiting() == 0
    assert await db.journal.between(0, 2 * NOON_MS) == [NOTE]


async def test_its_neighbours_stay(db: Database) -> None:
    await posted(db, "tr-1", ts="1.1")
    kept = await posted(db, "tr-10", ts="2.2")
    await db.feedback.note_button("C1", "2.2", "U1", "down", at(1))
    await db.traces.add([(trace("tr-100"), ["polite"])], 1, 10)
    await db.erase("tr-1", None)
    assert await db.traces.get("tr-10") == trace("tr-10")
    assert set(await db.feedback.of(kept)) == {"U1"}
    assert await db.traces.waiting() == 1
    assert await db.feedback.waiting() == 1
    assert not await db.traces.is_forgotten("tr-10")


async def test_erasing_twice_or_the_unknown_is_remembered_and_harmless(db: Database) -> None:
    assert await db.erase("nobody", None) == []
    assert await db.erase("nobody", None) == []
    assert await db.traces.add([(trace("nobody"), ["polite"])], 1, 10) == ["forgotten"]


async def test_a_job_waiting_for_a_forgotten_trace_goes(db: Database) -> None:
    await db.traces.add([(trace("a"), ["p", "q"]), (trace("b"), ["p"])], 1, 10)
    await db.traces.postpone("a", "q", 50, "down")
    await db.erase("a", None)
    assert [each.trace_id for each in await db.traces.next_jobs(100, 10)] == ["b"]
    assert await db.traces.waiting() == 1


async def test_no_byte_of_an_erased_trace_is_left_in_any_file(db: Database, folder: Path) -> None:
    secret = 'Zoë\'s "secret" 日本 words'
    said = {name: f"{secret} {name}" for name in ("in", "out", "why", "reply", "edited", "parked", "posted")}
    vector: Vector = (np.arange(256) / 7).astype(np.float32)
    shown = trace("tr-secret-id", inputs={"q": said["in"]}, outputs=said["out"])
    await db.traces.add([(shown, ["polite"])], NOON_MS, 10)
    post = Post(
        post_id="c",
        channel="C1",
        kind="card",
        verdict_id=verdict_id_of("polite", "tr-secret-id"),
        payload={"text": said["posted"]},
    )
    await db.verdicts.keep(
        verdict("tr-secret-id", rationale=said["why"]), channel="C1", judged_ms=NOON_MS, post=post, day=DAY
    )
    await db.outbox.start("c")
    await db.feedback.note_reply("C1", "1.1", "U1", "2.2", said["parked"], at(1))
    await db.outbox.done("c", "1.1")
    await db.feedback.note_reply("C1", "1.1", "U1", "2.3", said["reply"], at(2))
    await db.feedback.note_reply("C1", "1.1", "U1", "2.3", said["edited"], at(3))
    key = VectorKey(model="m", dimension=256, digest="d")
    await db.memories.keep_vectors("tr-secret-id", {key: vector})
    needles = [each for text in ("secret", "Zoë", "日本", "tr-secret-id") for each in spellings(text)]
    needles += [vector.tobytes(), pack_vector(vector).encode()]
    assert {name for name, _ in places_of(needles, folder)} >= {"memalign.db-wal"}
    await db.erase("tr-secret-id", None)
    assert list(places_of(needles, folder)) == []
    await db.close()
    assert list(places_of(needles, folder)) == []


def test_no_byte_is_left_where_pages_were_split_and_merged(folder: Path) -> None:
    folder.mkdir()
    chance, living, gone = random.Random(1), list[str](), list[str]()
    with closing(connect_writer(folder)) as connection:
        documents = Documents(connection)
        table = documents.shelf("any")
        with documents.store.transaction():
            for number in range(5000):
                if chance.random() < 0.6:
                    living.append(f"{chance.random():.6f}<{number:05}>")
                    body = f"[{living[-1]}] " * chance.choice([1, 3, 15, 80, 250])
                    table.put(living[-1], {"body": body})
                else:
                    gone.append(living.pop(chance.randrange(len(living))))
                    table.discard(gone[-1])
        assert wipe(connection)
        assert {key for key, _ in table.span("")} == set(living)
    assert list(places_of([each.encode() for each in gone], folder)) == []


async def test_no_table_points_to_what_was_erased(db: Database) -> None:
    await posted(db, ts="1.1")
    await db.feedback.note_reply("C1", "1.1", "U1", "2.2", "because", at(1))
    await db.feedback.note_button("C1", "1.1", "U1", "up", at(100_000))
    await db.erase("tr-1", None)
    documents = db._worker.documents
    names = await db._worker.read(documents.tables)
    filled = {name for name in names if await db._worker.read(documents.shelf(name).__len__)}
    # a cover is a place in Slack and nothing else
    assert filled == {"forgotten", "shown", "counters", "queue_lengths", "covers"}


async def test_bytes_of_an_earlier_memory_go_with_the_next_wipe(db: Database, folder: Path) -> None:
    episode = Episode(trace_id="tr-1", label=True, fields={"inputs": "SECRET"}, text="SECRET", opinions=())
    await db.memories.save("polite", MemoryChange(put_episodes=(episode,)))
    await db.memories.save("polite", MemoryChange(drop_episodes=frozenset({"tr-1"})))
    await db.erase("tr-1", None)
    assert list(places_of([b"SECRET"], folder)) == []


async def test_a_wipe_that_a_reader_holds_up_is_made_up_for(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
        with reading(folder):
            await db.erase("t", None)
            assert not await db.wipe()
        assert list(places_of([b"SECRET"], folder)) != []
        assert await db.wipe()
        assert list(places_of([b"SECRET"], folder)) == []
        assert await db.wipe()


async def test_a_wipe_still_due_is_done_at_the_next_start(db: Database, folder: Path, tmp_path: Path) -> None:
    await db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
    crashed = tmp_path / "crashed"
    with reading(folder):
        await db.erase("t", None)
        # the files as a crash right now would leave them
        shutil.copytree(folder, crashed)
    assert list(places_of([b"SECRET"], crashed)) != []
    async with await Database.open(crashed):
        assert list(places_of([b"SECRET"], crashed)) == []


async def test_a_persons_facts_go_everywhere_and_are_learned_anew(db: Database, folder: Path) -> None:
    first, second = await posted(db, "a", ts="1.1"), await posted(db, "b", ts="2.2")
    for ts in ("1.1", "2.2"):
        await db.feedback.note_reply("C1", ts, "U1", "5.5", "SECRET", at(1))
        await db.feedback.note_button("C1", ts, "U2", "up", at(1))
    for verdict_id in (first, second):
        await db.feedback.learned(verdict_id, 2)
    await db.outbox.add(
        Post(post_id="l", channel="C1", kind="lesson", verdict_id=first, payload={"q": "SECRET"})
    )
    await judged(db, "c")
    await db.outbox.start(card("c").post_id)
    await db.feedback.note_reply("C1", "3.3", "U1", "6.6", "SECRET", at(1))
    touched = await db.erase_person("U1", NOON_MS)
    assert {each.verdict_id for each in touched} == {first, second}
    assert set(await db.feedback.of(first)) == {"U2"}
    assert [each.revision for each in touched] == [3, 3]
    assert await db.feedback.waiting() == 2
    await db.outbox.done(card("c").post_id, "3.3")
    assert await db.feedback.of_person("U1") == []
    assert await db.outbox.waiting() == 0
    assert list(places_of([b"SECRET"], folder)) == []
