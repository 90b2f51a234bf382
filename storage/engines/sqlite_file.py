"""The file of a store: making, opening, checking and copying a SQLite database, and leftovers of broken-off ones."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from memalign.atomic_file import remove_partial_files
from memalign.errors import StorageError
from storage.engines.engine import SCHEMA_VERSION
from storage.engines.free_pages import make_releasable, upgrade_if_small
from storage.errors import DAMAGED, StoreFileError

FILE = "memalign.db"
LOG_FILE = f"{FILE}-wal"
APPLICATION_ID = 0x6D656D61
TABLE_COLUMNS = "(position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL)"
INDEX_COLUMNS = (
    "(place BLOB NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (place, position)) WITHOUT ROWID"
)
_NEW, _PARTIAL = ".new", ".partial"
"""Ends of the names of files that are not complete yet."""
_COMPANIONS = ("", "-journal", "-wal", "-shm")
"""Ends of the names of the files that SQLite keeps beside a database."""
_BUSY_SECONDS = 10.0
_READER_MS = 20
_CACHED_STATEMENTS = 512


def connect_writer(folder: Path) -> sqlite3.Connection:
    """Open the folder's store for writing, making it when there is none; the caller holds the lock.

    Raises `StorageError`, `sqlite3.Error` or `OSError`.
    """
    file = folder / FILE
    if not file.exists():
        refuse_broken_restore(folder)
        refuse_orphaned_log(folder)
        _make(file)
    remove_leftovers(folder)
    connection = connect(file, "rw")
    try:
        check(connection, folder)
        _harden(connection)
        upgrade_if_small(connection, file)
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
        refuse_broken_restore(folder)
        raise StorageError(
            f"There is no store in {folder}: start memalign there first, or name another folder in "
            "[storage] path."
        )
    connection = _connect_to_read(file)
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


def set_version(connection: sqlite3.Connection, version: int) -> None:
    """Note the version of the store's form."""
    connection.execute(f"PRAGMA user_version = {version}")


def _in_memory(source: sqlite3.Connection) -> sqlite3.Connection:
    copied = sqlite3.connect(":memory:", isolation_level=None, cached_statements=_CACHED_STATEMENTS)
    with closing(source):
        source.backup(copied)
    return copied


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the main file and empty it; False while a reader holds on to it."""
    # waiting longer for a reader would keep everybody else waiting, too
    connection.execute(f"PRAGMA busy_timeout = {_READER_MS}")
    try:
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    return busy == 0


def _make(file: Path) -> None:
    # under another name until it is complete: an empty file in its place is then always damage, and never a
    # start that was interrupted
    partial = file.with_name(file.name + _NEW)
    create_private(partial)
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        make_empty(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    settle(partial, file)


def make_empty(connection: sqlite3.Connection) -> None:
    """Make an empty database one of ours."""
    make_releasable(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    set_version(connection, SCHEMA_VERSION)


def copy(connection: sqlite3.Connection, file: Path) -> None:
    """Write the store as it is now to one file; whole or not at all. Raises `sqlite3.Error` or `OSError`."""
    partial = partial_of(file)
    create_private(partial)
    try:
        with closing(sqlite3.connect(partial)) as target:
            connection.backup(target)
            # one file without a log beside it is easier to carry away
            target.execute("PRAGMA journal_mode = DELETE")
            verify_pages(target, file)
        settle(partial, file)
    finally:
        remove(partial)


def verify_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StorageError` when pages, indexes or their order are damaged."""
    result = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if result != "ok":
        raise StorageError(
            f"What was read for {path} is damaged ({result}), so it is not kept: "
            "bring back an earlier copy with `memalign restore`."
        )


def partial_of(file: Path) -> Path:
    """Return the place of a copy until it is complete; it stays there when the copying is killed."""
    return file.with_name(file.name + _PARTIAL)


def remove_leftovers(folder: Path) -> None:
    """Remove files that a killed process left unfinished: they may hold what was forgotten since."""
    for end in (_NEW, _PARTIAL):
        remove(folder / (FILE + end))
    remove_partial_files(folder)


def remove(file: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for end in _COMPANIONS:
        file.with_name(file.name + end).unlink(missing_ok=True)


def create_private(file: Path) -> None:
    """Make an empty file that its owner alone can read, in the place of what is there."""
    remove(file)
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


def _connect_to_read(file: Path) -> sqlite3.Connection:
    """Open the file for reading, also where nothing can be written beside it."""
    connection = connect(file, "ro")
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = file.with_name(LOG_FILE)
        if _is_writable(file.parent) or (log.exists() and log.stat().st_size > 0):
            raise
        # nobody can write here, so that no log has to be kept, nor looked at
        return connect(file, "ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


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
            f"{path} holds a database that is not a memalign store, or an emptied one. Name another folder "
            "in [storage] path, or bring back a copy with `memalign restore`."
        )
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"The store in {path} was written by a newer memalign (store version {version}, this one reads "
            f"up to {SCHEMA_VERSION}): update memalign, or use another folder."
        )
    names = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    tables = [row[0] for row in names]
    if version == SCHEMA_VERSION and not all(sql.endswith((TABLE_COLUMNS, INDEX_COLUMNS)) for sql in tables):
        raise StoreFileError(DAMAGED.format(path=path))


def refuse_broken_restore(folder: Path) -> None:
    """Raise `StorageError` when a restore that was broken off is all there is: it must not pass for an empty store."""
    if partial_of(folder / FILE).exists():
        raise StorageError(
            f"A restore or move into {folder} was broken off, and there is no store in it yet: run `memalign "
            "restore` or `memalign move` again, which begins anew."
        )


def refuse_orphaned_log(folder: Path) -> None:
    """Raise `StorageError` when a log is there without its store: making a new one would destroy it."""
    log = folder / LOG_FILE
    if log.exists() and log.stat().st_size > 0:
        raise StorageError(
            f"{folder / FILE} is missing, though its log {log.name} is there: put the file back, or bring "
            "back a copy with `memalign restore` into an empty folder."
        )
