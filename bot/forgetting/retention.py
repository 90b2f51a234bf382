"""Deletion of old traces that nobody answered: at each start, then once a day."""

import asyncio
import logging
from collections.abc import Callable

from bot.config import Settings
from bot.runtime.clock import now_ms
from storage.database import Database

log = logging.getLogger(__name__)

SECONDS_PER_DAY = 24 * 3600
TRACES_PER_TRANSACTION = 200
"""Few enough that nobody waits long for the store."""


class Retention:
    """Deletes traces that are older than `[storage] keep_days` and were never answered."""

    def __init__(self, settings: Settings, database: Database, time_ms: Callable[[], int] = now_ms) -> None:
        """Take the clock that tells how old a trace is; one that is years ahead would delete everything."""
        self._time_ms = time_ms
        self._days = settings.storage.keep_days
        self._database = database

    async def run(self) -> None:
        """Delete once a day until cancelled; return at once if traces are kept for good. Raises `StorageError`."""
        while self._days is not None:
            await self.round(self._days)
            await asyncio.sleep(SECONDS_PER_DAY)

    async def round(self, days: int) -> int:
        """Delete the traces that are older. Returns their number. Raises `StorageError`."""
        now = self._time_ms()
        before = now - days * SECONDS_PER_DAY * 1000
        deleted = 0
        while count := await self._database.forgetting.delete_expired(before, TRACES_PER_TRANSACTION, now):
            deleted += count
        while await self._database.traces.delete_unsampled(before, TRACES_PER_TRANSACTION):
            pass
        if deleted:
            log.info("%d traces that nobody answered were older than %d days and are deleted", deleted, days)
        return deleted
