"""Traces that nobody answered go after the days that the settings name: at each start, then once a day."""

import asyncio
import logging

from bot.config import Settings
from bot.runtime.clock import now_ms
from storage.database import Database

log = logging.getLogger(__name__)

A_DAY_SECONDS = 24 * 3600
A_BATCH = 200
"""Traces erased in one transaction, so that nobody waits long for the store."""


class Retention:
    """Erases what is older than `[storage] keep_days` and was never answered."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._days = settings.storage.keep_days
        self._database = database

    async def run(self) -> None:
        """Erase once a day until cancelled; return at once if nothing is ever to be erased. Raises `StorageError`."""
        while self._days is not None:
            await self.round(self._days)
            await asyncio.sleep(A_DAY_SECONDS)

    async def round(self, days: int) -> int:
        """Erase what is older; how many traces. Raises `StorageError`."""
        now = now_ms()
        before = now - days * A_DAY_SECONDS * 1000
        erased = 0
        while count := await self._database.erase_stale(before, A_BATCH, now):
            erased += count
        if erased:
            await self._database.wipe()
            log.info("%d traces that nobody answered were older than %d days and are erased", erased, days)
        return erased
