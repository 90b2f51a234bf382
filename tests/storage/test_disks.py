"""Disks that are full or read-only, and files that are taken away from under a running store."""

import asyncio
import fcntl
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memalign.errors import StorageError
from storage.database import Database
from tests.storage.records import trace


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a disk that is full does not."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def add(db: Database, name: str, size: int = 1) -> list[str]:
    return list(await db.traces.add([(trace(name, inputs="x" * size), [])], 1, 10))


async def test_a_failed_write_is_remembered_until_a_write_succeeds_again(folder: Path) -> None:
    async with await Database.open(folder) as db:
        assert await add(db, "before") == ["accepted"]
        assert await db.problems() == []
        with files_limited_to((folder / "memalign.db-wal").stat().st_size):
            with pytest.raises(StorageError, match="The disk that holds the store"):
                await add(db, "while", 100_000)
            assert await db.traces.contains("before")
            assert [problem[:29] for problem in await db.problems()] == ["The disk that holds the store"]
            assert str(db.file_problem).startswith("The disk that holds the store")
        assert await add(db, "after") == ["accepted"]
        assert await db.problems() == []


async def test_a_disk_with_room_again_is_noticed_without_a_write_of_anybody(folder: Path) -> None:
    async with await Database.open(folder, vacuum_seconds=0.01) as db:
        await add(db, "before")
        with files_limited_to((folder / "memalign.db-wal").stat().st_size):
            with pytest.raises(StorageError):
                await add(db, "while", 100_000)
            await asyncio.sleep(0.1)
            assert len(await db.problems()) == 1
        for _ in range(500):
            if not await db.problems():
                break
            await asyncio.sleep(0.01)
        assert await db.problems() == []


def delete_the_store(folder: Path) -> None:
    (folder / "memalign.db").unlink()


def delete_the_log(folder: Path) -> None:
    (folder / "memalign.db-wal").unlink()


def delete_the_lock(folder: Path) -> None:
    (folder / "memalign.lock").unlink()


def move_the_folder(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def replace_the_store(folder: Path) -> None:
    shutil.copy(folder / "memalign.db", folder / "other")
    (folder / "other").replace(folder / "memalign.db")


def replace_the_folder(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("copy"))
    folder.rename(folder.with_name("moved"))
    folder.with_name("copy").rename(folder)


TAKINGS = [
    delete_the_store,
    delete_the_log,
    delete_the_lock,
    move_the_folder,
    replace_the_store,
    replace_the_folder,
]


@pytest.mark.parametrize("take_away", TAKINGS)
async def test_nothing_is_confirmed_any_more_once_the_files_are_taken_away(
    folder: Path, take_away: Callable[[Path], None]
) -> None:
    async with await Database.open(folder, vacuum_seconds=0.01) as db:
        await add(db, "before")
        take_away(folder)
        for _ in range(500):
            if db.file_problem is not None:
                break
            await asyncio.sleep(0.01)
        assert "was removed or replaced while memalign was using it" in str(db.file_problem)
        with pytest.raises(StorageError, match="nothing more is taken in"):
            await add(db, "after")
        assert not await db.traces.contains("after")


@pytest.mark.parametrize("take_away", [delete_the_lock, lambda _: None])
async def test_a_second_process_is_refused_also_where_the_lock_file_was_deleted(
    folder: Path, take_away: Callable[[Path], None]
) -> None:
    async with await Database.open(folder):
        take_away(folder)
        assert Database.is_in_use(folder)
        with pytest.raises(StorageError, match="Another memalign is using the store"):
            await Database.open(folder)
    assert not Database.is_in_use(folder)
    async with await Database.open(folder):
        pass


async def test_a_bot_of_the_version_before_holds_the_lock_file_alone(folder: Path) -> None:
    async with await Database.open(folder):
        pass
    handle = os.open(folder / "memalign.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        assert Database.is_in_use(folder)
        with pytest.raises(StorageError, match="Another memalign is using the store"):
            await Database.open(folder)
    finally:
        os.close(handle)
    assert not Database.is_in_use(folder)
