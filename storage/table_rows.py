"""One table as TinyDB sees it: a mapping of ids to documents, read a row at a time, its indexes kept with it."""

import json
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, MutableMapping

from memalign.records import Json
from storage.damage import DamageLog
from storage.document_forms import DAMAGE, Form
from storage.engines import Engine
from storage.keys import decode, encode

Body = dict[str, Json]
"""A document without its id."""
Places = Callable[[Mapping[str, Json]], Iterable[str]]
"""The keys under which an index lists a document; none: it is not listed there."""
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def pack(body: Mapping[str, Json]) -> bytes:
    """Return a document as it is stored: compact JSON."""
    return encode(_JSON.encode(body))


def unpack(raw: bytes) -> Body:
    """Return the document of stored bytes."""
    body: Body = json.loads(decode(raw))
    if not isinstance(body, dict):
        raise TypeError("a document is an object")
    return body


class DocumentReader:
    """Reads the documents of a table; one that is damaged is noted and passed over."""

    def __init__(self, table: str, form: Form, indexes: Mapping[str, Places], damage: DamageLog) -> None:
        self.table = table
        self.indexes = indexes
        self.damage = damage
        self._form = form

    def read(self, doc_id: str, raw: bytes) -> Body | None:
        """Return the document, or None for a damaged one."""
        try:
            body = unpack(raw)
            self._form(body)
            for places in self.indexes.values():
                list(places(body))
        except DAMAGE as problem:
            self.damage.note(self.table, doc_id, problem)
            return None
        return body


class Rows(Mapping[str, Body]):
    """A table for reading. Every look fetches afresh: nobody shares a document."""

    def __init__(self, engine: Engine, reader: DocumentReader) -> None:
        self._engine = engine
        self._reader = reader
        self._table = reader.table

    def __getitem__(self, doc_id: str) -> Body:
        row = self._engine.read(self._table, doc_id)
        body = None if row is None else self._reader.read(doc_id, row[1])
        if body is None:
            raise KeyError(doc_id)
        return body

    def __iter__(self) -> Iterator[str]:
        return (doc_id for doc_id, _, _ in self._engine.items(self._table))

    def __len__(self) -> int:
        return self._engine.count(self._table)

    def items(self) -> ItemsView[str, Body]:
        """Return all ids with their documents, in order of adding, by one statement."""
        return _Items(self, self._engine, self._reader)


class _Items(ItemsView[str, Body]):
    def __init__(self, rows: Rows, engine: Engine, reader: DocumentReader) -> None:
        super().__init__(rows)
        self._engine = engine
        self._reader = reader

    def __iter__(self) -> Iterator[tuple[str, Body]]:
        for doc_id, _, raw in self._engine.items(self._reader.table):
            body = self._reader.read(doc_id, raw)
            if body is not None:
                yield doc_id, body


class Changes(MutableMapping[str, Body]):
    """A table under change: reads through to the rows, remembers what differs, and writes only that."""

    def __init__(self, engine: Engine, reader: DocumentReader) -> None:
        self._engine = engine
        self._reader = reader
        self._table = reader.table
        self._indexes = reader.indexes
        self._stored: dict[str, tuple[int, bytes] | None] = {}
        self._bodies: dict[str, Body] = {}
        self._removed: dict[str, None] = {}
        self._cleared = False

    def __getitem__(self, doc_id: str) -> Body:
        if doc_id not in self._bodies:
            row = None if doc_id in self._removed else self._row(doc_id)
            body = None if row is None else self._reader.read(doc_id, row[1])
            if body is None:
                raise KeyError(doc_id)
            self._bodies[doc_id] = body
        return self._bodies[doc_id]

    def __contains__(self, doc_id: object) -> bool:
        if not isinstance(doc_id, str):
            return False
        try:
            self[doc_id]
        except KeyError:
            return False
        return True

    def __setitem__(self, doc_id: str, body: Body) -> None:
        self._removed.pop(doc_id, None)
        self._bodies[doc_id] = body

    def __delitem__(self, doc_id: str) -> None:
        if not self.discard(doc_id):
            raise KeyError(doc_id)

    def discard(self, doc_id: str) -> bool:
        """Remove a document, also a damaged one; False when there is none."""
        if doc_id in self._removed or (doc_id not in self._bodies and self._row(doc_id) is None):
            return False
        self._bodies.pop(doc_id, None)
        self._removed[doc_id] = None
        return True

    def __iter__(self) -> Iterator[str]:
        rows = () if self._cleared else self._engine.items(self._table)
        row_ids = [doc_id for doc_id, _, _ in rows if doc_id not in self._removed]
        in_rows = set(row_ids)
        return iter(row_ids + [doc_id for doc_id in self._bodies if doc_id not in in_rows])

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
            self._remove_entries(doc_id, row)
            self._engine.delete(self._table, row[0])
            self._reader.damage.clear(self._table, doc_id)

    def _put(self, doc_id: str, body: Body) -> None:
        row, packed = self._row(doc_id), pack(body)
        if row is None:
            self._add_entries(self._engine.insert(self._table, doc_id, packed), self._places(body))
        elif packed != row[1]:
            self._engine.replace(self._table, row[0], packed)
            self._reindex(doc_id, row, body)

    def _reindex(self, doc_id: str, row: tuple[int, bytes], body: Body) -> None:
        before = self._reader.read(doc_id, row[1]) if self._indexes else {}
        after = self._places(body)
        if before is None:
            self._remove_entries(doc_id, row)
            self._add_entries(row[0], after)
            self._reader.damage.clear(self._table, doc_id)
            return
        old = self._places(before) if before else set()
        for index, place in old - after:
            self._engine.remove_entry(self._table, index, place, row[0])
        self._add_entries(row[0], after - old)

    def _remove_entries(self, doc_id: str, row: tuple[int, bytes]) -> None:
        body = self._reader.read(doc_id, row[1]) if self._indexes else {}
        if body is None:
            # it does not tell its places any more
            for index in self._indexes:
                self._engine.remove_entries(self._table, index, row[0])
            return
        for index, place in self._places(body) if body else ():
            self._engine.remove_entry(self._table, index, place, row[0])

    def _add_entries(self, position: int, places: Iterable[tuple[str, str]]) -> None:
        for index, place in places:
            self._engine.add_entry(self._table, index, place, position)

    def _places(self, body: Body) -> set[tuple[str, str]]:
        """Return index and place of each entry of a document."""
        return {(index, place) for index, places in self._indexes.items() for place in places(body)}
