"""Opening, sharing and refusing: one clear sentence each, and nothing made worse."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest

from memalign.errors import StorageError
from storage.backup import restore
from storage.database import Database
from storage.engines import SCHEMA_VERSION
from tests.storage.fsync import COMPILER, told_on_a_failing_disk
from tests.storage.pragma import limit_pages
from tests.storage.records import places_of, trace

ROOT = Path(__file__).parents[2]
STORE = "memalign.db"
NOBODY = 65534
OPENER = """
import asyncio, sys
from pathlib import Path
from memalign.errors import StorageError
from storage.database import Database

async def main():
    db = await Database.open(Path(sys.argv[1]))
    print("opened", flush=True)
    sys.stdin.readline()
    await db.close()

try:
    asyncio.run(main())
except StorageError as problem:
    print(f"refused: {problem}", flush=True)
"""


def opener(folder: Path) -> subprocess.Popen[str]:
    """Another process that opens the store and keeps it until it is told to end."""
    return subprocess.Popen(
        [sys.executable, "-c", OPENER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def prepared(folder: Path, files: Mapping[str, bytes] = MappingProxyType({}), mode: int = 0o700) -> None:
    """Make a folder that holds these files."""
    folder.mkdir(mode=mode)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    if not folder.exists():
        return {}
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and file.name != "memalign.lock"
    }


async def store_of_one(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("t", inputs="x" * 5000), ["polite"])], 1, 10)


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    async with await Database.open(folder) as db:
        await db.traces.add([(trace(), [])], 1, 10)
        await db.backup(tmp_path / "copy.db")
        modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
        assert set(modes) == {STORE, f"{STORE}-wal", f"{STORE}-shm", "memalign.lock"}
        assert set(modes.values()) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


async def test_what_was_written_is_there_after_reopening(folder: Path) -> None:
    await store_of_one(folder)
    async with await Database.open(folder) as db:
        assert await db.traces.get("t") == trace("t", inputs="x" * 5000)
        assert await db.traces.waiting() == 1


async def test_a_second_opening_is_refused_in_one_sentence(folder: Path) -> None:
    async with await Database.open(folder) as db:
        with pytest.raises(StorageError, match=r"Another memalign is using .* stop that one first"):
            await Database.open(folder)
        await db.traces.add([(trace(), [])], 1, 10)
    async with await Database.open(folder) as db:
        assert await db.traces.get("tr-1") == trace()


async def test_a_second_process_is_refused_and_the_first_goes_on(folder: Path) -> None:
    async with await Database.open(folder) as db:
        output, _ = await asyncio.to_thread(opener(folder).communicate, "\n")
        assert output.startswith("refused: Another memalign is using the store in ")
        await db.traces.add([(trace(), [])], 1, 10)
        assert await db.traces.get("tr-1") == trace()


async def test_the_store_of_a_killed_process_can_be_opened(folder: Path) -> None:
    with opener(folder) as other:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == "opened\n"
        with pytest.raises(StorageError, match="Another memalign"):
            await Database.open(folder)
        other.kill()
    async with await Database.open(folder, read_only=True) as reader:
        assert await reader.traces.get("t") is None
    async with await Database.open(folder) as db:
        assert await db.traces.waiting() == 0


async def test_readers_see_what_is_confirmed_while_another_writes(folder: Path) -> None:
    async with await Database.open(folder) as db, await Database.open(folder, read_only=True) as reader:
        assert await reader.traces.get("t") is None
        await db.traces.add([(trace("t"), [])], 1, 10)
        assert await reader.traces.get("t") == trace("t")
        await db.forgetting.delete_traces(["t"])
        assert await reader.traces.get("t") is None


async def test_a_reader_needs_no_writer_and_changes_nothing(folder: Path) -> None:
    await store_of_one(folder)
    before = contents(folder)
    async with await Database.open(folder, read_only=True) as reader:
        assert await reader.traces.get("t") is not None
        with pytest.raises(StorageError, match="opened for reading only"):
            await reader.traces.add([(trace("u"), [])], 1, 10)
        with pytest.raises(StorageError, match="opened for reading only"):
            await reader.forgetting.delete_traces(["t"])
    assert contents(folder)[STORE] == before[STORE]


async def test_reading_where_there_is_no_store_makes_none(folder: Path) -> None:
    with pytest.raises(StorageError, match="There is no store in"):
        await Database.open(folder, read_only=True)
    assert contents(folder) == {}


async def test_a_store_of_a_newer_version_is_left_alone(folder: Path) -> None:
    await store_of_one(folder)
    with closing(sqlite3.connect(folder / STORE)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = contents(folder)
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"written by a newer memalign .* update memalign"):
            await Database.open(folder, read_only=read_only)
    assert contents(folder)[STORE] == before[STORE]


async def test_a_database_of_something_else_is_left_alone(folder: Path) -> None:
    prepared(folder)
    with closing(sqlite3.connect(folder / STORE)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = contents(folder)
    with pytest.raises(StorageError, match="not a memalign store"):
        await Database.open(folder)
    assert contents(folder) == before


@pytest.mark.parametrize("damage", [b"", b"garbage" * 2000])
async def test_a_damaged_file_is_told_and_left_alone(folder: Path, damage: bytes) -> None:
    await store_of_one(folder)
    (folder / STORE).write_bytes(damage)
    with pytest.raises(StorageError, match="`memalign restore`"):
        await Database.open(folder)
    assert contents(folder)[STORE] == damage


async def test_damage_in_the_middle_is_told_when_it_is_met(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace(f"t{n}", inputs="x" * 900), []) for n in range(200)], 1, 10)
    raw = bytearray((folder / STORE).read_bytes())
    raw[4096 * 2 :] = b"\xff" * (len(raw) - 4096 * 2)
    (folder / STORE).write_bytes(raw)
    with pytest.raises(StorageError, match="is damaged and was left as it is"):
        async with await Database.open(folder) as db:
            await db.traces.get("t150")


async def test_a_log_without_its_store_is_told(folder: Path) -> None:
    prepared(folder, {f"{STORE}-wal": b"frames"})
    with pytest.raises(StorageError, match="is missing, though its log"):
        await Database.open(folder)
    assert contents(folder) == {f"{STORE}-wal": b"frames"}


async def test_a_start_that_was_interrupted_is_no_damage(folder: Path) -> None:
    prepared(folder, {f"{STORE}.new": b"half", f"{STORE}.new-wal": b"half"})
    async with await Database.open(folder) as db:
        assert await db.traces.waiting() == 0
        assert not [name for name in contents(folder) if ".new" in name]


async def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match=r"cannot be used .*: make it a folder that this user can write"):
        await Database.open(tmp_path / "data")
    assert (tmp_path / "data").read_text(encoding="utf-8") == "mine"


@contextmanager
def without_root() -> Iterator[None]:
    """Be a user whom permissions bind, where this one is root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that any user reaches."""
    with TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above, "data")
        folder.mkdir()
        yield folder
        folder.chmod(0o755)


def protect(folder: Path) -> None:
    """Let nobody write the folder or what is in it."""
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)


async def test_a_folder_that_cannot_be_written_is_told(public: Path) -> None:
    protect(public)
    with without_root(), pytest.raises(StorageError, match="make it a folder that this user can write"):
        await Database.open(public)
    assert contents(public) == {}


async def test_a_store_that_can_only_be_read_is_told_and_stays_as_it_was(public: Path) -> None:
    async with await Database.open(public) as db:
        await db.traces.add([(trace("before"), [])], 1, 10)
    protect(public)
    before = contents(public)
    with without_root(), pytest.raises(StorageError, match="write"):
        await Database.open(public)
    assert contents(public) == before


@pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="wants Linux and a C compiler")
async def test_a_failed_fsync_is_told_and_what_was_confirmed_stays(tmp_path: Path, folder: Path) -> None:
    before, sentence, meanwhile, after = told_on_a_failing_disk(tmp_path, folder)
    assert (before, meanwhile, after) == ("['accepted']", "None", "['accepted']")
    assert "failed (disk I/O error): check the disk, then start again; what was confirmed" in sentence
    async with await Database.open(folder) as db:
        assert await db.traces.get("before") == trace("before")
        assert await db.traces.get("after") == trace("after")


async def test_a_full_disk_is_told_and_loses_nothing(folder: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("before"), [])], 1, 10)
        await limit_pages(db, 1)
        with pytest.raises(
            StorageError, match=r"is full: free some space and try again; nothing was changed"
        ):
            await db.traces.add([(trace("small"), []), (trace("big", inputs="x" * 100_000), [])], 1, 10)
        assert await db.traces.get("small") is None
        assert await db.traces.get("before") == trace("before")
        await limit_pages(db, 10**6)
        assert await db.traces.add([(trace("big", inputs="x" * 100_000), [])], 1, 10) == ["accepted"]


async def test_a_mistake_of_ours_is_no_storage_problem_and_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(TypeError):
        await db.traces.add([(trace("a"), []), (trace("b", inputs=object()), [])], 1, 10)
    assert await db.traces.get("a") is None
    assert await db.traces.add([(trace("a"), [])], 1, 10) == ["accepted"]


async def test_the_files_are_touched_in_one_thread_that_is_not_the_loops(db: Database) -> None:
    threads = {await db.store.read(threading.get_ident) for _ in range(5)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_the_thread_ends_with_the_database(folder: Path) -> None:
    db = await Database.open(folder)
    worker = await db.store.read(threading.current_thread)
    await db.close()
    await asyncio.to_thread(worker.join, 10)
    assert not worker.is_alive()


async def test_calls_at_the_same_time_are_all_done(db: Database) -> None:
    answers = await asyncio.gather(*(db.traces.add([(trace("same"), ["p"])], 1, 100) for _ in range(20)))
    assert sorted(each for [each] in answers) == ["accepted"] + ["duplicate"] * 19
    assert await db.traces.waiting() == 1


async def test_a_backup_made_while_running_can_be_restored(folder: Path, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.db", tmp_path / "other"
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("t"), ["p"])], 1, 10)
        async with await Database.open(folder, read_only=True) as reader:
            await reader.backup(copy)
        await db.traces.add([(trace("later"), [])], 1, 10)
    assert set(contents(tmp_path)) == {"copy.db"}
    await restore(copy, other)
    async with await Database.open(other) as db:
        assert await db.traces.get("t") == trace("t")
        assert await db.traces.get("later") is None
        assert await db.traces.waiting() == 1


async def test_a_backup_holds_nothing_that_was_erased(folder: Path, tmp_path: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("t", inputs="SECRET"), [])], 1, 10)
        await db.forgetting.delete_traces(["t"])
        await db.backup(tmp_path / "copy.db")
    assert list(places_of([b"SECRET"], tmp_path)) == []


async def test_a_restore_never_overwrites_a_store(folder: Path, tmp_path: Path) -> None:
    async with await Database.open(folder) as db:
        await db.traces.add([(trace("t"), [])], 1, 10)
        await db.backup(tmp_path / "copy.db")
    with pytest.raises(StorageError, match=r"There is a store in .* already"):
        await restore(tmp_path / "copy.db", folder)
    async with await Database.open(folder) as db:
        with pytest.raises(StorageError, match="Another memalign"):
            await restore(tmp_path / "copy.db", folder)
        assert await db.traces.get("t") == trace("t")


async def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no backup"):
        await restore(tmp_path / "none.db", tmp_path / "data")
    (tmp_path / "bad.db").write_bytes(b"garbage" * 2000)
    with pytest.raises(StorageError, match="damaged"):
        await restore(tmp_path / "bad.db", tmp_path / "data")
    assert set(contents(tmp_path)) == {"bad.db"}


async def test_a_store_in_a_folder_that_nobody_can_write_can_be_read(public: Path) -> None:
    async with await Database.open(public) as db:
        await db.traces.add([(trace("t"), [])], 1, 10)
    protect(public)
    before = contents(public)
    with without_root():
        assert not Database.is_in_use(public)
        async with await Database.open(public, read_only=True) as db:
            assert await db.traces.get("t") == trace("t")
    assert contents(public) == before


async def test_a_store_that_was_killed_can_be_read_where_nobody_can_write(
    public: Path, tmp_path: Path
) -> None:
    async with await Database.open(tmp_path / "data") as db:
        await db.traces.add([(trace("t"), [])], 1, 10)
        shutil.copytree(tmp_path / "data", public, dirs_exist_ok=True)
    protect(public)
    with without_root():
        async with await Database.open(public, read_only=True) as db:
            assert await db.traces.get("t") == trace("t")
