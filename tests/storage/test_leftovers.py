"""A backup or restore that was broken off is noticed, told and cleaned; nothing forgotten stays in what it left."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from memalign.errors import StorageError
from storage.backup import restore
from storage.database import Database
from storage.traces import Arrival
from tests.storage.copying import kill_copying
from tests.storage.records import places_of, trace

TRACES = 1500


async def fill(folder: Path) -> None:
    async with await Database.open(folder) as db:
        batch: list[Arrival] = [
            (trace(str(each), inputs="SECRET" + os.urandom(8000).hex()), []) for each in range(TRACES)
        ]
        await db.traces.add(batch, 1, 10)


@pytest.mark.parametrize("seed", range(3))
async def test_a_restore_killed_at_any_instant_is_whole_or_told_and_can_be_repeated(
    tmp_path: Path, seed: int
) -> None:
    await fill(tmp_path / "old")
    async with await Database.open(tmp_path / "old") as db:
        await db.backup(tmp_path / "copy")
    chance = random.Random(seed)
    for kill in range(4):
        folder = tmp_path / f"new-{kill}"
        await asyncio.to_thread(kill_copying, "restore", folder, tmp_path / "copy", chance)
        if not (folder / "memalign.db").exists():
            for read_only in (True, False):
                with pytest.raises(
                    StorageError, match=r"(?s)was broken off.*memalign restore|There is no store"
                ):
                    await Database.open(folder, read_only=read_only or not partial_of(folder).exists())
            await restore(tmp_path / "copy", folder)
        async with await Database.open(folder) as db:
            assert await db.traces.contains(str(TRACES - 1))
        assert {file.name for file in folder.iterdir()} <= {"memalign.db", "memalign.lock"}


def partial_of(folder: Path) -> Path:
    return folder / "memalign.db.partial"


def names_like(file: Path) -> list[str]:
    return [path.name for path in file.parent.glob(f"{file.name}*")]


async def test_a_backup_killed_at_any_instant_is_absent_or_whole_and_can_be_repeated(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    chance = random.Random(5)
    for kill in range(6):
        file = tmp_path / f"copy-{kill}"
        await asyncio.to_thread(kill_copying, "backup", tmp_path / "data", file, chance)
        if not file.exists():
            async with await Database.open(tmp_path / "data", read_only=True) as db:
                await db.backup(file)
        assert names_like(file) == [file.name]
        await restore(file, tmp_path / f"new-{kill}")


@pytest.mark.parametrize(
    "name",
    [
        "memalign.db.partial",
        "memalign.db.partial-journal",
        "memalign.db.new",
        "memalign.db.new-wal",
        "running.json.0123abcd.part",
    ],
)
async def test_what_a_killed_process_left_beside_a_store_goes_at_the_next_start(
    folder: Path, name: str
) -> None:
    async with await Database.open(folder):
        pass
    (folder / name).write_bytes(b"SECRET")
    (folder / "notes.part").write_text("kept")
    async with await Database.open(folder):
        assert list(places_of([b"SECRET"], folder)) == []
    assert (folder / "notes.part").exists()


async def test_a_broken_off_restore_beside_no_store_is_told_and_stays(folder: Path) -> None:
    await asyncio.to_thread(folder.mkdir)
    partial_of(folder).write_bytes(b"half a store")
    for read_only in (True, False):
        with pytest.raises(
            StorageError, match=r"was broken off.* run `memalign restore` or `memalign move` again"
        ):
            await Database.open(folder, read_only=read_only)
    assert not (folder / "memalign.db").exists()
    assert partial_of(folder).exists()
