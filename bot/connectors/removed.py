"""Connectors that left the settings while something of what was forgotten here still stands in their tools."""

import asyncio

from bot.config import Settings
from bot.connectors.connection import store_key_of
from bot.runtime.health import HealthRegistry
from storage.database import Database

COMPONENT = "connectors"
LOOK_SECONDS = 60.0


class RemovedConnectors:
    """Tells of them as long as something waits; it is carried out once the connector is back."""

    def __init__(self, settings: Settings, database: Database, health: HealthRegistry) -> None:
        self._settings = settings
        self._database = database
        self._health = health

    async def run(self) -> None:
        """Remember what the connectors of the settings are called, and tell of those that left, until cancelled."""
        await note_connector_names(self._settings, self._database)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell of what waits now. Raises `StorageError`."""
        for name, sentence in await removed_connectors(self._settings, self._database):
            self._health.report(COMPONENT, name, sentence)


async def note_connector_names(settings: Settings, database: Database) -> None:
    """Remember what the connectors of the settings are called. Raises `StorageError`."""
    names = {store_key_of(each): each.name for each in settings.connectors}
    await database.connectors.note_names(names)


async def removed_connectors(settings: Settings, database: Database) -> list[tuple[str, str]]:
    """Return the names of connectors that left the settings too early, each with the reason and the remedy.

    Raises `StorageError`.
    """
    present = {store_key_of(each) for each in settings.connectors}
    waiting = await database.connectors.waiting_deletions()
    return [(name, _sentence(number)) for key, (name, number) in waiting.items() if key not in present]


def _sentence(number: int) -> str:
    wait = "1 assessment waits" if number == 1 else f"{number} assessments wait"
    return (
        f"it left the settings, and {wait} to be deleted there after something was forgotten; "
        "put its [[connectors]] table back until then"
    )
