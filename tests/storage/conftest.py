from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def db(folder: Path) -> AsyncIterator[Database]:
    async with await Database.open(folder) as database:
        yield database
