"""One SQLite table as TinyDB sees a table: a mapping of ids to documents, fetched a row at a time."""

import json
import sqlite3
from collections.abc import ItemsView, Iterator, Mapping, MutableMapping

from memalign.records import Json

Body = dict[str, Json]
"""A document without its id."""


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(text: str) -> bytes:
    """UTF-8 that also takes half a surrogate pair, which JSON allows and traces bring."""
    return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """The text that `encode` was given."""
    return raw.decode("utf-8", "surrogatepass")


def pack(body: Mapping[str, Json]) -> bytes:
    """A document as it is stored: compact JSON."""
    return encode(_JSON.encode(body))


def unpack(raw: bytes) -> Body:
    """The document of stored bytes."""
    body: Body = json.loads(decode(raw))
    return body


class Statements:
    """The SQL for one table, its name quoted."""

    def __init__(self, name: str) -> None:
        quoted = '"' + name.replace('"', '""') + '"'
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {quoted} "
            "(position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL)"
        )
        self.drop = f"DROP TABLE IF EXISTS {quoted}"
        # the name is quoted above and every value is bound
        self.one = f"SELECT body FROM {quoted} WHERE id = ?"  # noqa: S608
        self.known = f"SELECT 1 FROM {quoted} WHERE id = ?"  # noqa: S608
        self.ids = f"SELECT id FROM {quoted} ORDER BY position"  # noqa: S608
        self.items = f"SELECT id, body FROM {quoted} ORDER BY position"  # noqa: S608
        self.count = f"SELECT COUNT(*) FROM {quoted}"  # noqa: S608
        self.span = f"SELECT id, body FROM {quoted} WHERE id >= ? AND id < ? ORDER BY "  # noqa: S608
        self.put = (
            f"INSERT INTO {quoted} (id, body) VALUES (?, ?) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
        )
        self.remove = f"DELETE FROM {quoted} WHERE id = ?"  # noqa: S608
        self.clear = f"DELETE FROM {quoted}"  # noqa: S608


class Rows(Mapping[str, Body]):
    """What is stored, for reading. Every look fetches afresh: nobody shares a document."""

    def __init__(self, connection: sqlite3.Connection, statements: Statements) -> None:
        self._connection = connection
        self._sql = statements

    def __getitem__(self, doc_id: str) -> Body:
        row = self._connection.execute(self._sql.one, (encode(doc_id),)).fetchone()
        if row is None:
            raise KeyError(doc_id)
        return unpack(row[0])

    def __contains__(self, doc_id: object) -> bool:
        if not isinstance(doc_id, str):
            return False
        return self._connection.execute(self._sql.known, (encode(doc_id),)).fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        return (decode(row[0]) for row in self._connection.execute(self._sql.ids))

    def __len__(self) -> int:
        count: int = self._connection.execute(self._sql.count).fetchone()[0]
        return count

    def items(self) -> ItemsView[str, Body]:
        """All ids with their documents, in order of adding, by one statement."""
        return _Items(self, self._connection, self._sql.items)


class _Items(ItemsView[str, Body]):
    def __init__(self, rows: Rows, connection: sqlite3.Connection, statement: str) -> None:
        super().__init__(rows)
        self._connection = connection
        self._statement = statement

    def __iter__(self) -> Iterator[tuple[str, Body]]:
        for doc_id, raw in self._connection.execute(self._statement):
            yield decode(doc_id), unpack(raw)


class Changes(MutableMapping[str, Body]):
    """A table under change: reads through to the rows, remembers what differs, and writes only that."""

    def __init__(self, connection: sqlite3.Connection, statements: Statements) -> None:
        self._connection = connection
        self._sql = statements
        self._rows = Rows(connection, statements)
        self._put: dict[str, Body] = {}
        self._gone: dict[str, None] = {}
        self._read: dict[str, tuple[bytes, Body]] = {}
        self._cleared = False

    def __getitem__(self, doc_id: str) -> Body:
        if doc_id in self._put:
            return self._put[doc_id]
        if self._cleared or doc_id in self._gone:
            raise KeyError(doc_id)
        if doc_id not in self._read:
            row = self._connection.execute(self._sql.one, (encode(doc_id),)).fetchone()
            if row is None:
                raise KeyError(doc_id)
            self._read[doc_id] = (row[0], unpack(row[0]))
        return self._read[doc_id][1]

    def __contains__(self, doc_id: object) -> bool:
        if doc_id in self._put:
            return True
        return not self._cleared and doc_id not in self._gone and doc_id in self._rows

    def __setitem__(self, doc_id: str, body: Body) -> None:
        self._read.pop(doc_id, None)
        self._put[doc_id] = body

    def __delitem__(self, doc_id: str) -> None:
        if doc_id not in self:
            raise KeyError(doc_id)
        self._put.pop(doc_id, None)
        self._read.pop(doc_id, None)
        self._gone[doc_id] = None

    def __iter__(self) -> Iterator[str]:
        stored = [] if self._cleared else [each for each in self._rows if each not in self._gone]
        known = set(stored)
        return iter(stored + [each for each in self._put if each not in known])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove every document."""
        self._cleared = True
        self._put.clear()
        self._gone.clear()
        self._read.clear()

    def write(self) -> None:
        """Carry the differences over into the rows, removals first."""
        put = [(encode(doc_id), pack(body)) for doc_id, body in (self._edited() | self._put).items()]
        if self._cleared:
            self._connection.execute(self._sql.clear)
        if self._gone:
            self._connection.executemany(self._sql.remove, [(encode(doc_id),) for doc_id in self._gone])
        if put:
            self._connection.executemany(self._sql.put, put)

    def _edited(self) -> dict[str, Body]:
        return {doc_id: body for doc_id, (raw, body) in self._read.items() if pack(body) != raw}
