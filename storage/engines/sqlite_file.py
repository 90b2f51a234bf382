"""The files of a store: its folder's lock, making, opening, checking, vacuuming and copying a SQLite database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from memalign.errors import StorageError

FILE = "memalign.db"
LOCK_FILE = "memalign.lock"
SCHEMA_VERSION = 2
"""2: tables hold facts alone, their indexes are declared; 1, of memalign 0.1.0, is carried over when opened."""
APPLICATION_ID = 0x6D656D61
_BUSY_SECONDS = 10.0
_READER_MS = 500
_CACHED_STATEMENTS = 512


def lock(folder: Path) -> FileLock:
    """Take the folder for this process. Raises `StorageError` when another one has it, or `OSError`."""
    # taken in the store's thread, given back perhaps in another
    folder_lock = FileLock(folder / LOCK_FILE, timeout=0, mode=0o600, thread_local=False)
    try:
        folder_lock.acquire()
    except Timeout as problem:
        raise StorageError(
            f"Another memalign is using the store in {folder}: stop that one first, or name another folder "
            "in [storage] path."
        ) from problem
    return folder_lock


def is_locked(folder: Path) -> bool:
    """Return whether a process writes in the folder at the moment; makes nothing there. Raises `OSError`."""
    file = folder / LOCK_FILE
    if not file.exists():
        return False
    probe = FileLock(file, timeout=0, mode=0o600, thread_local=False)
    try:
        probe.acquire()
    except Timeout:
        return True
    probe.release()
    return False


def connect_writer(folder: Path) -> sqlite3.Connection:
    """Open the folder's store for writing, making it when there is none; the caller holds the lock.

    Raises `StorageError`, `sqlite3.Error` or `OSError`.
    """
    file = folder / FILE
    if not file.exists():
        refuse_orphaned_log(folder)
        _make(file)
    connection = connect(file, "rw")
    try:
        check(connection, folder)
        _harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(folder: Path) -> sqlite3.Connection:
    """Open the folder's store for reading; another process may be writing.

    A store of an earlier version is read from a copy in memory, which can be carried over: its file stays as it
    is. Raises `StorageError` or `sqlite3.Error`.
    """
    file = folder / FILE
    if not file.exists():
        raise StorageError(
            f"There is no store in {folder}: start memalign there first, or name another folder in "
            "[storage] path."
        )
    connection = connect(file, "ro")
    try:
        check(connection, folder)
        return connection if version_of(connection) == SCHEMA_VERSION else _in_memory(connection)
    except BaseException:
        connection.close()
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the store's form."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _in_memory(source: sqlite3.Connection) -> sqlite3.Connection:
    copied = sqlite3.connect(":memory:", isolation_level=None, cached_statements=_CACHED_STATEMENTS)
    with closing(source):
        source.backup(copied)
    return copied


def vacuum(connection: sqlite3.Connection) -> bool:
    """Leave no byte of what was deleted in any file; False while another process still reads the old state.

    `secure_delete` alone is not enough: when SQLite rebalances pages it leaves copies of moved rows in their
    slack, and a later deletion does not find them. `VACUUM` writes every page anew; then the log is emptied.
    """
    connection.execute("VACUUM")
    return truncate_log(connection)


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the main file and empty it; False while a reader holds on to it."""
    # readers are short; waiting longer for one, a backup for instance, would keep everybody else waiting, too
    connection.execute(f"PRAGMA busy_timeout = {_READER_MS}")
    try:
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    return busy == 0


def _make(file: Path) -> None:
    # under another name until it is complete: an empty file in its place is then always damage, and never a
    # start that was interrupted
    partial = file.with_name(file.name + ".new")
    for leftover in file.parent.glob(partial.name + "*"):
        leftover.unlink()
    create_private(partial)
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    settle(partial, file)


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


def create_private(file: Path) -> None:
    """Make an empty file that its owner alone can read, in the place of what is there."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def settle(partial: Path, file: Path) -> None:
    """Give a finished file its name, such that a cut of power leaves either all of it or nothing."""
    _sync(partial)
    partial.replace(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(file: Path, mode: str) -> sqlite3.Connection:
    """Open a database file, `rw` or `ro`, never making one."""
    return sqlite3.connect(
        f"file:{quote(str(file))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        cached_statements=_CACHED_STATEMENTS,
    )


def _harden(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA cache_size = -32000")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StorageError` unless the database is ours and of a version that is known."""
    version = version_of(connection)
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION_ID:
        raise StorageError(
            f"{path} holds a database that is not a memalign store, or an emptied one: name another folder "
            "in [storage] path, or bring back a copy with `memalign restore`."
        )
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"The store in {path} was written by a newer memalign (store version {version}, this one reads "
            f"up to {SCHEMA_VERSION}): update memalign, or use another folder."
        )
    connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()


def refuse_orphaned_log(folder: Path) -> None:
    """Raise `StorageError` when a log is there without its store: making a new one would destroy it."""
    log = folder / f"{FILE}-wal"
    if log.exists() and log.stat().st_size > 0:
        raise StorageError(
            f"{folder / FILE} is missing, though its log {log.name} is there: put the file back, or bring "
            "back a copy with `memalign restore` into an empty folder."
        )
