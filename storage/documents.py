"""TinyDB's documents on an engine: a call costs what it touches, and survives a crash whole.

Ids are natural keys, given by the caller in a `Document`; there is no counter. There is no query cache either:
TinyDB hands the same object to everyone who asks twice, and other processes write, too. Indexes are declared
with the table, which alone keeps them up to date.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, cast

from tinydb import TinyDB, where
from tinydb import table as tinydb_table
from tinydb.queries import QueryLike
from tinydb.storages import Storage

from memalign.records import Json
from storage.engines import Engine, Order
from storage.keys import LAST
from storage.table_rows import Changes, Places, Rows, unpack

# tinydb's own is imported here alone
__all__ = ["Document", "DocumentStorage", "DocumentTable", "Documents", "where"]
_NO_INDEXES: Mapping[str, Places] = MappingProxyType({})


class Document(tinydb_table.Document):
    """A document with its id, which is text."""

    doc_id: str  # type: ignore[assignment]

    def __init__(self, body: Mapping[str, Json], doc_id: str) -> None:
        super().__init__(body, cast("int", doc_id))


class DocumentStorage(Storage):
    """All tables of an engine, as TinyDB reads and writes them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def rows(self, name: str) -> Rows | None:
        """Return a table for reading, or None when nothing was ever written to it."""
        return Rows(self.engine, name) if self.engine.has_table(name) else None

    def change(
        self, name: str, updater: Callable[[Changes], None], indexes: Mapping[str, Places] = _NO_INDEXES
    ) -> None:
        """Run the updater on a table and store what it changed; nothing when it raises."""
        with self.engine.transaction():
            if not self.engine.has_table(name):
                self.engine.create_table(name, indexes)
            changes = Changes(self.engine, name, indexes)
            updater(changes)
            changes.write()

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Return all tables; their documents are fetched only when looked at."""
        tables = {name: self.rows(name) for name in self.engine.table_names()}
        return cast("dict[str, dict[str, Any]]", tables) or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Make the tables those in `data`: TinyDB calls it to drop tables."""
        with self.engine.transaction():
            for name in self.engine.table_names() - set(data):
                self.engine.drop_table(name)
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

    # TinyDB annotates ids as int, though any class will do: these say what they take here

    def get(  # type: ignore[override]
        self, cond: QueryLike | None = None, doc_id: str | None = None, doc_ids: list[str] | None = None
    ) -> Any:
        """Return the document of that id, or the first that matches; None when there is none."""
        return super().get(cond, cast("int", doc_id), cast("list[Any]", doc_ids))

    def search(self, cond: QueryLike) -> list[Document]:  # type: ignore[override]
        """Return all documents that match, in order of adding: looks at each, for small tables."""
        return cast("list[Document]", super().search(cond))

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
        if not self._documents.engine.has_table(self.name):
            return []
        rows = self._documents.engine.range(self.name, index, low, high, limit=limit, order=order)
        return [Document(unpack(raw), doc_id) for doc_id, raw in rows]

    def build_indexes(self) -> None:
        """Fill those of the declared indexes that the engine does not have yet."""
        engine = self._documents.engine
        if not engine.has_table(self.name):
            return
        missing = {
            index: places for index, places in self._indexes.items() if index not in engine.indexes(self.name)
        }
        if missing:
            engine.create_table(self.name, missing)
            for _, position, raw in list(engine.items(self.name)):
                body = unpack(raw)
                for index, places in missing.items():
                    for place in set(places(body)):
                        engine.add_entry(self.name, index, place, position)

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

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, storage=DocumentStorage)
        self.engine = engine

    def declare(self, name: str, indexes: Mapping[str, Places] = _NO_INDEXES) -> DocumentTable:
        """Return the table with these indexes, which it keeps from the first document on."""
        return cast("DocumentTable", self.table(name, indexes=indexes))

    def build_indexes(self) -> None:
        """Fill the declared indexes that a store of an earlier version does not have yet."""
        for table in self._tables.values():
            cast("DocumentTable", table).build_indexes()
