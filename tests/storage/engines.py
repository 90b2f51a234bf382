"""The engines that tests of the store run on."""

from collections.abc import Callable
from pathlib import Path

from memalign.records import Json
from storage.engines import Engine, Location, open_engine, state_of
from storage.engines.postgres import PostgresEngine
from storage.engines.postgres_session import Session
from storage.engines.sqlite import SqliteEngine
from storage.engines.sqlite_file import connect_writer
from storage.location import PostgresUrl

Opener = Callable[[], Engine]
"""Opens one more connection to the test's store, as another process has one."""


def opener_of(location: Location) -> Opener:
    """Return what opens connections that take no lock of the store."""
    if state_of(location) in ("absent", "empty"):
        open_engine(location, read_only=False).close()
    if isinstance(location, Path):
        return lambda: SqliteEngine(connect_writer(location))
    return lambda: PostgresEngine(Session(location))


def storage_section(location: Location) -> dict[str, Json]:
    """Return the section of the settings that names a store."""
    if isinstance(location, Path):
        return {"path": str(location)}
    return {"url": url_of(location)}


def url_of(location: PostgresUrl) -> str:
    """Return the URL as a person writes it."""
    return f"{location.url}?schema={location.schema}"
