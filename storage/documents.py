"""TinyDB's documents on SQLite's bytes: a call costs what it touches, and survives a crash whole.

Ids are natural keys, given by the caller in a `tinydb.table.Document`; there is no counter. There is no query
cache either: TinyDB hands the same object to everyone who asks twice, and other processes write, too.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, NoReturn, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from memalign.records import Json
from storage.keys import LAST
from storage.rows import Body, Changes, Rows, Statements, decode, encode, unpack

Order = Literal["up", "down", "added"]
"""By id, by id backwards, or in order of adding."""
_ORDERS: Mapping[Order, str] = {"up": "id", "down": "id DESC", "added": "position"}


class DocumentStorage(Storage):
    """All tables of one SQLite connection. Errors of SQLite pass through as they are."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._statements: dict[str, Statements] = {}
        self._present: set[str] = set()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for what is not about documents."""
        return self._connection

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing for the writes inside; inside another one, part of that."""
        return self._between("BEGIN IMMEDIATE")

    def snapshot(self) -> AbstractContextManager[None]:
        """One unchanging state for the reads inside."""
        return self._between("BEGIN")

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        if self._inside():
            yield
            return
        self._connection.execute(begin)
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._present.clear()
            # SQLite itself has rolled back already after some errors, a full disk among them
            if self._inside():
                self._connection.execute("ROLLBACK")
            raise

    def statements(self, name: str) -> Statements:
        """The SQL of a table."""
        if name not in self._statements:
            self._statements[name] = Statements(name)
        return self._statements[name]

    def rows(self, name: str) -> Rows | None:
        """A table for reading, or None when nothing was ever written to it."""
        if name not in self._present:
            if name not in self._names():
                return None
            self._present.add(name)
        return Rows(self._connection, self.statements(name))

    def change(self, name: str, updater: Callable[[Changes], None]) -> None:
        """Run the updater on a table and store what it changed; nothing when it raises."""
        with self.transaction():
            if self.rows(name) is None:
                self._connection.execute(self.statements(name).create)
                self._present.add(name)
            changes = Changes(self._connection, self.statements(name))
            updater(changes)
            changes.write()

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All tables; their documents are fetched only when looked at."""
        tables = {name: self.rows(name) for name in self._names()}
        return cast("dict[str, dict[str, Any]]", tables) or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Make the tables those given: TinyDB calls it to drop tables."""
        with self.transaction():
            for name in self._names() - set(data):
                self._connection.execute(self.statements(name).drop)
                self._present.discard(name)
            for name, table in data.items():
                if not isinstance(table, Rows):
                    self._replace(name, table)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _inside(self) -> bool:
        return self._connection.in_transaction

    def _replace(self, name: str, table: Mapping[str, Mapping[str, Json]]) -> None:
        def updater(changes: Changes) -> None:
            changes.clear()
            changes.update({str(doc_id): dict(body) for doc_id, body in table.items()})

        self.change(name, updater)

    def _names(self) -> set[str]:
        found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {row[0] for row in found if not row[0].startswith("sqlite_")}


class DocumentTable(Table):
    """A TinyDB table whose ids are strings of ours, and which also reads by key and by range of keys."""

    # TinyDB annotates ids as int and only ever calls the class
    document_id_class = str  # type: ignore[assignment]

    def __init__(self, storage: Storage, name: str, cache_size: int = 0, persist_empty: bool = False) -> None:
        self._documents = cast("DocumentStorage", storage)
        super().__init__(storage, name, cache_size, persist_empty)

    def find(self, doc_id: str) -> Body | None:
        """The document of that id."""
        rows = self._documents.rows(self.name)
        return None if rows is None else rows.get(doc_id)

    def has(self, doc_id: str) -> bool:
        """Whether there is a document of that id; it is not fetched."""
        rows = self._documents.rows(self.name)
        return rows is not None and doc_id in rows

    def span(
        self, low: str, high: str = LAST, *, limit: int = -1, order: Order = "up"
    ) -> list[tuple[str, Body]]:
        """Ids with documents, from `low` up to, but without, `high`; at most `limit` of them."""
        if self._documents.rows(self.name) is None:
            return []
        statement = self._documents.statements(self.name).span + _ORDERS[order] + " LIMIT ?"
        found = self._documents.connection.execute(statement, (encode(low), encode(high), limit))
        return [(decode(doc_id), unpack(body)) for doc_id, body in found]

    def put(self, doc_id: str, body: Body) -> None:
        """Store the document under that id, whatever was there."""
        self._documents.change(self.name, lambda table: table.__setitem__(doc_id, body))

    def discard(self, *doc_ids: str) -> None:
        """Remove the documents of those ids as far as there are any."""

        def updater(table: Changes) -> None:
            for doc_id in doc_ids:
                table.pop(doc_id, None)

        self._documents.change(self.name, updater)

    def _get_next_id(self) -> NoReturn:
        raise ValueError("Ids are natural keys here: insert a tinydb.table.Document with a doc_id.")

    def _read_table(self) -> dict[str, Mapping[Any, Any]]:
        rows = self._documents.rows(self.name)
        return cast("dict[str, Mapping[Any, Any]]", {} if rows is None else rows)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._documents.change(self.name, updater)


class Documents(TinyDB):
    """TinyDB with our tables on our storage."""

    table_class = DocumentTable

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection, storage=DocumentStorage)

    @property
    def store(self) -> DocumentStorage:
        """The storage, under its own type."""
        return cast("DocumentStorage", self.storage)

    def shelf(self, name: str) -> DocumentTable:
        """A table, under its own type."""
        return cast("DocumentTable", self.table(name))
