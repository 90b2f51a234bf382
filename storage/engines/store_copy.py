"""Copying a store from one engine into another, and comparing both."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storage.engines.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSum:
    """A table in numbers: two that hold the same have the same."""

    rows: int
    entries: int
    """Of all indexes."""
    digest: str
    """SHA-256 of all positions, keys, bodies and index entries, hexadecimal."""


def copy_rows(source: Engine, target: Engine, advance: Callable[[int], None] = lambda _: None) -> None:
    """Add all tables of a store to an empty one, in the caller's transactions.

    Args:
        source: is read.
        target: has no tables yet.
        advance: is told how many further documents were copied, some at a time.
    """
    for table in sorted(source.table_names()):
        indexes = sorted(source.indexes(table))
        target.create_table(table, indexes)
        target.add_raw_rows(table, _counted(source.raw_rows(table), advance))
        for index in indexes:
            target.add_raw_entries(table, index, source.raw_entries(table, index))
    target.set_version(source.version)


def sums_of(engine: Engine) -> dict[str, TableSum]:
    """Return each table in numbers."""
    return {table: _sum_of(engine, table) for table in sorted(engine.table_names())}


def _sum_of(engine: Engine, table: str) -> TableSum:
    digest, rows, entries = hashlib.sha256(), 0, 0
    for position, key, body in engine.raw_rows(table):
        rows += 1
        for part in (str(position).encode(), key, body):
            digest.update(b"%d:%s" % (len(part), part))
    for index in sorted(engine.indexes(table)):
        digest.update(index.encode())
        for place, position in engine.raw_entries(table, index):
            entries += 1
            digest.update(b"%d:%s%d;" % (len(place), place, position))
    return TableSum(rows=rows, entries=entries, digest=digest.hexdigest())


def _counted(
    rows: Iterator[tuple[int, bytes, bytes]], advance: Callable[[int], None]
) -> Iterator[tuple[int, bytes, bytes]]:
    number = 0
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _COUNTED_AT_A_TIME == 0:
            advance(_COUNTED_AT_A_TIME)
    advance(number % _COUNTED_AT_A_TIME)


_COUNTED_AT_A_TIME = 100
