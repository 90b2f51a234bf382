"""Execution of requests to forget that an earlier run, or a replica that is gone, has stored and not finished."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.forgetting.scope import read_scope
from bot.forgetting.service import ForgetService
from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from storage.database import Database
from storage.records import ForgetRequest

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
"""Time after which a request is executed that whoever was asked has not finished. To do it twice does no harm."""


class UnfinishedForgetting:
    """Executes stored requests."""

    def __init__(
        self, database: Database, service: ForgetService, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._service = service
        self._clock = clock
        self._first_seen: dict[tuple[str, str], float] = {}
        self._turn = asyncio.Lock()

    async def resume(self) -> None:
        """Execute all stored requests. Nothing may be learned before. Raises `StorageError`."""
        async with self._turn:
            await resume_forgetting(self._database, self._service)

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Execute, until cancelled, what nobody finishes. Raises `StorageError`."""
        await self.resume()
        while True:
            await pause(LOOK_SECONDS)
            await self.resume_left()

    async def resume_left(self) -> None:
        """Execute the requests that have waited for long. Raises `StorageError`."""
        now, requests = self._clock(), await self._database.forgetting.requests()
        ids = [(request.kind, request.target) for request in requests]
        self._first_seen = {each: self._first_seen.get(each, now) for each in ids}
        if any(now - since >= PATIENCE_SECONDS for since in self._first_seen.values()):
            await self.resume()


async def resume_forgetting(database: Database, service: ForgetService) -> None:
    """Execute all stored requests. Raises `StorageError`."""
    for request in await database.forgetting.requests():
        log.info("forgetting a %s goes on where it stopped", request.kind)
        await service.execute(await read_scope(_target_of(request), database))


def _target_of(request: ForgetRequest) -> ForgetTarget:
    """Return what a stored request is to forget."""
    if request.kind == "trace":
        return TraceTarget(trace_id=request.target)
    return PersonTarget(person=request.target)
