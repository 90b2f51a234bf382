"""Traces that nobody answered go after the days that the settings name: at each start, then once a day."""

import asyncio
import logging

from bot.config import Settings
from bot.runtime.clock import backoff_ms, now_ms
from memalign.errors import StorageError
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
        self.trouble: dict[str, str] = {}
        """What could not be erased, and why."""

    async def run(self) -> None:
        """Erase once a day until cancelled; return at once where nothing is ever to be erased."""
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
                await asyncio.sleep(A_DAY_SECONDS)

    async def round(self, days: int) -> int:
        """Erase what is older; how many traces. Raises `StorageError`."""
        now = now_ms()
        before = now - days * A_DAY_SECONDS * 1000
        erased = 0
        while count := await self._database.forgetting.delete_expired(before, A_BATCH, now):
            erased += count
        if erased:
            log.info("%d traces that nobody answered were older than %d days and are erased", erased, days)
        return erased
