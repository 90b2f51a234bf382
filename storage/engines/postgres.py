"""Tables of documents and their indexes in one schema of a PostgreSQL database.

One process writes at a time: each write transaction takes a lock of the store first, so that what it reads stays
true until it commits, as with SQLite. Statements of a transaction travel together (libpq's pipeline mode): only
those whose answer is wanted wait for one.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from memalign.errors import StorageError
from storage.engines.engine import Order, Row
from storage.engines.postgres_changes import change_notice, channel_of
from storage.engines.postgres_errors import translate_errors
from storage.engines.postgres_outcome import was_committed
from storage.engines.postgres_pages import ALL_ENTRIES, ALL_ROWS, entry_range, key_range, pages
from storage.engines.postgres_rewrite import begin_rewrite, rewrite_table
from storage.engines.postgres_schema import (
    INDEX_MARK,
    OWN_TABLES,
    STORE_TABLE,
    check_version,
    index_statements,
    qualified,
    table_statements,
    tables_of,
)
from storage.engines.postgres_session import Connection, Session, lock_key
from storage.engines.postgres_stale import StaleTables
from storage.engines.sqlite_copy import write_copy
from storage.keys import LAST, decode, encode

Cursor = psycopg.Cursor[TupleRow]
T = TypeVar("T")
_RAW_BATCH = 500
"""Rows of a copy that one statement adds."""
_STATE = "SELECT version, rewrites, layout FROM {}"


class PostgresEngine:
    """One session of a store; errors of the driver pass through as they are."""

    def __init__(self, session: Session, release: Callable[[], None] = lambda: None) -> None:
        """Take a session of a store that is there; `release` gives it back when the engine is closed."""
        self._session = session
        self._location = session.location
        self._schema = session.location.schema
        self._release = release
        self._is_inside = False
        self._tables: set[str] | None = None
        """Names of the tables and indexes in this layout of the store; None: to be looked up."""
        self._layout = -1
        self._state: Cursor | None = None
        """The answer on the store's state as the transaction under way began."""
        self._is_redefined = False
        """True once the transaction under way has changed the layout."""
        self._changes = 0
        self._statements: dict[tuple[str, ...], sql.Composed] = {}
        self._write_key = lock_key(session.location, "write")
        self._vacuum_key = lock_key(session.location, "vacuum")
        self._stale = StaleTables(session.location.schema)

    @property
    def connection(self) -> Connection:
        """The connection: that of the transaction under way, else one that was open a moment ago."""
        return self._session.present() if self._is_inside else self._session.connection()

    def translate_errors(self, location: object) -> AbstractContextManager[None]:
        """Raise errors of the engine and of files inside as `StoreFileError` about that location."""
        return translate_errors(location)

    # --- transactions

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside all or nothing; inside another transaction, a part of that one.

        A connection that breaks while the transaction is committed leaves open whether it was: then the database
        is asked, over a new connection.
        """
        # one that writes reads what is committed by the time it has the lock
        return self._between(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            "SELECT pg_advisory_xact_lock(%s), pg_current_xact_id()::text",
            (self._write_key,),
        )

    def snapshot(self) -> AbstractContextManager[None]:
        """Let the reads inside see one unchanging state."""
        return self._between("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def announce(self, sender: str, tables: Collection[str]) -> None:
        """Tell other processes which of these tables the transaction under way has changed, once it is committed."""
        if changed := self._stale.written & set(tables):
            values = (channel_of(self._location), change_notice(sender, changed))
            self.connection.execute("SELECT pg_notify(%s, %s)", values, prepare=True)

    @contextmanager
    def _between(self, begin: str, lock: str | None = None, keys: Sequence[int] = ()) -> Iterator[None]:
        if self._is_inside:
            yield
            return
        connection = self._session.connection()
        self._is_inside = True
        transaction_id: str | None = None
        try:
            with connection.pipeline():
                connection.execute(begin)
                locked = connection.execute(lock, keys, prepare=True) if lock else None
                self._state = self._execute(_STATE, (STORE_TABLE,))
                yield
                version, rewrites, _ = self._state_row()
                check_version(version, self._location)
                if locked is not None:
                    self._stale.note(connection, rewrites)
                    transaction_id = self._row_of(locked)[1]
                connection.execute("COMMIT")
        except BaseException as problem:
            self._tables = None
            self._stale.roll_back()
            if self._roll_back(connection) or transaction_id is None:
                raise
            if not isinstance(problem, psycopg.Error):
                raise
            if not was_committed(self._session, transaction_id, problem):
                raise
        finally:
            self._is_inside = False
            self._stale.end_transaction()
            self._state = None
            if self._is_redefined:
                self._tables, self._is_redefined = None, False

    def _roll_back(self, connection: Connection) -> bool:
        """Return False when the connection is lost, which the server answers by rolling back."""
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            self._session.discard()
            return False
        return True

    # --- statements: names are quoted, and every value is bound

    def _execute(self, text: LiteralString, tables: tuple[str, ...], values: Sequence[Any] = ()) -> Cursor:
        """Run a statement; each {} in it is a table, or an index as `table/index`."""
        statement = self._statements.get((text, *tables))
        if statement is None:
            names = [qualified(self._schema, table) for table in tables]
            statement = self._statements[text, *tables] = sql.SQL(text).format(*names)
        return self.connection.execute(statement, values, prepare=True, binary=True)

    def _add(self, text: LiteralString, table: str, values: Sequence[Any]) -> Cursor:
        self._changes += 1
        self._stale.written.add(table)
        return self._execute(text, (table,), values)

    def _overwrite(self, text: LiteralString, table: str, values: Sequence[Any] = ()) -> None:
        self._stale.emptied.add(table)
        self._add(text, table, values)

    # --- tables

    def table_names(self) -> set[str]:
        """Return the names of all tables of documents."""
        return {name for name in self._table_names() if INDEX_MARK not in name}

    def has_table(self, table: str) -> bool:
        """Return whether the table exists: it does from its first document on."""
        return table in self._table_names()

    def _table_names(self) -> set[str]:
        """Return the names of tables and indexes, looked up again once a process has made or dropped one."""
        layout = self._state_row()[2]
        if self._tables is None or (layout != self._layout and not self._is_redefined):
            self._tables, self._layout = self._sql_names(), layout
        return self._tables

    def _state_row(self) -> TupleRow:
        """Return version, number of rewrites and layout; in a transaction, as it began."""
        if self._state is None:
            return self._row_of(self._execute(_STATE, (STORE_TABLE,)))
        row = self._row_of(self._state)
        self._state.scroll(0, mode="absolute")
        return row

    def create_table(self, table: str, indexes: Collection[str]) -> None:
        """Create the table and those of its indexes that are missing; their entries are left to the caller."""
        statements = table_statements(self._schema, table)
        for index in indexes:
            statements += index_statements(self._schema, table, index)
        self._define(statements)

    def indexes(self, table: str) -> set[str]:
        """Return the names of the table's indexes."""
        return {
            name.partition(INDEX_MARK)[2]
            for name in self._table_names()
            if name.startswith(table + INDEX_MARK)
        }

    def drop_table(self, table: str) -> None:
        """Remove a table with its indexes, if it is there."""
        for index in self.indexes(table):
            self._drop(_index(table, index))
        self._drop(table)

    def _drop(self, table: str) -> None:
        self._define([sql.SQL("DROP TABLE IF EXISTS {}").format(qualified(self._schema, table))])

    def rename_table(self, table: str, name: str) -> None:
        """Give a table that has no indexes another name."""
        statement = sql.SQL("ALTER TABLE {} RENAME TO {}")
        self._define([statement.format(qualified(self._schema, table), sql.Identifier(name))])

    def _define(self, statements: Iterable[sql.Composed]) -> None:
        connection = self.connection
        for statement in statements:
            connection.execute(statement)
        self._execute("UPDATE {} SET layout = layout + 1", (STORE_TABLE,))
        self._tables, self._is_redefined = None, self._is_inside
        if self._is_inside:
            # the driver drops what it has prepared once it has these answers, and sends word of that after the
            # next statement, which must not be one that it prepares anew (psycopg 3.3, `PrepareManager`)
            with connection.pipeline() as pipeline:
                pipeline.sync()
                connection.execute("SELECT 1", prepare=False)

    def _sql_names(self) -> set[str]:
        return tables_of(self.connection, self._schema) - OWN_TABLES

    # --- rows by key; the table is there

    def read(self, table: str, key: str) -> Row | None:
        """Return a document's row, if it is there."""
        row = self._execute(
            "SELECT position, body FROM {} WHERE id = %b", (table,), (encode(key),)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def items(self, table: str) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, position and body of all documents, in order of adding."""
        for position, key, body in self.raw_rows(table):
            yield _text(key), position, body

    def count(self, table: str) -> int:
        """Return the number of documents, counted at each call: other processes write, too."""
        number: int = self._row_of(self._execute("SELECT COUNT(*) FROM {}", (table,)))[0]
        return number

    def insert(self, table: str, key: str, body: bytes) -> int:
        """Add a document whose key is new; its position."""
        text = "INSERT INTO {} (id, body) VALUES (%b, %b) RETURNING position"
        position: int = self._row_of(self._add(text, table, (encode(key), body)))[0]
        return position

    def replace(self, table: str, position: int, body: bytes) -> None:
        """Give a document another body."""
        self._overwrite("UPDATE {} SET body = %b WHERE position = %s", table, (body, position))

    def delete(self, table: str, position: int) -> None:
        """Remove a document; its index entries are left to the caller."""
        self._overwrite("DELETE FROM {} WHERE position = %s", table, (position,))

    def clear(self, table: str) -> None:
        """Remove all documents with their index entries."""
        for index in self.indexes(table):
            self._overwrite("DELETE FROM {}", _index(table, index))
        self._overwrite("DELETE FROM {}", table)

    # --- rows by index

    def add_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Add an index entry."""
        text = "INSERT INTO {} (place, position) VALUES (%b, %s) ON CONFLICT DO NOTHING"
        self._add(text, _index(table, index), (encode(place), position))

    def remove_entry(self, table: str, index: str, place: str, position: int) -> None:
        """Remove an index entry."""
        text = "DELETE FROM {} WHERE place = %b AND position = %s"
        self._overwrite(text, _index(table, index), (encode(place), position))

    def remove_entries(self, table: str, index: str, position: int) -> None:
        """Remove all entries of a document from an index, however they are called: looks at the whole index."""
        self._overwrite("DELETE FROM {} WHERE position = %s", _index(table, index), (position,))

    def places(self, table: str, index: str, position: int) -> list[str]:
        """Return the places under which an index lists a document: looks at the whole index."""
        text = "SELECT place FROM {} WHERE position = %s ORDER BY place"
        return [_text(row[0]) for row in self._execute(text, (_index(table, index),), (position,)).fetchall()]

    def range(
        self, table: str, index: str | None, low: str, high: str = LAST, *, order: Order, likely: int = -1
    ) -> Generator[tuple[str, bytes], None, None]:
        """Yield keys and bodies of documents whose key, or index entry, is from `low` up to, but without, `high`."""
        tables = (table,) if index is None else (_index(table, index), table)
        bounds = (encode(low), encode(high))
        ordered = key_range(order) if index is None else entry_range(order)
        for row in pages(self._execute, ordered, tables, bounds, wanted=likely):
            yield _text(row[0]), row[1]

    # --- rows as they are, for a copy

    def raw_rows(self, table: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield position, key and body of all documents as they are stored, in order of adding."""
        for key, body, position in pages(self._execute, ALL_ROWS, (table,)):
            yield position, key, body

    def raw_entries(self, table: str, index: str) -> Iterator[tuple[bytes, int]]:
        """Yield place and position of all entries of an index as they are stored, in order of place."""
        yield from pages(self._execute, ALL_ENTRIES, (_index(table, index),))

    def add_raw_rows(self, table: str, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Add documents at the positions they had; later ones get positions after these."""
        text = (
            "INSERT INTO {} (position, id, body) SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[])"
        )
        last = 0
        for batch in _batches(rows):
            positions, keys, bodies = map(list, zip(*batch, strict=True))
            self._add(text, table, (positions, keys, bodies))
            last = max(last, *positions)
        if last:
            self._execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'position'), %s)",
                (),
                (qualified(self._schema, table).as_string(), last),
            )

    def add_raw_entries(self, table: str, index: str, entries: Iterable[tuple[bytes, int]]) -> None:
        """Add index entries."""
        text = "INSERT INTO {} (place, position) SELECT * FROM unnest(%b::bytea[], %b::bigint[])"
        for batch in _batches(entries):
            places, positions = map(list, zip(*batch, strict=True))
            self._add(text, _index(table, index), (places, positions))

    # --- the store

    @property
    def version(self) -> int:
        """The version of the form of the store's documents."""
        version: int = self._row_of(self._execute("SELECT version FROM {}", (STORE_TABLE,)))[0]
        return version

    def set_version(self, version: int) -> None:
        """Note that the documents have the form of that version."""
        self._execute("UPDATE {} SET version = %s", (STORE_TABLE,), (version,))

    def _row_of(self, cursor: Cursor) -> TupleRow:
        row = cursor.fetchone()
        if row is None:
            raise StorageError(
                f"The store in {self._location} has lost its version: bring back a copy of the database."
            )
        return row

    @property
    def changes(self) -> int:
        """The number of rows written since the engine was opened."""
        return self._changes

    def check_files(self) -> None:
        """Do nothing: a database that is gone says so at each call."""

    def vacuum(self) -> Iterator[bool]:
        """Leave no byte of what was deleted before in any table file, a table at each look.

        Yields True after each, and False at the end while another process reads a table, or vacuums.
        """
        # two at a time would wait for each other at each table, and everybody behind them
        if not self._try_vacuum_lock():
            yield False
            return
        with self.transaction():
            number, tables = begin_rewrite(self.connection, self._schema)
        for table in tables:
            done = rewrite_table(self.connection, self._schema, table, number)
            if not done:
                break
            yield True
        else:
            done = True
        self.connection.execute("SELECT pg_advisory_unlock(%s)", (self._vacuum_key,))
        if not done:
            yield False

    def _try_vacuum_lock(self) -> bool:
        # a vacuum of this process that was broken off has it still
        self.connection.execute("SELECT pg_advisory_unlock(%s)", (self._vacuum_key,))
        row = self.connection.execute("SELECT pg_try_advisory_lock(%s)", (self._vacuum_key,)).fetchone()
        return bool(row and row[0])

    def release_pages(self) -> bool:
        """Return False: the database reuses and frees space by itself."""
        return False

    @property
    def layout_version(self) -> int:
        """Always 0: a table is rewritten as a whole, so that nothing moves past a vacuum."""
        return 0

    def copy(self, file: Path) -> None:
        """Write the store as it is now to one file, whole or not at all. Raises `StorageError`."""
        write_copy(self, file)

    def close(self) -> None:
        """Close the connection and give the store back."""
        try:
            self._session.discard()
        finally:
            self._release()


def _index(table: str, index: str) -> str:
    return f"{table}{INDEX_MARK}{index}"


def _text(raw: bytes) -> str:
    """Return a key, also a damaged one, which leads nowhere."""
    try:
        return decode(raw)
    except ValueError:
        return raw.decode("utf-8", "backslashreplace")


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _RAW_BATCH)):
        yield batch
