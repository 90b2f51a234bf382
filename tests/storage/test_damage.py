"""A damaged record is set aside with a sentence, and the rest works; damaged pages are told."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from memalign.errors import MemAlignError, StorageError
from memalign.ports import MemoryChange, VectorKey
from memalign.records import Episode, Guideline, Source
from storage.database import Database
from storage.records import AuditLine, ForgetRequest
from storage.verdicts import verdict_id_of
from tests.storage.records import (
    FOREVER_MS,
    NOON_MS,
    at,
    button_event,
    card,
    judged,
    lesson,
    note,
    places_of,
    posted,
    reply_event,
    trace,
)

Damage = Callable[[bytes], bytes]


def changed_byte(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0x80]) + body[middle + 1 :]


def truncated(body: bytes) -> bytes:
    return body[: len(body) * 2 // 3]


def bad_utf8(body: bytes) -> bytes:
    return body[:-1] + b"\xff" + body[-1:]


def another_type(_: bytes) -> bytes:
    return b"[1,2]"


def nothing(_: bytes) -> bytes:
    return b""


def missing_fields(_: bytes) -> bytes:
    return b"{}"


def wrong_types(body: bytes) -> bytes:
    return (
        body.replace(b":[", b":[[7],").replace(b'":"', b'":7,"x":"').replace(b":1", b':"no number 1", "y":1')
    )


DAMAGES = [changed_byte, truncated, bad_utf8, another_type, nothing, missing_fields, wrong_types]
MARKS = {"forgotten", "digests", "maintenance"}
"""Tables of which the key is all that counts."""


async def fill(folder: Path) -> None:
    """Write something into every table."""
    async with await Database.open(folder) as db:
        verdict_id = await posted(db, "tr-1", ts="1.1")
        await posted(db, "tr-2", ts="2.2")
        for ts in ("1.1", "2.2"):
            await db.feedback.note("C1", ts, reply_event("U1", "5.5", "because", at(1)))
            await db.feedback.note("C1", ts, button_event("U2", "up", at(1)))
        await db.outbox.add(lesson("l", verdict_id, "g"))
        await db.outbox.start("l")
        await db.outbox.done("l", "3.3")
        await db.outbox.add(note("n"))
        await db.outbox.hold("n", NOON_MS, "wait")
        await judged(db, "tr-3")
        await db.outbox.start(card("tr-3").post_id)
        await db.feedback.note("C1", "9.9", button_event("U3", "up", at(1)))
        await db.traces.add([(trace("waits"), ["polite"]), (trace("old"), [])], 1, 10)
        source = Source(trace_id="tr-1", person="U1", quote="because")
        rules = tuple(Guideline(id=f"g-{each}", text=f"Rule {each}.", sources=(source,)) for each in "ab")
        episodes = tuple(
            Episode(trace_id=each, label=True, fields={"inputs": "q"}, text="q", opinions=())
            for each in ("tr-1", "tr-2")
        )
        change = MemoryChange(put_guidelines=rules, put_episodes=episodes, undistilled=frozenset({"tr-2"}))
        await db.memories.save("polite", change)
        vector = VectorKey(model="m", dimension=4, digest="d")
        await db.memories.keep_vectors("tr-1", {vector: np.ones(4, dtype=np.float32)})
        await db.audit.add(AuditLine(at_ms=5, what="forgotten", judge="polite", ids=("x",)))
        await db.audit.first_start_ms(NOON_MS)
        await db.forgetting.request(ForgetRequest(kind="trace", target="tr-9"))
        await db.forgetting.delete_expired(2, 10, 3)
        await db.forgetting.delete_traces(["tr-3"])
        await db.feedback.note("C1", "9.8", button_event("U3", "up", at(1)))


async def use(db: Database) -> None:
    """Ask and write all that the bot and the commands do."""
    await db.store.read(db.store.documents.read_all)
    await db.memories.load("polite")
    await db.traces.get("tr-1")
    await db.traces.next_jobs(2 * NOON_MS, 10)
    await db.verdicts.page()
    await db.verdicts.recent("polite", 10)
    await db.feedback.of(verdict_id_of("polite", "tr-1"))
    await db.feedback.voted_between("polite", 0, 2 * NOON_MS)
    await db.feedback.pending(2 * NOON_MS, 0)
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(9)))
    await db.feedback.note("C1", "1.1", button_event("U7", "down", at(9)))
    await db.outbox.next_due(2 * NOON_MS)
    await db.outbox.in_flight()
    await db.audit.between(0, 2 * NOON_MS)
    await db.audit.first_start_ms(NOON_MS)
    await db.forgetting.requests()
    await db.forgetting.redactions_due(FOREVER_MS)
    await db.outbox.add(note("another"))
    await db.traces.add([(trace("new"), ["polite"])], 7, 10)
    await db.problems()


def tables_of(file: Path) -> dict[str, list[int]]:
    """Return the positions of the documents in each table of documents."""
    with closing(sqlite3.connect(file)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [row[0] for row in connection.execute(f'SELECT position FROM "{name}"')]  # noqa: S608
            for name in names
            if "/" not in name
        }


def damage_one(file: Path, table: str, position: int, damage: Damage) -> str:
    """Damage a document; its id."""
    with closing(sqlite3.connect(file)) as connection:
        sql = f'SELECT id, body FROM "{table}" WHERE position = ?'  # noqa: S608
        doc_id, body = connection.execute(sql, (position,)).fetchone()
        sql = f'UPDATE "{table}" SET body = ? WHERE position = ?'  # noqa: S608
        connection.execute(sql, (damage(body), position))
        connection.commit()
    return str(doc_id.decode())


@pytest.mark.parametrize("damage", DAMAGES)
async def test_one_damaged_record_of_any_table_is_set_aside_and_told_and_the_rest_works(
    folder: Path, damage: Damage
) -> None:
    await fill(folder)
    file = folder / "memalign.db"
    pristine = file.read_bytes()
    tables = tables_of(file)
    assert len(tables) >= 20
    for table, positions in tables.items():
        for position in positions[:1]:
            file.write_bytes(pristine)
            doc_id = damage_one(file, table, position, damage)
            async with await Database.open(folder, read_only=True) as db:
                await db.store.read(db.store.documents.read_all)
                told = " ".join(await db.problems())
            if damage is not missing_fields or table not in MARKS:
                assert f'The record "{doc_id.replace(chr(0), " / ")}" in the table "{table}"' in told or (
                    damage in (changed_byte, wrong_types)
                ), table
            async with await Database.open(folder) as db:
                await use(db)
                await db.forgetting.delete_traces(["tr-1", "tr-2"])
                await db.forgetting.delete_person("U1", 2 * NOON_MS)
                await use(db)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_nothing_of_a_forgotten_trace_stays_though_its_records_are_damaged(
    folder: Path, damage: Damage
) -> None:
    async with await Database.open(folder) as db:
        await judged(db, "tr-1")
        await db.outbox.start(card("tr-1").post_id)
        await db.outbox.done(card("tr-1").post_id, "1.1")
        await db.feedback.note("C1", "1.1", reply_event("U1", "5.5", "SECRET", at(1)))
        source = Source(trace_id="tr-1", person="U1", quote="SECRET")
        rule = Guideline(id="g", text="SECRET", sources=(source,))
        episode = Episode(
            trace_id="tr-1", label=True, fields={"inputs": "SECRET"}, text="SECRET", opinions=()
        )
        await db.memories.save("polite", MemoryChange(put_guidelines=(rule,), put_episodes=(episode,)))
    for table in ("traces", "verdicts", "feedback", "guidelines", "episodes"):
        damage_one(folder / "memalign.db", table, 1, damage)
    async with await Database.open(folder) as db:
        await db.memories.load("polite")
        await db.forgetting.delete_traces(["tr-1"])
        if damage in (truncated, bad_utf8):
            assert [(each.channel, each.ts) for each in await db.forgetting.redactions_due(FOREVER_MS)] == [
                ("C1", "1.1")
            ]
            assert list(places_of([b"SECRET"], folder)) == []
            assert await db.problems() == []


async def test_a_backup_tells_of_a_damaged_record_that_it_copied(folder: Path, tmp_path: Path) -> None:
    await fill(folder)
    damage_one(folder / "memalign.db", "guidelines", 1, truncated)
    async with await Database.open(folder, read_only=True) as db:
        with pytest.raises(
            StorageError, match=r'"polite / g-a" in the table "guidelines".*keep earlier copies'
        ):
            await db.backup(tmp_path / "copy")
    assert (tmp_path / "copy").exists()


def replace_store(file: Path, content: bytes) -> None:
    for leftover in file.parent.glob(f"{file.name}-*"):
        leftover.unlink()
    file.write_bytes(content)


@pytest.mark.parametrize("seed", range(5))
async def test_bytes_changed_anywhere_in_the_file_end_in_a_sentence_or_in_nothing(
    folder: Path, seed: int
) -> None:
    await fill(folder)
    file, chance = folder / "memalign.db", random.Random(seed)
    pristine = file.read_bytes()
    for _ in range(40):
        damaged = bytearray(pristine)
        for _ in range(chance.choice([1, 1, 3, 30])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged)) :]
        replace_store(file, bytes(damaged))
        with suppress(MemAlignError):
            async with await Database.open(folder) as db:
                await use(db)
                await db.forgetting.delete_traces(["tr-1"])
