"""Filling an empty store in PostgreSQL with all that another one holds, whole or not at all."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from memalign.errors import StorageError
from storage.engines.engine import Engine
from storage.engines.postgres_errors import translate_errors
from storage.engines.postgres_opening import open_engine
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_restore import open_backup
from storage.engines.store_copy import copy_rows, sums_of
from storage.location import PostgresUrl


def restore(file: Path, location: PostgresUrl) -> None:
    """Bring a backup back into a database. Raises `StorageError`; a store with data that is there stays."""
    with open_backup(file) as connection:
        fill(SqliteEngine(connection), location)


def fill(source: Engine, location: PostgresUrl, advance: Callable[[int], None] = lambda _: None) -> None:
    """Copy a store into an empty one by one transaction: one that is broken off leaves nothing.

    Args:
        source: the store that is read, of any engine.
        location: where to.
        advance: is told how many further documents were copied.

    Raises:
        StorageError: there is data already, or the database fails.
    """
    with (
        closing(open_engine(location, read_only=False)) as target,
        translate_errors(location),
        source.snapshot(),
        target.transaction(),
    ):
        _empty(target, location)
        copy_rows(source, target, advance)
        if sums_of(source) != sums_of(target):
            raise StorageError(f"What came to {location} differs from the store, so it is not kept.")


def _empty(target: Engine, location: PostgresUrl) -> None:
    for table in target.table_names():
        if target.count(table):
            raise StorageError(
                f"There is a store in {location} already: name an empty database, or another schema by ?schema=…."
            )
        target.drop_table(table)
