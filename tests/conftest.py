"""Settings and fixtures of all tests."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.location import Location, PostgresUrl
from tests.postgres_server import PostgresServer, running_server
from tests.storage.records import places_of

# how long an example takes says something of the machine, not of what is tested
settings.register_profile("memalign", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("memalign")

FindBytes = Callable[[Sequence[bytes]], list[str]]
_names = (f"test_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the tests of this process; those that want one are skipped where there is none."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A place for a store, on each engine."""
    if request.param == "sqlite":
        return tmp_path / "data"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = next(_names)
    if "find_bytes" not in request.fixturenames:
        return server.location(schema=name)
    server.create_database(name)
    return server.location(name)


@pytest.fixture
def database_location(postgres_server: PostgresServer) -> PostgresUrl:
    """A place for a store in a database, for what several replicas need."""
    return postgres_server.location(schema=next(_names))


@pytest.fixture
def find_bytes(request: pytest.FixtureRequest, location: Location) -> FindBytes:
    """Look for bytes in all files of the store: those of the folder, or the table files of the database."""
    if isinstance(location, Path):
        return lambda needles: [f"{name}: {needle!r}" for name, needle in places_of(needles, location)]
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = location.name.rpartition("/")[2]
    return lambda needles: server.files_with(needles, database)
