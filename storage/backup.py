"""Carrying a store away while it is in use, and bringing it back."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from memalign.errors import StorageError
from storage.engine import FILE, check, connect, create_private, refuse_orphaned_log, settle
from storage.failures import guarded
from storage.lock import lock


async def restore(file: Path, folder: Path) -> None:
    """Bring a backup back into an empty folder. Raises `StorageError`; a store that is there stays."""
    await asyncio.to_thread(_restore, file, folder)


def copy(connection: sqlite3.Connection, file: Path) -> None:
    """Write the store as it is now to one file; whole or not at all. Raises `sqlite3.Error` or `OSError`."""
    partial = file.with_name(file.name + ".partial")
    create_private(partial)
    try:
        with closing(sqlite3.connect(partial)) as target:
            connection.backup(target)
            # one file without a log beside it is easier to carry away
            target.execute("PRAGMA journal_mode = DELETE")
        settle(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def _restore(file: Path, folder: Path) -> None:
    if not file.is_file():
        raise StorageError(f"There is no backup {file}: name the file that `memalign backup` wrote.")
    with guarded(file), closing(connect(file, "ro")) as source:
        _verify(source, file)
        with guarded(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = lock(folder)
            try:
                _adopt(source, folder)
            finally:
                held.release()


def _verify(source: sqlite3.Connection, file: Path) -> None:
    check(source, file)
    found = source.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StorageError(f"The backup {file} is damaged ({found}): take another copy.")


def _adopt(source: sqlite3.Connection, folder: Path) -> None:
    if (folder / FILE).exists():
        raise StorageError(
            f"There is a store in {folder} already: restore into an empty folder, or move that store away."
        )
    refuse_orphaned_log(folder)
    copy(source, folder / FILE)
