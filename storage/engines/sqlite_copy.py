"""A SQLite file with all that a store of any engine holds: backups, and moves to a folder."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from memalign.errors import StorageError
from storage.engines.engine import Engine
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_errors import translate_errors
from storage.engines.sqlite_file import create_private, make_empty, partial_of, remove, settle, verify_pages
from storage.engines.store_copy import copy_rows, sums_of


def write_copy(source: Engine, file: Path, advance: Callable[[int], None] = lambda _: None) -> None:
    """Write a store as it is now to one file; whole or not at all.

    Args:
        source: the store, of any engine.
        file: takes the place of what is there.
        advance: is told how many further documents were copied.

    Raises:
        StorageError: the file cannot be written, or holds something else than the store.
    """
    partial = partial_of(file)
    with translate_errors(file):
        create_private(partial)
        try:
            with closing(sqlite3.connect(partial, isolation_level=None)) as connection, source.snapshot():
                make_empty(connection)
                _fill(source, SqliteEngine(connection), file, advance)
                verify_pages(connection, file)
            settle(partial, file)
        finally:
            remove(partial)


def _fill(source: Engine, target: SqliteEngine, file: Path, advance: Callable[[int], None]) -> None:
    with target.transaction():
        copy_rows(source, target, advance)
    if sums_of(source) != sums_of(target):
        raise StorageError(f"{file} came out different from the store, so it is not kept: check the disk.")
