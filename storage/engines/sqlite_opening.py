"""Opening a folder's store: one process for writing, any number for reading."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memalign.errors import StorageError
from storage.engines.folder_lock import FolderLock, is_locked
from storage.engines.open_files import OpenFiles
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_errors import translate_errors
from storage.engines.sqlite_file import FILE, LOG_FILE, connect_reader, connect_writer
from storage.engines.unused_bytes import UnusedBytes
from storage.records import StoreState


def open_engine(folder: Path, *, read_only: bool) -> SqliteEngine:
    """Open the folder's store, for reading or for the one process that writes. Raises `StorageError`."""
    return _open_reader(folder) if read_only else _open_writer(folder)


def is_in_use(folder: Path) -> bool:
    """Return whether a process has the store open for writing; makes nothing there. Raises `StorageError`."""
    with translate_errors(folder):
        return is_locked(folder)


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep every process from writing to a store that is there. Raises `StorageError`: one does."""
    with translate_errors(folder), FolderLock(folder):
        yield


def state_of(folder: Path) -> StoreState:
    """Look at the folder without opening a store in it, or making anything.

    Raises `StorageError` where no store could be made or written.
    """
    if not folder.exists():
        _refuse_unwritable(next(place for place in folder.absolute().parents if place.exists()))
        return "absent"
    _refuse_unwritable(folder)
    if is_in_use(folder):
        return "in_use"
    return "closed" if any(folder.iterdir()) else "empty"


def size_of(folder: Path) -> int:
    """Return the bytes of the store's files, unfinished ones included; 0 where there is no store."""
    return sum(file.stat().st_size for file in folder.glob("*") if file.is_file())


def copy_size(file: Path) -> int:
    """Return the bytes of a copy, and of what is written beside it until it is complete."""
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*") if each.is_file())


def refuse_inside(folder: Path, file: Path) -> None:
    """Raise `StorageError` where a copy would lie in the store's folder."""
    if file.resolve().is_relative_to(folder.resolve()):
        raise StorageError(
            f"{file} is in the folder of the store, from which what is forgotten must vanish: "
            "name a place outside of [storage] path."
        )


def _refuse_unwritable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(f"{folder} cannot be written: make it writable, or choose another path.")


def _open_reader(folder: Path) -> SqliteEngine:
    with translate_errors(folder):
        return SqliteEngine(connect_reader(folder))


def _open_writer(folder: Path) -> SqliteEngine:
    with translate_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(folder)
        try:
            return _locked_writer(folder, lock)
        except BaseException:
            lock.release()
            raise


def _locked_writer(folder: Path, lock: FolderLock) -> SqliteEngine:
    connection = connect_writer(folder)
    try:
        # from its first reading on, the log is there
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        slack = UnusedBytes(str(folder / FILE))
        open_files = OpenFiles([lock.path, folder / FILE, folder / LOG_FILE])
        return SqliteEngine(connection, lock.release, open_files=open_files, slack=slack)
    except BaseException:
        connection.close()
        raise
