"""TinyDB's documents on an engine: a call costs what it touches, and survives a crash whole.

Ids are natural keys, given by the caller in a `Document`; there is no counter. There is no query cache either:
TinyDB hands the same object to everyone who asks twice, and other processes write, too. Indexes are declared
with the table, which alone keeps them up to date.
"""

import json
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, NoReturn, cast

from tinydb import TinyDB
from tinydb import table as tinydb_table
from tinydb.queries import QueryLike
from tinydb.storages import Storage

from memalign.records import Json
from storage.engines.sqlite import Order, SqliteEngine, decode, encode
from storage.keys import LAST

Body = dict[str, Json]
"""A document without its id."""
Places = Callable[[Mapping[str, Json]], Iterable[str]]
"""The keys under which an index lists a document; none: it is not listed there."""
_NO_INDEXES: Mapping[str, Places] = MappingProxyType({})
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def pack(body: Mapping[str, Json]) -> bytes:
    """Return a document as it is stored: compact JSON."""
    return encode(_JSON.encode(body))


def unpack(raw: bytes) -> Body:
    """Return the document of stored bytes."""
    body: Body = json.loads(decode(raw))
    return body


class Document(tinydb_table.Document):
    """A document with its id, which is text."""

    doc_id: str  # type: ignore[assignment]

    def __init__(self, body: Mapping[str, Json], doc_id: str) -> None:
        super().__init__(body, cast("int", doc_id))


class Rows(Mapping[str, Body]):
    """A table for reading. Every look fetches afresh: nobody shares a document."""

    def __init__(self, engine: SqliteEngine, table: str) -> None:
        self._engine = engine
        self._table = table

    def __getitem__(self, doc_id: str) -> Body:
        row = self._engine.read(self._table, doc_id)
        if row is None:
            raise KeyError(doc_id)
        return unpack(row[1])

    def __iter__(self) -> Iterator[str]:
        return (doc_id for doc_id, _, _ in self._engine.items(self._table))

    def __len__(self) -> int:
        return self._engine.count(self._table)

    def items(self) -> ItemsView[str, Body]:
        """Return all ids with their documents, in order of adding, by one statement."""
        return _Items(self, self._engine, self._table)


class _Items(ItemsView[str, Body]):
    def __init__(self, rows: Rows, engine: SqliteEngine, table: str) -> None:
        super().__init__(rows)
        self._engine = engine
        self._table = table

    def __iter__(self) -> Iterator[tuple[str, Body]]:
        for doc_id, _, raw in self._engine.items(self._table):
            yield doc_id, unpack(raw)


class Changes(MutableMapping[str, Body]):
    """A table under change: reads through to the rows, remembers what differs, and writes only that."""

    def __init__(self, engine: SqliteEngine, table: str, indexes: Mapping[str, Places]) -> None:
        self._engine = engine
        self._table = table
        self._indexes = indexes
        self._stored: dict[str, tuple[int, bytes] | None] = {}
        self._bodies: dict[str, Body] = {}
        self._removed: dict[str, None] = {}
        self._cleared = False

    def __getitem__(self, doc_id: str) -> Body:
        if doc_id not in self._bodies:
            row = None if doc_id in self._removed else self._row(doc_id)
            if row is None:
                raise KeyError(doc_id)
            self._bodies[doc_id] = unpack(row[1])
        return self._bodies[doc_id]

    def __contains__(self, doc_id: object) -> bool:
        if not isinstance(doc_id, str) or doc_id in self._removed:
            return False
        return doc_id in self._bodies or self._row(doc_id) is not None

    def __setitem__(self, doc_id: str, body: Body) -> None:
        self._removed.pop(doc_id, None)
        self._bodies[doc_id] = body

    def __delitem__(self, doc_id: str) -> None:
        if doc_id not in self:
            raise KeyError(doc_id)
        self._bodies.pop(doc_id, None)
        self._removed[doc_id] = None

    def __iter__(self) -> Iterator[str]:
        rows = () if self._cleared else self._engine.items(self._table)
        stored = [doc_id for doc_id, _, _ in rows if doc_id not in self._removed]
        known = set(stored)
        return iter(stored + [doc_id for doc_id in self._bodies if doc_id not in known])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove every document."""
        self._cleared = True
        for cache in (self._stored, self._bodies, self._removed):
            cache.clear()

    def write(self) -> None:
        """Carry the differences over into the rows and their indexes, removals first."""
        if self._cleared:
            self._engine.clear(self._table)
        for doc_id in self._removed:
            self._delete(doc_id)
        for doc_id, body in self._bodies.items():
            self._put(doc_id, body)

    def _row(self, doc_id: str) -> tuple[int, bytes] | None:
        if doc_id not in self._stored:
            self._stored[doc_id] = None if self._cleared else self._engine.read(self._table, doc_id)
        return self._stored[doc_id]

    def _delete(self, doc_id: str) -> None:
        row = self._row(doc_id)
        if row is not None:
            position, raw = row
            if self._indexes:
                self._reindex(position, unpack(raw), None)
            self._engine.delete(self._table, position)

    def _put(self, doc_id: str, body: Body) -> None:
        row, packed = self._row(doc_id), pack(body)
        if row is None:
            self._reindex(self._engine.insert(self._table, doc_id, packed), None, body)
        elif packed != row[1]:
            position, raw = row
            self._engine.replace(self._table, position, packed)
            if self._indexes:
                self._reindex(position, unpack(raw), body)

    def _reindex(self, position: int, before: Body | None, after: Body | None) -> None:
        for index, places in self._indexes.items():
            old = set() if before is None else set(places(before))
            new = set() if after is None else set(places(after))
            for place in old - new:
                self._engine.withdraw(self._table, index, place, position)
            for place in new - old:
                self._engine.enter(self._table, index, place, position)


class DocumentStorage(Storage):
    """All tables of an engine, as TinyDB reads and writes them."""

    def __init__(self, engine: SqliteEngine) -> None:
        self.engine = engine

    def rows(self, name: str) -> Rows | None:
        """Return a table for reading, or None when nothing was ever written to it."""
        return Rows(self.engine, name) if self.engine.has(name) else None

    def change(
        self, name: str, updater: Callable[[Changes], None], indexes: Mapping[str, Places] = _NO_INDEXES
    ) -> None:
        """Run the updater on a table and store what it changed; nothing when it raises."""
        with self.engine.transaction():
            if not self.engine.has(name):
                self.engine.make(name, indexes)
            changes = Changes(self.engine, name, indexes)
            updater(changes)
            changes.write()

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Return all tables; their documents are fetched only when looked at."""
        tables = {name: self.rows(name) for name in self.engine.names()}
        return cast("dict[str, dict[str, Any]]", tables) or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Make the tables those in `data`: TinyDB calls it to drop tables."""
        with self.engine.transaction():
            for name in self.engine.names() - set(data):
                self.engine.drop(name)
            for name, table in data.items():
                if not isinstance(table, Rows):
                    self._replace(name, table)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()

    def _replace(self, name: str, table: Mapping[str, Mapping[str, Json]]) -> None:
        def updater(changes: Changes) -> None:
            changes.clear()
            changes.update({str(doc_id): dict(body) for doc_id, body in table.items()})

        self.change(name, updater)


class DocumentTable(tinydb_table.Table):
    """A TinyDB table whose ids are text, which keeps its declared indexes, and reads ranges of both."""

    # TinyDB annotates the class of ids, and so of documents, as its own, and only ever calls them
    document_class = Document  # type: ignore[assignment]
    document_id_class = str  # type: ignore[assignment]

    def __init__(
        self,
        storage: Storage,
        name: str,
        cache_size: int = 0,
        persist_empty: bool = False,
        *,
        indexes: Mapping[str, Places] = _NO_INDEXES,
    ) -> None:
        self._documents = cast("DocumentStorage", storage)
        self._indexes = indexes
        super().__init__(storage, name, cache_size, persist_empty)

    # TinyDB annotates ids as int, though any class will do: these three say what they take here

    def get(  # type: ignore[override]
        self, cond: QueryLike | None = None, doc_id: str | None = None, doc_ids: list[str] | None = None
    ) -> Any:
        """Return the document of that id, or the first that matches; None when there is none."""
        return super().get(cond, cast("int", doc_id), cast("list[Any]", doc_ids))

    def contains(self, cond: QueryLike | None = None, doc_id: str | None = None) -> bool:  # type: ignore[override]
        """Return whether there is a document of that id, or one that matches."""
        return super().contains(cond, cast("int", doc_id))

    def remove(  # type: ignore[override]
        self, cond: QueryLike | None = None, doc_ids: Iterable[str] | None = None
    ) -> list[str]:
        """Remove the documents of those ids as far as there are any, or those that match; their ids."""
        return cast("list[str]", super().remove(cond, cast("Iterable[int]", doc_ids)))

    def range(
        self,
        low: str = "",
        high: str = LAST,
        *,
        index: str | None = None,
        limit: int = -1,
        order: Order = "up",
    ) -> list[Document]:
        """Return documents whose id, or entry in that index, is from `low` up to, but without, `high`.

        Args:
            low: the first key.
            high: the key after the last.
            index: name of a declared index; None: by id.
            limit: how many documents at most; -1: all.
            order: by key `up` or `down`, or in order of adding (`added`).
        """
        if not self._documents.engine.has(self.name):
            return []
        rows = self._documents.engine.range(self.name, index, low, high, limit=limit, order=order)
        return [Document(unpack(raw), doc_id) for doc_id, raw in rows]

    def build_indexes(self) -> None:
        """Fill those of the declared indexes that the engine does not have yet."""
        engine = self._documents.engine
        if not engine.has(self.name):
            return
        missing = {
            index: places for index, places in self._indexes.items() if index not in engine.indexes(self.name)
        }
        if missing:
            engine.make(self.name, missing)
            for _, position, raw in list(engine.items(self.name)):
                body = unpack(raw)
                for index, places in missing.items():
                    for place in set(places(body)):
                        engine.enter(self.name, index, place, position)

    def _get_next_id(self) -> NoReturn:
        raise ValueError("Ids are natural keys here: insert a Document with a doc_id.")

    def _read_table(self) -> dict[str, Mapping[Any, Any]]:
        rows = self._documents.rows(self.name)
        return cast("dict[str, Mapping[Any, Any]]", {} if rows is None else rows)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._documents.change(self.name, updater, self._indexes)


class Documents(TinyDB):
    """TinyDB with our tables on an engine."""

    table_class = DocumentTable

    def __init__(self, engine: SqliteEngine) -> None:
        super().__init__(engine, storage=DocumentStorage)
        self.engine = engine

    def declare(self, name: str, indexes: Mapping[str, Places] = _NO_INDEXES) -> DocumentTable:
        """Return the table with these indexes, which it keeps from the first document on."""
        return cast("DocumentTable", self.table(name, indexes=indexes))

    def build_indexes(self) -> None:
        """Fill the declared indexes that a store of an earlier version does not have yet."""
        for table in self._tables.values():
            cast("DocumentTable", table).build_indexes()
