"""A server that is told of events, and a store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.bot.outbound.event_server import SECRET, EventServer


@pytest.fixture
async def server() -> AsyncIterator[EventServer]:
    """A server at work."""
    running = EventServer()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store."""
    async with await Database.open(tmp_path / "store") as database:
        yield database


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """The variable of the signing secret."""
    monkeypatch.setenv("EVENTS_SECRET", SECRET)
    return SECRET
