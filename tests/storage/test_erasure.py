"""Deleted content is in no file any more: every byte of the folder is searched."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from memalign.ports import MemoryChange, Vector, VectorKey
from memalign.records import Episode, PersonLabel
from memalign.serialization import pack_vector
from storage.database import Database
from storage.documents import Document, Documents, DocumentTable
from storage.engines import Engine, Location
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_file import FILE, connect_writer, truncate_log
from storage.engines.unused_bytes import UnusedBytes
from storage.records import AuditLine, ForgetRequest
from storage.reply_receipts import ReplyReceipt
from storage.verdicts import verdict_id_of
from tests.conftest import FindBytes
from tests.secrets import spellings
from tests.storage.engines import Opener
from tests.storage.records import (
    DAY,
    NOON_MS,
    at,
    button_event,
    card,
    judged,
    lesson,
    places_of,
    posted,
    reply_event,
    trace,
    verdict,
)

NOTE = AuditLine(at_ms=NOON_MS, what="forgotten", judge="polite", person="U9", ids=("tr-1",))


@contextmanager
def reading(open_another: Opener) -> Iterator[None]:
    """Another program in the middle of a read."""
    with closing(open_another()) as engine, engine.snapshot():
        if engine.has_table("traces"):
            engine.count("traces")
        yield


async def test_all_that_hangs_on_a_trace_goes_with_it(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(1)))
    await db.outbox.add(lesson("l", verdict_id, "g"))
    await db.outbox.start("l")
    await db.outbox.done("l", "2.2")
    await db.outbox.add(lesson("m", verdict_id))
    [deleted] = await db.forgetting.delete_traces(["tr-1"], NOTE)
    assert (deleted.verdict_id, deleted.message_ts, deleted.channel) == (verdict_id, "1.1", "C1")
    assert await db.traces.get("tr-1") is None
    assert await db.verdicts.get(verdict_id) is None
    assert await db.verdicts.of_trace("tr-1") == []
    assert await db.verdicts.recent("polite", 5) == []
    assert await db.verdicts.by_card("C1", "1.1") is None
    assert await db.feedback.voted_between("polite", 0, 2 * NOON_MS) == []
    assert await db.feedback.of(verdict_id) == {}
    assert await db.feedback.of_person("U1") == []
    assert await db.feedback.thread_posts(verdict_id) == ()
    assert await db.feedback.waiting() == 0
    assert await db.feedback.note("C1", "1.1", button_event("U1", "up", at(2))) is None
    assert await db.outbox.waiting() == 0
    assert await db.audit.between(0, 2 * NOON_MS) == [NOTE]


async def test_its_neighbours_stay(db: Database) -> None:
    await posted(db, "tr-1", ts="1.1")
    kept = await posted(db, "tr-10", ts="2.2")
    await db.feedback.note("C1", "2.2", button_event("U1", "down", at(1)))
    await db.traces.add([(trace("tr-100"), ["polite"])], 1, 10)
    await db.forgetting.delete_traces(["tr-1"])
    assert await db.traces.get("tr-10") == trace("tr-10")
    assert set(await db.feedback.of(kept)) == {"U1"}
    assert await db.traces.waiting() == 1
    assert await db.feedback.waiting() == 1
    assert not await db.traces.is_forgotten("tr-10")


async def test_erasing_twice_or_the_unknown_is_remembered_and_harmless(db: Database) -> None:
    assert await db.forgetting.delete_traces(["nobody"]) == []
    assert await db.forgetting.delete_traces(["nobody"]) == []
    assert await db.traces.add([(trace("nobody"), ["polite"])], 1, 10) == ["forgotten"]


async def test_a_job_waiting_for_a_forgotten_trace_goes(db: Database) -> None:
    await db.traces.add([(trace("a"), ["p", "q"]), (trace("b"), ["p"])], 1, 10)
    await db.traces.postpone("a", "q", 50, "down")
    await db.forgetting.delete_traces(["a"])
    assert [each.trace_id for each in await db.traces.next_jobs(100, 10)] == ["b"]
    assert await db.traces.waiting() == 1


async def test_no_byte_of_an_erased_trace_is_left_in_any_file(db: Database, find_bytes: FindBytes) -> None:
    secret = 'Zoë\'s "secret" 日本 words'
    texts = {name: f"{secret} {name}" for name in ("in", "out", "why", "reply", "edited", "parked", "posted")}
    vector: Vector = (np.arange(256) / 7).astype(np.float32)
    shown = trace("tr-secret-id", inputs={"q": texts["in"]}, outputs=texts["out"])
    await db.traces.add([(shown, ["polite"])], NOON_MS, 10)
    judged_so = verdict("tr-secret-id", rationale=texts["why"])
    await db.verdicts.keep(judged_so, channel="C1", judged_ms=NOON_MS, day=DAY)
    post_id = card("tr-secret-id").post_id
    await db.outbox.start(post_id)
    await db.feedback.note("C1", "1.1", reply_event("U1", "2.2", texts["parked"], at(1)))
    await db.outbox.done(post_id, "1.1")
    await db.outbox.add(lesson("l", verdict_id_of("polite", "tr-secret-id"), "g", text=texts["posted"]))
    await db.feedback.note("C1", "1.1", reply_event("U1", "2.3", texts["reply"], at(2)))
    await db.feedback.note("C1", "1.1", reply_event("U1", "2.3", texts["edited"], at(3)))
    key = VectorKey(model="m", dimension=256, digest="d")
    await db.memories.keep_vectors("tr-secret-id", {key: vector})
    needles = [each for text in ("secret", "Zoë", "日本", "tr-secret-id") for each in spellings(text)]
    needles += [vector.tobytes(), pack_vector(vector).encode()]
    assert find_bytes(needles) != []
    await db.forgetting.delete_traces(["tr-secret-id"])
    assert find_bytes(needles) == []
    await db.close()
    assert find_bytes(needles) == []


def test_no_byte_is_left_where_pages_were_split_and_merged(folder: Path) -> None:
    folder.mkdir()
    chance, living, deleted_ids = random.Random(1), list[str](), list[str]()
    connection = connect_writer(folder)
    with closing(SqliteEngine(connection, slack=UnusedBytes(str(folder / FILE)))) as engine:
        table = Documents(engine).declare("any", {"body": lambda body: [body["body"][:12]]})
        with engine.transaction():
            for number in range(5000):
                if chance.random() < 0.6:
                    living.append(f"{chance.random():.6f}<{number:05}>")
                    body = f"[{living[-1]}] " * chance.choice([1, 3, 15, 80, 250])
                    table.insert(Document({"body": body}, living[-1]))
                else:
                    deleted_ids.append(living.pop(chance.randrange(len(living))))
                    table.remove(doc_ids=[deleted_ids[-1]])
        assert all(engine.vacuum())
        assert {body.doc_id for body in table.range(index="body")} == set(living)
    assert list(places_of([each.encode() for each in deleted_ids], folder)) == []


@pytest.mark.parametrize("seed", range(3))
def test_no_byte_is_left_though_others_write_between_the_steps_of_a_vacuum(folder: Path, seed: int) -> None:
    folder.mkdir()
    chance, living, deleted_ids = random.Random(seed), list[str](), list[str]()

    def work(table: DocumentTable, actions: int) -> None:
        for _ in range(actions):
            text = f"[{chance.random():.9f}] " * chance.choice([1, 3, 15, 80, 250])
            if chance.random() < 0.5 or not living:
                living.append(f"<{chance.random():.12f}>")
                table.insert(Document({"body": living[-1] + text}, living[-1]))
            elif chance.random() < 0.5:
                table.upsert(Document({"body": living[0] + text}, living[0]))
            else:
                deleted_ids.append(living.pop(chance.randrange(len(living))))
                table.remove(doc_ids=[deleted_ids[-1]])

    connection = connect_writer(folder)
    with closing(SqliteEngine(connection, slack=UnusedBytes(str(folder / FILE)))) as engine:
        table = Documents(engine).declare("any", {"body": lambda body: [body["body"][:200]]})
        for _ in range(3):
            with engine.transaction():
                work(table, 700)
            deleted = [each.encode() for each in deleted_ids]
            for _ in engine.vacuum(pages_per_step=chance.choice([1, 10, 50])):
                with engine.transaction():
                    work(table, 3)
            assert truncate_log(connection)
            assert list(places_of(deleted, folder)) == []
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert {body.doc_id for body in table.range(index="body")} == set(living)


async def test_no_table_points_to_what_was_deleted(db: Database) -> None:
    await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", reply_event("U1", "2.2", "because", at(1)))
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(100_000)))
    await db.forgetting.delete_traces(["tr-1"])
    filled = await db.store.read(lambda: filled_tables(db.store.documents.engine))
    # a redaction is a place in Slack and nothing else, a forgotten card the hash of one
    assert filled == {"forgotten", "card_counts", "redactions", "forgotten_cards"}


def filled_tables(engine: Engine) -> set[str]:
    """Return the names of tables with documents, and of indexes with entries."""
    entries = {
        f"{table}/{index}"
        for table in engine.table_names()
        for index in engine.indexes(table)
        if next(engine.raw_entries(table, index), None)
    }
    return entries | {table for table in engine.table_names() if engine.count(table)}


async def test_bytes_of_an_earlier_memory_go_with_the_next_wipe(db: Database, find_bytes: FindBytes) -> None:
    episode = Episode(trace_id="tr-1", label=True, fields={"inputs": "SECRET"}, text="SECRET", opinions=())
    await db.memories.save("polite", MemoryChange(put_episodes=(episode,)))
    await db.memories.save("polite", MemoryChange(drop_episodes=frozenset({"tr-1"}), from_version=1))
    await db.forgetting.delete_traces(["tr-1"])
    assert find_bytes([b"SECRET"]) == []


async def test_a_wipe_that_a_reader_holds_up_is_made_up_for(
    db: Database, open_another: Opener, find_bytes: FindBytes
) -> None:
    await db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
    with reading(open_another):
        await db.forgetting.delete_traces(["t"])
        assert not await db.vacuum()
    assert find_bytes([b"SECRET"]) != []
    assert await db.vacuum()
    assert find_bytes([b"SECRET"]) == []
    assert await db.vacuum()


def case_of(person: str) -> Episode:
    label = PersonLabel(person=person, value=True, rationale="SECRET")
    return Episode(trace_id="tr-1", label=True, fields={}, text="a", opinions=(label,))


async def test_a_case_taken_back_makes_no_vacuum_due(db: Database, open_another: Opener) -> None:
    await db.traces.add([(trace("tr-1"), [])], 1, 10)
    await db.memories.save("polite", MemoryChange(put_episodes=(case_of("U1"),)))
    await db.memories.save("polite", MemoryChange(drop_episodes=frozenset({"tr-1"}), from_version=1))
    with reading(open_another):
        assert await db.vacuum()


async def test_a_case_learned_from_a_person_being_forgotten_makes_a_vacuum_due(
    db: Database, open_another: Opener, find_bytes: FindBytes
) -> None:
    await db.forgetting.delete_person("U1", 1)
    await db.forgetting.finish_person("U1")
    await db.traces.add([(trace("tr-1"), [])], 1, 10)
    await db.memories.save("polite", MemoryChange(put_episodes=(case_of("U1"),)))
    with reading(open_another):
        await db.memories.save("polite", MemoryChange(drop_episodes=frozenset({"tr-1"}), from_version=1))
        assert not await db.vacuum()
    assert await db.vacuum()
    assert find_bytes([b"SECRET"]) == []


async def test_a_wipe_still_due_is_done_at_the_next_start(
    location: Location, open_another: Opener, find_bytes: FindBytes
) -> None:
    async with await Database.open(location) as db:
        await db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
    with reading(open_another):
        async with await Database.open(location) as db:
            await db.forgetting.delete_traces(["t"])
        assert find_bytes([b"SECRET"]) != []
    async with await Database.open(location):
        assert find_bytes([b"SECRET"]) == []


async def test_a_wipe_still_due_is_done_after_a_crash(
    folder_db: Database, folder: Path, tmp_path: Path
) -> None:
    await folder_db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
    crashed = tmp_path / "crashed"
    with reading(lambda: SqliteEngine(connect_writer(folder))):
        await folder_db.forgetting.delete_traces(["t"])
        # the files as a crash right now would leave them
        shutil.copytree(folder, crashed)
    assert list(places_of([b"SECRET"], crashed)) != []
    async with await Database.open(crashed):
        assert list(places_of([b"SECRET"], crashed)) == []


async def test_a_persons_facts_go_everywhere_and_are_learned_anew(
    db: Database, find_bytes: FindBytes
) -> None:
    first, second = await posted(db, "a", ts="1.1"), await posted(db, "b", ts="2.2")
    for ts in ("1.1", "2.2"):
        await db.feedback.note("C1", ts, reply_event("U1", "5.5", "SECRET", at(1)))
        await db.feedback.note("C1", ts, button_event("U2", "up", at(1)))
    for verdict_id in (first, second):
        await db.feedback.learned(verdict_id, 2)
    await db.outbox.add(lesson("l", first, "g", text="SECRET"))
    await judged(db, "c")
    await db.outbox.start(card("c").post_id)
    await db.feedback.note("C1", "3.3", reply_event("U1", "6.6", "SECRET", at(1)))
    touched = await db.forgetting.delete_person("U1", NOON_MS)
    assert {each.verdict_id for each in touched} == {first, second}
    assert set(await db.feedback.of(first)) == {"U2"}
    assert [each.revision for each in touched] == [3, 3]
    assert await db.feedback.waiting() == 2
    await db.outbox.done(card("c").post_id, "3.3")
    assert await db.feedback.of_person("U1") == []
    assert await db.outbox.waiting() == 0
    assert find_bytes([b"SECRET"]) == []


async def test_the_store_vacuums_by_itself_what_was_deleted_without_a_vacuum(
    location: Location, find_bytes: FindBytes
) -> None:
    async with await Database.open(location, vacuum_seconds=0.01) as db:
        await posted(db, "tr-1", ts="1.1")
        for rationale in ("SECRET", "(taken out)"):
            await db.verdicts.redact(verdict_id_of("polite", "tr-1"), rationale)
        await db.traces.add([(trace("old", inputs="SECRET"), [])], 1, 10)
        assert await db.forgetting.delete_expired(2, 10, 3) == 1
        for _ in range(1000):
            if not find_bytes([b"SECRET"]):
                break
            await asyncio.sleep(0.01)
        assert find_bytes([b"SECRET"]) == []
        assert await db.traces.get("tr-1") is not None


async def _receipt(db: Database, person: str) -> None:
    """An answer to a person's reply is on its way, and another reply of theirs waits."""
    [unread] = [each for each in await db.replies.due(0) if each.person == person]
    assert await db.replies.keep(unread, [ReplyReceipt(reply_ts=f"77.{person}", reading="reason")])


async def test_no_byte_of_receipts_is_left_of_a_forgotten_trace(db: Database, find_bytes: FindBytes) -> None:
    verdict_id = await posted(db, "tr-1", ts="987654.321")
    kept = await posted(db, "tr-2", ts="2.2")
    for ts in ("987654.321", "2.2"):
        await db.feedback.note("C1", ts, reply_event("UGONE", "77.1", "SECRET words", at(1)))
    for unread in await db.replies.due(0):
        receipt = ReplyReceipt(reply_ts=f"77.{unread.card}", reading="reason")
        assert await db.replies.keep(unread, [receipt])
    needles = [b"tr-1", verdict_id.encode()]
    assert find_bytes(needles) != []
    await db.forgetting.delete_traces(["tr-1"])
    assert [each.card for each in await db.replies.due(0)] == [kept]
    assert await db.replies.receipts(verdict_id, "UGONE") == set()
    assert find_bytes(needles) == []


async def test_no_byte_of_receipts_is_left_of_a_forgotten_person(db: Database, find_bytes: FindBytes) -> None:
    await posted(db, "tr-1", ts="1.1")
    for person in ("UGONE", "UKEPT"):
        await db.feedback.note("C1", "1.1", reply_event(person, f"77.{person}", "SECRET words", at(1)))
        await _receipt(db, person)
    await db.forgetting.request(ForgetRequest(kind="person", target="UGONE"))
    await db.forgetting.delete_person("UGONE", NOON_MS)
    await db.forgetting.finish_person("UGONE")
    assert [each.person for each in await db.replies.due(0)] == ["UKEPT"]
    assert find_bytes([b"UGONE", b"77.UGONE"]) == []
