"""Rows in an order, fetched page by page, each from behind the last row of the one before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg.rows import TupleRow

from storage.engines.engine import Order

_PAGE_LIMITS: Mapping[int, LiteralString] = {2: "2", 16: "16", 64: "64", 256: "256", 1024: "1024"}
"""Rows that are fetched at a time. The planner knows them: one that is not told how few are wanted reads all."""
_FIRST_PAGE, _LARGEST_PAGE = 64, 1024
"""Rows that are fetched at first, when more may be wanted, and at most."""
_KEY_ORDER: Mapping[Order, tuple[LiteralString, LiteralString]] = {
    "up": ("id", "ASC"),
    "down": ("id", "DESC"),
    "added": ("position", "ASC"),
    "newest": ("position", "DESC"),
}
_ENTRY_ORDER: Mapping[Order, tuple[LiteralString, LiteralString]] = {
    "up": ("place, position", "ASC"),
    "down": ("place, position", "DESC"),
    "added": ("position, place", "ASC"),
    "newest": ("position, place", "DESC"),
}


class Execute(Protocol):
    """Runs a statement; each {} in it is one of the tables."""

    def __call__(
        self, text: LiteralString, tables: tuple[str, ...], values: Sequence[Any] = ()
    ) -> psycopg.Cursor[TupleRow]:
        """Return the cursor of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedRows:
    """A statement without its order, whose last columns are those of the order, which no two rows share."""

    text: LiteralString
    by: LiteralString
    direction: LiteralString = "ASC"


ALL_ROWS = OrderedRows(text="SELECT id, body, position FROM {} WHERE true", by="position")
ALL_ENTRIES = OrderedRows(text="SELECT place, position FROM {} WHERE true", by="place, position")


def key_range(order: Order) -> OrderedRows:
    """Return keys and bodies of documents between two keys."""
    by, direction = _KEY_ORDER[order]
    text = f"SELECT id, body, {by} FROM {{}} WHERE id >= %b AND id < %b"  # noqa: S608 - our own words
    return OrderedRows(text=text, by=by, direction=direction)


def entry_range(order: Order) -> OrderedRows:
    """Return keys and bodies of the documents of index entries between two places; of index and table."""
    by, direction = _ENTRY_ORDER[order]
    source: LiteralString = "{} JOIN {} USING (position)"
    text = f"SELECT id, body, {by} FROM {source} WHERE place >= %b AND place < %b"  # noqa: S608 - likewise
    return OrderedRows(text=text, by=by, direction=direction)


def pages(
    execute: Execute,
    rows: OrderedRows,
    tables: tuple[str, ...],
    values: Sequence[Any] = (),
    *,
    wanted: int = -1,
) -> Iterator[TupleRow]:
    """Yield rows in their order.

    Args:
        execute: runs a statement.
        rows: the statement.
        tables: its tables.
        values: its values.
        wanted: how many rows the caller will read, or a few more; -1: perhaps all.
    """
    columns = rows.by.split(", ")
    # the driver sends numbers of any size, which the server is to compare as those of its columns
    marks = ", ".join("%b" if column in ("id", "place") else "%s::bigint" for column in columns)
    behind = f" AND ({rows.by}) {'>' if rows.direction == 'ASC' else '<'} ({marks})"
    order = f" ORDER BY {', '.join(f'{column} {rows.direction}' for column in columns)} LIMIT "
    size = _FIRST_PAGE if wanted < 0 else _page_above(wanted)
    page = execute(rows.text + order + _PAGE_LIMITS[size], tables, values).fetchall()
    while page:
        yield from page
        if len(page) < size:
            return
        size, last = _page_above(size), page[-1][-len(columns) :]
        page = execute(rows.text + behind + order + _PAGE_LIMITS[size], tables, (*values, *last)).fetchall()


def _page_above(rows: int) -> int:
    return next((limit for limit in _PAGE_LIMITS if limit > rows), _LARGEST_PAGE)
