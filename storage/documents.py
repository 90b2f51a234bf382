"""TinyDB's documents on an engine: a call costs what it touches, and survives a crash whole.

Ids are natural keys, given by the caller in a `Document`; there is no counter. There is no query cache either:
TinyDB hands the same object to everyone who asks twice, and other processes write, too. Indexes are declared
with the table, which alone keeps them up to date.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import islice
from types import MappingProxyType
from typing import Any, NoReturn, cast

from tinydb import TinyDB, where
from tinydb import table as tinydb_table
from tinydb.queries import QueryInstance, QueryLike
from tinydb.storages import Storage

from memalign.records import Json
from storage.damage import DamageLog
from storage.document_forms import Form, any_form
from storage.engines import Engine, Order
from storage.keys import LAST
from storage.table_rows import Changes, DocumentReader, Places, Rows

# tinydb's own is imported here alone
__all__ = ["Document", "DocumentStorage", "DocumentTable", "Documents", "QueryInstance", "where"]
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
        self.damage = DamageLog()
        self._readers: dict[str, DocumentReader] = {}

    def declare(self, name: str, form: Form, indexes: Mapping[str, Places]) -> None:
        """Take the form and the indexes of a table."""
        self._readers[name] = DocumentReader(name, form, indexes, self.damage)

    def reader(self, name: str) -> DocumentReader:
        """Return what reads a table's documents; one that is not declared has any form and no indexes."""
        return self._readers.get(name) or DocumentReader(name, any_form, _NO_INDEXES, self.damage)

    def rows(self, name: str) -> Rows | None:
        """Return a table for reading, or None when nothing was ever written to it."""
        return Rows(self.engine, self.reader(name)) if self.engine.has_table(name) else None

    def change(self, name: str, updater: Callable[[Changes], None]) -> None:
        """Run the updater on a table and store what it changed; nothing when it raises."""
        with self.engine.transaction():
            reader = self.reader(name)
            if not self.engine.has_table(name):
                self.engine.create_table(name, reader.indexes)
            changes = Changes(self.engine, reader)
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
    ) -> None:
        self._documents = cast("DocumentStorage", storage)
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
        """Return whether there is a document of that id, be it damaged, or one that matches."""
        if doc_id is None:
            return super().contains(cond)
        engine = self._documents.engine
        return engine.has_table(self.name) and engine.read(self.name, doc_id) is not None

    def remove(  # type: ignore[override]
        self, cond: QueryLike | None = None, doc_ids: Iterable[str] | None = None
    ) -> list[str]:
        """Remove documents by id, as far as there are any, damaged or not, or those that match; their ids."""
        if doc_ids is None:
            return cast("list[str]", super().remove(cond))
        removed: list[str] = []

        def updater(changes: Changes) -> None:
            removed.extend([doc_id for doc_id in doc_ids if changes.discard(doc_id)])

        self._update_table(updater)
        return removed

    def put(self, document: Document) -> None:
        """Add a document, or replace the one that has its id, as `put_multiple` does."""
        self.put_multiple([document])

    def put_multiple(self, documents: Iterable[Document]) -> None:
        """Add documents in their order, or replace those that have their ids; these keep their places.

        Unlike by `upsert`, a replaced document keeps none of the fields that the new one lacks.
        """

        def updater(changes: Changes) -> None:
            for document in documents:
                changes[document.doc_id] = dict(document)

        self._update_table(updater)

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
        engine, reader = self._documents.engine, self._documents.reader(self.name)
        if not engine.has_table(self.name):
            return []
        with closing(engine.range(self.name, index, low, high, order=order, likely=limit)) as rows:
            bodies = ((reader.read(doc_id, raw), doc_id) for doc_id, raw in rows)
            documents = (Document(body, doc_id) for body, doc_id in bodies if body is not None)
            return list(islice(documents, None if limit < 0 else limit))

    def ids(self, low: str = "", high: str = LAST, *, index: str | None = None, limit: int = -1) -> list[str]:
        """Return the ids of documents in a range, as `range` takes it, the damaged ones included."""
        engine = self._documents.engine
        if not engine.has_table(self.name):
            return []
        with closing(engine.range(self.name, index, low, high, order="up", likely=limit)) as rows:
            ids = (doc_id for doc_id, _ in rows)
            return list(islice(ids, None if limit < 0 else limit))

    def places(self, doc_id: str, index: str) -> list[str]:
        """Return where an index lists a document; slow, for damaged ones, which do not tell it themselves."""
        engine = self._documents.engine
        row = engine.read(self.name, doc_id) if engine.has_table(self.name) else None
        return [] if row is None else engine.places(self.name, index, row[0])

    def build_indexes(self) -> None:
        """Fill those of the declared indexes that the engine does not have yet."""
        engine, reader = self._documents.engine, self._documents.reader(self.name)
        if not engine.has_table(self.name):
            return
        present = engine.indexes(self.name)
        missing = {index: places for index, places in reader.indexes.items() if index not in present}
        if missing:
            engine.create_table(self.name, missing)
            for doc_id, position, raw in list(engine.items(self.name)):
                body = reader.read(doc_id, raw)
                if body is None:
                    continue
                for index, places in missing.items():
                    for place in set(places(body)):
                        engine.add_entry(self.name, index, place, position)

    def _get_next_id(self) -> NoReturn:
        raise ValueError("Ids are natural keys here: insert a Document with a doc_id.")

    def _read_table(self) -> dict[str, Mapping[Any, Any]]:
        rows = self._documents.rows(self.name)
        return cast("dict[str, Mapping[Any, Any]]", {} if rows is None else rows)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._documents.change(self.name, updater)


class Documents(TinyDB):
    """TinyDB with our tables on an engine."""

    table_class = DocumentTable

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, storage=DocumentStorage)
        self.engine = engine

    def declare(
        self, name: str, indexes: Mapping[str, Places] = _NO_INDEXES, *, form: Form = any_form
    ) -> DocumentTable:
        """Return the table with these indexes, which it keeps from the first document on, for documents of a form."""
        self._documents.declare(name, form, indexes)
        return cast("DocumentTable", self.table(name))

    @property
    def damage(self) -> DamageLog:
        """The damaged documents met so far."""
        return self._documents.damage

    def read_all(self) -> None:
        """Read every document of every table, so that all damage is met."""
        for name in self.tables():
            for _ in self.table(name):
                pass

    def delete_damaged(self, tables: Iterable[str]) -> None:
        """Delete the damaged documents of some tables."""
        for table, doc_id in self.damage.ids_in(tables):
            cast("DocumentTable", self.table(table)).remove(doc_ids=[doc_id])

    def build_indexes(self) -> None:
        """Fill the declared indexes that a store of an earlier version does not have yet."""
        for table in self._tables.values():
            cast("DocumentTable", table).build_indexes()

    @property
    def _documents(self) -> DocumentStorage:
        return cast("DocumentStorage", self.storage)
