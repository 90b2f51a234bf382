from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.engines import Location
from tests.storage.engines import Opener, opener_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_another(location: Location) -> Opener:
    return opener_of(location)


@pytest.fixture
async def db(location: Location) -> AsyncIterator[Database]:
    async with await Database.open(location) as database:
        yield database


@pytest.fixture
async def folder_db(folder: Path) -> AsyncIterator[Database]:
    """A store in a folder, for what SQLite's files alone have."""
    async with await Database.open(folder) as database:
        yield database
