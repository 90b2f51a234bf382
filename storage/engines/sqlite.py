"""Tables of documents and their indexes in one SQLite database."""

import sqlite3
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from storage.engines.engine import Order, Row
from storage.engines.free_pages import release
from storage.engines.open_files import OpenFiles
from storage.engines.sqlite_errors import translate_errors
from storage.engines.sqlite_file import (
    INDEX_COLUMNS,
    TABLE_COLUMNS,
    copy,
    set_version,
    truncate_log,
    version_of,
)
from storage.engines.unused_bytes import UnusedBytes
from storage.keys import LAST, decode, encode

_KEY_ORDER: Mapping[Order, str] = {
    "up": "id",
    "down": "id DESC",
    "added": "position",
    "newest": "position DESC",
}
_INDEX_ORDER: Mapping[Order, str] = {
    "up": "place, position",
    "down": "place DESC, position DESC",
    "added": "position",
    "newest": "position DESC",
}
_ROOT_PAGES = "SELECT rootpage FROM sqlite_master WHERE rootpage > 0"
PAGES_PER_RELEASE = 500
"""Pages given back at a time: 2 MB, some 10 ms."""
PAGES_PER_STEP = 2000
"""Pages of a step of the vacuum: some 30 ms."""
_INDEX_MARK = "/"
"""Between a table's name and its index's, in the name of the index's own SQLite table."""


def _decode_key(raw: object) -> str:
    """Return a key, also a damaged one, which leads nowhere."""
    if not isinstance(raw, bytes):  # SQLite keeps any kind of value in any column
        return str(raw)
    try:
        return decode(raw)
    except ValueError:
        return raw.decode("utf-8", "backslashreplace")


class SqliteEngine:
    """One connection to a store's file; errors of SQLite pass through as they are."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        release: Callable[[], None] = lambda: None,
        *,
        open_files: OpenFiles | None = None,
        slack: UnusedBytes | None = None,
    ) -> None:
        """Take a connection that is set up.

        Args:
            connection: To the store's file.
            release: Gives the folder back when the engine is closed.
            open_files: The files that writes rest on; None for an engine that only reads.
            slack: The main file, to be vacuumed; None likewise.
        """
        self._connection = connection
        self._release = release
        self._open_files = open_files
        self._slack = slack
        self._tables: set[str] | None = None
        self._counts: dict[str, int] = {}
        self._data_version = 0

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for measurements and tests."""
        return self._connection

    def announce(self, sender: str, tables: Collection[str]) -> None:
        """Do nothing: no other process works on the store."""

    def translate_errors(self, location: object) -> AbstractContextManager[None]:
        """Raise errors of the engine and of files inside as `StoreFileError` about that location."""
        return translate_errors(Path(str(location)))

    # --- transactions

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside all or nothing; inside another transaction, a part of that one."""
        return self._between("BEGIN IMMEDIATE")

    def snapshot(self) -> AbstractContextManager[None]:
        """Let the reads inside see one unchanging state."""
        return self._between("BEGIN")

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        if self._inside():
            yield
            return
        self._connection.execute(begin)
        try:
            self._notice_other_writers()
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._tables = None
            self._counts.clear()
            # SQLite itself has rolled back already after some errors, a full disk among them
            if self._inside():
                self._connection.execute("ROLLBACK")
            raise

    def _inside(self) -> bool:
        return self._connection.in_transaction

    def _notice_other_writers(self) -> None:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._data_version = version
            self._tables = None
            self._counts.clear()

    # --- tables

    def table_names(self) -> set[str]:
        """Return the names of all tables of documents."""
        return {name for name in self._sql_names() if _INDEX_MARK not in name}

    def has_table(self, table: str) -> bool:
        """Return whether the table exists: it does from its first document on."""
        if self._tables is None:
            self._tables = self._sql_names()
        return table in self._tables

    def create_table(self, table: str, indexes: Collection[str]) -> None:
        """Create the table and those of its indexes that are missing; their entries are left to the caller."""
        name = _quoted(table)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} {TABLE_COLUMNS}")
        for index in indexes:
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {_quoted(table, index)} {INDEX_COLUMNS}")
        self._tables = None

    def indexes(self, table: str) -> set[str]:
        """Return the names of the table's indexes."""
        return {
            name.partition(_INDEX_MARK)[2]
            for name in self._sql_names()
            if name.startswith(table + _INDEX_MARK)
        }

    def drop_table(self, table: str) -> None:
        """Remove a table with its indexes, if it is there."""
        for index in self.indexes(table):
            self._connection.execute(f"DROP TABLE {_quoted(table, index)}")
        self._connection.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")
        self._tables = None
        self._counts.pop(table, None)

    def rename_table(self, table: str, name: str) -> None:
        """Give a table that has no indexes another name."""
        self._connection.execute(f"ALTER TABLE {_quoted(table)} RENAME TO {_quoted(name)}")
        self._tables = None

    def _sql_names(self) -> set[str]:
        rows = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {row[0] for row in rows if not row[0].startswith("sqlite_")}

    # --- rows by key; the table is there. Names are quoted, and every value is bound

    def read(self, table: str, key: str) -> Row | None:
        """Return a document's row, if it is there."""
        sql = f"SELECT position, body FROM {_quoted(table)} WHERE id = ?"  # noqa: S608
        row: Row | None = self._connection.execute(sql, (encode(key),)).fetchone()
        return row

    def items(self, table: str) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, position and body of all documents, in order of adding."""
        sql = f"SELECT id, position, body FROM {_quoted(table)} ORDER BY position"  # noqa: S608
        for key, position, body in self._connection.execute(sql):
            yield _decode_key(key), position, body

    def count(self, table: str) -> int:
        """Return the number of documents; counted once, then kept up to date while nobody else writes."""
        if table not in self._counts:
            sql = f"SELECT COUNT(*) FROM {_quoted(table)}"  # noqa: S608
            self._counts[table] = self._connection.execute(sql).fetchone()[0]
        return self._counts[table]

    def insert(self, table: str, key: str, body: bytes) -> int:
        """Add a document whose key is new; its position."""
        sql = f"INSERT INTO {_quoted(table)} (id, body) VALUES (?, ?)"  # noqa: S608
        position = self._connection.execute(sql, (encode(key), body)).lastrowid
        self._adjust_count(table, 1)
        return position or 0

    def replace(self, table: str, position: int, body: bytes) -> None:
        """Give a document another body."""
        sql = f"UPDATE {_quoted(table)} SET body = ? WHERE position = ?"  # noqa: S608
        self._connection.execute(sql, (body, position))

    def delete(self, table: str, position: int) -> None:
        """Remove a document; its index entries are left to the caller."""
        self._connection.execute(f"DELETE FROM {_quoted(table)} WHERE position = ?", (position,))  # noqa: S608
        self._adjust_count(table, -1)

    def clear(self, table: str) -> None:
        """Remove all documents with their index entries."""
        for index in self.indexes(table):
            self._connection.execute(f"DELETE FROM {_quoted(table, index)}")  # noqa: S608
        self._connection.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608
        self._counts.pop(table, None)

    def _adjust_count(self, table: str, step: int) -> None:
        if table in self._counts:
            self._counts[table] += step

    # --- rows by index

    def add_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Add an index entry."""
        sql = f"INSERT OR IGNORE INTO {_quoted(table, index)} (place, position) VALUES (?, ?)"  # noqa: S608
        self._connection.execute(sql, (encode(place), position))

    def remove_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Remove an index entry."""
        sql = f"DELETE FROM {_quoted(table, index)} WHERE place = ? AND position = ?"  # noqa: S608
        self._connection.execute(sql, (encode(place), position))

    def remove_entries(self, table: str, index: str, position: int) -> None:
        """Remove all entries of a document from an index, however they are called: looks at the whole index."""
        self._connection.execute(f"DELETE FROM {_quoted(table, index)} WHERE position = ?", (position,))  # noqa: S608

    def places(self, table: str, index: str, position: int) -> list[str]:
        """Return the places under which an index lists a document: looks at the whole index."""
        sql = f"SELECT place FROM {_quoted(table, index)} WHERE position = ?"  # noqa: S608
        return [_decode_key(row[0]) for row in self._connection.execute(sql, (position,))]

    def range(
        self,
        table: str,
        index: str | None,
        low: str,
        high: str = LAST,
        *,
        order: Order,
        likely: int = -1,  # noqa: ARG002 - rows come one by one
    ) -> Generator[tuple[str, bytes], None, None]:
        """Yield keys and bodies of documents whose key, or index entry, is from `low` up to, but without, `high`."""
        source, name, by = _quoted(table), "id", _KEY_ORDER[order]
        if index is not None:
            source = f"{_quoted(table, index)} JOIN {source} USING (position)"
            name, by = "place", _INDEX_ORDER[order]
        sql = f"SELECT id, body FROM {source} WHERE {name} >= ? AND {name} < ? ORDER BY {by}"  # noqa: S608
        with closing(self._connection.execute(sql, (encode(low), encode(high)))) as rows:
            for key, body in rows:
                yield _decode_key(key), body

    # --- rows as they are, for a copy

    def raw_rows(self, table: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield position, key and body of all documents as they are stored, in order of adding."""
        sql = f"SELECT position, id, body FROM {_quoted(table)} ORDER BY position"  # noqa: S608
        yield from self._connection.execute(sql)

    def raw_entries(self, table: str, index: str) -> Iterator[tuple[bytes, int]]:
        """Yield place and position of all entries of an index as they are stored, in order of place."""
        sql = f"SELECT place, position FROM {_quoted(table, index)} ORDER BY place, position"  # noqa: S608
        yield from self._connection.execute(sql)

    def add_raw_rows(self, table: str, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Add documents at the positions they had; later ones get positions after these."""
        sql = f"INSERT INTO {_quoted(table)} (position, id, body) VALUES (?, ?, ?)"  # noqa: S608
        self._connection.executemany(sql, rows)
        self._counts.pop(table, None)

    def add_raw_entries(self, table: str, index: str, entries: Iterable[tuple[bytes, int]]) -> None:
        """Add index entries."""
        sql = f"INSERT INTO {_quoted(table, index)} (place, position) VALUES (?, ?)"  # noqa: S608
        self._connection.executemany(sql, entries)

    # --- files

    @property
    def version(self) -> int:
        """The version of the form of the store's documents."""
        return version_of(self._connection)

    def set_version(self, version: int) -> None:
        """Note that the documents have the form of that version."""
        set_version(self._connection, version)

    @property
    def changes(self) -> int:
        """The number of rows written since the engine was opened."""
        return self._connection.total_changes

    def check_files(self) -> None:
        """Raise `StoreFileError` when the files were removed or replaced, `OSError` when they cannot be looked at."""
        if self._open_files is not None:
            self._open_files.check()

    def vacuum(self, pages_per_step: int = PAGES_PER_STEP) -> Iterator[bool]:
        """Leave no byte of what was deleted before in any file, a step at each look.

        Yields True after each step, and False at the end if another process still reads the old state: then bytes
        are left. Other transactions may come between the steps, and delete nothing that this covers.
        """
        first, last = 1, None
        while self._slack is not None and truncate_log(self._connection):
            # pages that are added from now on never held what was deleted before
            last = last or self._slack.page_count
            roots = [1, *(row[0] for row in self._connection.execute(_ROOT_PAGES))]
            numbers = self._slack.pages_from(roots, first, last)[:pages_per_step]
            self._slack.overwrite(numbers)
            # what it has cached still has the old bytes, and would be written back with the next change
            self._connection.execute("PRAGMA shrink_memory")
            if not numbers:
                self._slack.sync()
                return
            first = numbers[-1] + 1
            yield True
        yield False

    def release_pages(self, pages: int = PAGES_PER_RELEASE) -> bool:
        """Give some free pages back to the disk; return whether there were many. Not between steps of a vacuum."""
        return release(self._connection, pages) and truncate_log(self._connection)

    @property
    def layout_version(self) -> int:
        """A number that grows when a table comes or goes, for which pages may move."""
        version: int = self._connection.execute("PRAGMA schema_version").fetchone()[0]
        return version

    def copy(self, file: Path) -> None:
        """Write the store as it is now to one file, whole or not at all. Raises `StorageError`."""
        # what goes wrong here is about that file, not about the store
        with translate_errors(file):
            copy(self._connection, file)

    def close(self) -> None:
        """Close the file and give its folder back."""
        try:
            self._connection.close()
        finally:
            if self._slack is not None:
                self._slack.close()
            self._release()


def _quoted(table: str, index: str | None = None) -> str:
    name = table if index is None else f"{table}{_INDEX_MARK}{index}"
    return '"' + name.replace('"', '""') + '"'
