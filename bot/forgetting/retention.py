"""Deletion of old traces that nobody answered: at each start, then once a day."""

import asyncio
import logging

from bot.config import Settings
from bot.runtime.clock import backoff_ms, now_ms
from memalign.errors import StorageError
from storage.database import Database

log = logging.getLogger(__name__)

SECONDS_PER_DAY = 24 * 3600
TRACES_PER_TRANSACTION = 200
"""Few enough that nobody waits long for the store."""


class Retention:
    """Deletes traces that are older than `[storage] keep_days` and were never answered."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._days = settings.storage.keep_days
        self._database = database
        self.trouble: dict[str, str] = {}
        """Old traces -> why they could not be deleted."""

    async def run(self) -> None:
        """Delete once a day until cancelled; return at once where traces are kept for good."""
        attempt = 0
        while self._days is not None:
            try:
                await self.round(self._days)
            except StorageError as error:
                attempt += 1
                self.trouble["old traces"] = str(error)
                log.warning("old traces are kept for now: %s", error)
                await asyncio.sleep(backoff_ms(attempt) / 1000)
            else:
                attempt = 0
                self.trouble.clear()
                await asyncio.sleep(SECONDS_PER_DAY)

    async def round(self, days: int) -> int:
        """Delete the traces that are older. Returns their number. Raises `StorageError`."""
        now = now_ms()
        before = now - days * SECONDS_PER_DAY * 1000
        deleted = 0
        while count := await self._database.forgetting.delete_expired(before, TRACES_PER_TRANSACTION, now):
            deleted += count
        if deleted:
            log.info("%d traces that nobody answered were older than %d days and are deleted", deleted, days)
        return deleted
