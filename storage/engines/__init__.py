"""The engines under the documents: bytes on a disk, transactions and order.

SQLite in a folder, and PostgreSQL. This package is the seam: the rest of storage imports from here, and never a
module or a library of an engine. What the settings name under `[storage]` chooses: a path, or a URL. An engine
brings the methods of `Engine`, and answers what can be asked of a store that is not open.

`storage.traces.Traces.take_jobs` reads the head of an index inside a transaction: an engine that several processes
write to lets one write transaction run at a time, or locks the rows it reads there. Keys are text in order of code
points (NUL and lone surrogates included), bodies are bytes.
"""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType

from memalign.errors import StorageError
from storage.engines import sqlite_opening, sqlite_restore
from storage.engines.engine import SCHEMA_VERSION, Engine, Order
from storage.engines.sqlite_opening import copy_size
from storage.location import Location, PostgresUrl
from storage.records import StoreState
from storage.replica import LoneReplica, Replica

__all__ = [
    "SCHEMA_VERSION",
    "Engine",
    "Location",
    "Order",
    "copy_size",
    "fill",
    "hold",
    "is_in_use",
    "join_engine",
    "open_engine",
    "refuse_inside",
    "replica_of",
    "restore",
    "size_of",
    "state_of",
]
_DRIVER = "psycopg"


def open_engine(location: Location, *, read_only: bool) -> Engine:
    """Open a store, for reading or for the one process that writes. Raises `StorageError`."""
    if isinstance(location, PostgresUrl):
        engine: Engine = _postgres("opening").open_engine(location, read_only=read_only)
        return engine
    return sqlite_opening.open_engine(location, read_only=read_only)


def join_engine(location: Location) -> Engine:
    """Open a store for writing together with other replicas; in a folder, for the one process that writes.

    Raises `StorageError`.
    """
    if isinstance(location, PostgresUrl):
        engine: Engine = _postgres("opening").join_engine(location)
        return engine
    return sqlite_opening.open_engine(location, read_only=False)


def replica_of(location: Location) -> Replica:
    """Return this process as one of those that work on a store; in a folder it is the only one."""
    if isinstance(location, PostgresUrl):
        replica: Replica = _postgres("replica").PostgresReplica(location)
        return replica
    return LoneReplica()


def is_in_use(location: Location) -> bool:
    """Return whether a process has the store open for writing; makes nothing there. Raises `StorageError`."""
    if isinstance(location, PostgresUrl):
        return bool(_postgres("opening").is_in_use(location))
    return sqlite_opening.is_in_use(location)


def state_of(location: Location) -> StoreState:
    """Look at a place without opening a store in it, or making anything.

    Raises `StorageError` where no store could be made or written.
    """
    if isinstance(location, PostgresUrl):
        state: StoreState = _postgres("opening").state_of(location)
        return state
    return sqlite_opening.state_of(location)


def size_of(location: Location) -> int:
    """Return the bytes of a store's files or tables, unfinished ones included; 0 where there is none."""
    if isinstance(location, PostgresUrl):
        return int(_postgres("opening").size_of(location))
    return sqlite_opening.size_of(location)


def refuse_inside(location: Location, file: Path) -> None:
    """Raise `StorageError` where a copy would lie in the store's folder; none lies in a database."""
    if isinstance(location, Path):
        sqlite_opening.refuse_inside(location, file)


def restore(file: Path, location: Location) -> None:
    """Bring a backup back to where no store is yet. Raises `StorageError`; a store that is there stays."""
    if isinstance(location, PostgresUrl):
        _postgres("restore").restore(file, location)
    else:
        sqlite_restore.restore(file, location)


def fill(source: Engine, location: Location, advance: Callable[[int], None]) -> None:
    """Copy a store into an empty place, compare both, and keep it only whole. Raises `StorageError`.

    Args:
        source: the store that is read.
        location: where to.
        advance: is told how many further documents were copied.
    """
    if isinstance(location, PostgresUrl):
        _postgres("restore").fill(source, location, advance)
    else:
        sqlite_restore.fill(source, location, advance)


def hold(location: Location) -> AbstractContextManager[object]:
    """Keep every process from writing to a store that is there. Raises `StorageError`: one does."""
    if isinstance(location, PostgresUrl):
        held: AbstractContextManager[object] = _postgres("opening").hold(location)
        return held
    return sqlite_opening.hold(location)


def _postgres(part: str) -> ModuleType:
    """Return a module of the engine for PostgreSQL, whose driver only those have who use it."""
    try:
        return importlib.import_module(f"storage.engines.postgres_{part}")
    except ModuleNotFoundError as problem:
        if problem.name != _DRIVER:
            raise
        raise StorageError(
            "A store in PostgreSQL needs its driver: install it with `pip install 'memalign[postgres]'`."
        ) from problem
