"""Answers about a store that is not open: they make nothing and change nothing."""

import os
from pathlib import Path

import pytest

from memalign.errors import StorageError
from storage.database import Database
from storage.engines.sqlite_file import FILE
from tests.storage.records import trace

NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def test_a_look_at_a_location_makes_nothing(folder: Path) -> None:
    assert (Database.state(folder), folder.exists()) == ("absent", False)
    folder.mkdir()
    assert (Database.state(folder), list(folder.iterdir())) == ("empty", [])


async def test_a_store_is_in_use_until_it_is_closed(folder: Path) -> None:
    async with await Database.open(folder):
        assert Database.state(folder) == "in_use"
    assert Database.state(folder) == "closed"


@NOT_ROOT
def test_a_location_that_cannot_be_written_is_refused_with_the_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for location in (tmp_path, tmp_path / "deep" / "data"):
        with pytest.raises(StorageError, match=f"{tmp_path} cannot be written: make it writable"):
            Database.state(location)


def sizes_in(folder: Path) -> list[int]:
    return [file.stat().st_size for file in folder.iterdir() if file.is_file()]


async def test_the_size_of_a_store_is_that_of_its_files(folder: Path) -> None:
    assert Database.size(folder) == 0
    async with await Database.open(folder) as db:
        small = Database.size(folder)
        await db.traces.add([(trace(inputs="x" * 100_000), [])], 1, 10)
        assert Database.size(folder) >= small + 100_000
    assert Database.size(folder) == sum(sizes_in(folder))


async def test_the_size_of_a_copy_includes_what_is_not_complete_yet(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with await Database.open(folder) as db:
        await db.backup(copy)
    (size,) = [size for size in sizes_in(tmp_path) if size == Database.copy_size(copy)]
    copy.with_name("copy.db.partial").write_bytes(b"half")
    assert Database.copy_size(copy) == size + 4


def test_a_copy_into_the_store_itself_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    for file in (folder / "copy.db", folder / ".." / folder.name / FILE, tmp_path / "link" / "copy.db"):
        with pytest.raises(StorageError, match="name a place outside of"):
            Database.refuse_copy_inside(folder, file)
    Database.refuse_copy_inside(folder, tmp_path / "copy.db")
