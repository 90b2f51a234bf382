"""The store's file shrinks again when much was deleted, and what was forgotten is in no byte of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import Database
from storage.traces import Arrival
from tests.bot.fakes import until
from tests.storage.pragma import pragma
from tests.storage.records import trace

SECRET = "the-forgotten-words"


async def fill(database: Database, number: int) -> None:
    batch: list[Arrival] = [
        (trace(f"tr-{each}", inputs=f"{SECRET}-{each} ".ljust(20_000, "x")), []) for each in range(number)
    ]
    await database.traces.add(batch, 1, 10**6)


def made_by_an_earlier_version(folder: Path) -> None:
    """Rewrite the file as one that cannot give pages back."""
    with closing(sqlite3.connect(folder / "memalign.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA auto_vacuum = 0")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = WAL")


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def size_of(folder: Path) -> int:
    return (folder / "memalign.db").stat().st_size


async def test_the_file_shrinks_after_much_was_forgotten_and_holds_nothing_of_it(tmp_path: Path) -> None:
    async with await Database.open(tmp_path, vacuum_seconds=0.01) as database:
        await fill(database, 1000)
        await database.vacuum()
        await database.traces.add([(trace("kept", inputs="these words stay"), [])], 1, 10**6)
        before = size_of(tmp_path)
        await database.forgetting.delete_traces([f"tr-{each}" for each in range(1000)])
        await until(lambda: size_of(tmp_path) < before // 2)
        assert SECRET.encode() not in bytes_in(tmp_path)
        kept = await database.traces.get("kept")
        assert kept is not None
        assert kept.inputs == "these words stay"
        # what is forgotten after pages have moved leaves nothing either
        await database.forgetting.delete_traces(["kept"])
        assert b"these words stay" not in bytes_in(tmp_path)
        assert await pragma(database, "integrity_check") == "ok"


@pytest.mark.parametrize(("traces", "mode"), [(10, 2), (1500, 0)])
async def test_a_store_of_an_earlier_version_is_rewritten_where_it_is_small(
    tmp_path: Path, traces: int, mode: int
) -> None:
    async with await Database.open(tmp_path) as database:
        await fill(database, traces)
    made_by_an_earlier_version(tmp_path)
    async with await Database.open(tmp_path) as database:
        assert await pragma(database, "auto_vacuum") == mode
        assert await database.traces.get("tr-0") is not None
