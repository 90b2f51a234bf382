"""Restoring a store from a backup."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from memalign.errors import StorageError
from storage.engines.engine import Engine
from storage.engines.folder_lock import FolderLock
from storage.engines.sqlite_copy import write_copy
from storage.engines.sqlite_errors import translate_errors
from storage.engines.sqlite_file import FILE, check, connect, copy, refuse_orphaned_log, remove_leftovers


def restore(file: Path, folder: Path) -> None:
    """Bring a backup back into an empty folder. Raises `StorageError`; a store that is there stays."""
    with open_backup(file) as source, translate_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FolderLock(folder):
            _adopt(source, folder)


@contextmanager
def open_backup(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a backup for reading, once it is found whole. Raises `StorageError`."""
    if not file.is_file():
        raise StorageError(f"There is no backup {file}: name the file that `memalign backup` wrote.")
    with translate_errors(file), closing(connect(file, "ro")) as source:
        _verify(source, file)
        yield source


def _verify(source: sqlite3.Connection, file: Path) -> None:
    check(source, file)
    result = source.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise StorageError(f"The backup {file} is damaged ({result}): take another copy.")


def fill(source: Engine, folder: Path, advance: Callable[[int], None] = lambda _: None) -> None:
    """Copy a store of any engine into an empty folder; whole or not at all.

    Args:
        source: the store that is read.
        folder: is made where it is missing.
        advance: is told how many further documents were copied.

    Raises:
        StorageError: there is a store already, or the disk fails.
    """
    with translate_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FolderLock(folder):
            _make_room(folder)
            write_copy(source, folder / FILE, advance)


def _adopt(source: sqlite3.Connection, folder: Path) -> None:
    _make_room(folder)
    copy(source, folder / FILE)


def _make_room(folder: Path) -> None:
    if (folder / FILE).exists():
        raise StorageError(
            f"There is a store in {folder} already: restore into an empty folder, or move that store away."
        )
    refuse_orphaned_log(folder)
    remove_leftovers(folder)
