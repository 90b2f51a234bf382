"""One table as TinyDB sees it: a mapping of ids to documents, read a row at a time, its indexes kept with it."""

import json
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, MutableMapping

from memalign.records import Json
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
    return body


class Rows(Mapping[str, Body]):
    """A table for reading. Every look fetches afresh: nobody shares a document."""

    def __init__(self, engine: Engine, table: str) -> None:
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
    def __init__(self, rows: Rows, engine: Engine, table: str) -> None:
        super().__init__(rows)
        self._engine = engine
        self._table = table

    def __iter__(self) -> Iterator[tuple[str, Body]]:
        for doc_id, _, raw in self._engine.items(self._table):
            yield doc_id, unpack(raw)


class Changes(MutableMapping[str, Body]):
    """A table under change: reads through to the rows, remembers what differs, and writes only that."""

    def __init__(self, engine: Engine, table: str, indexes: Mapping[str, Places]) -> None:
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
                self._engine.remove_entry(self._table, index, place, position)
            for place in new - old:
                self._engine.add_entry(self._table, index, place, position)
