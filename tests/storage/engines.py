"""The engines that tests of the store run on."""

from collections.abc import Callable
from pathlib import Path

from storage.engines import Engine, Location, open_engine, state_of
from storage.engines.postgres import PostgresEngine
from storage.engines.postgres_session import Session
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_file import connect_writer

Opener = Callable[[], Engine]
"""Opens one more connection to the test's store, as another process has one."""


def opener_of(location: Location) -> Opener:
    """Return what opens connections that take no lock of the store."""
    if state_of(location) in ("absent", "empty"):
        open_engine(location, read_only=False).close()
    if isinstance(location, Path):
        return lambda: SqliteEngine(connect_writer(location))
    return lambda: PostgresEngine(Session(location))
