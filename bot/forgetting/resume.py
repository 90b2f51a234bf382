"""Execution of requests to forget that an earlier run, or a replica that is gone, has stored and not finished."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.forgetting.scope import read_scope
from bot.forgetting.service import ForgetService
from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from storage.database import Database
from storage.records import ForgetRequest

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SECOND_LOOK_SECONDS = 1.5
"""Pause after which a replica that is gone is known to be gone."""
PATIENCE_SECONDS = 60.0
"""Time after which a request is executed whose own replica lives, and has not finished it: the store had failed."""


class UnfinishedForgetting:
    """Executes stored requests whose replica is gone, or does not finish them."""

    def __init__(
        self,
        database: Database,
        service: ForgetService,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._service = service
        self._clock = clock
        self._pause = pause
        self._first_seen: dict[tuple[str, str], float] = {}
        self._turn = asyncio.Lock()

    async def resume(self) -> None:
        """Execute what replicas that are gone had to forget. Nothing may be learned before. Raises `StorageError`."""
        async with self._turn:
            left = await self._left()
            if len(left) < len(await self._database.forgetting.requests()):
                await self._pause(SECOND_LOOK_SECONDS)
                left = await self._left()
            for request in left:
                log.info("forgetting a %s goes on where it stopped", request.kind)
                await self._service.execute(await read_scope(_target_of(request), self._database))

    async def run(self) -> None:
        """Execute, until cancelled, what nobody finishes. Raises `StorageError`."""
        while True:
            if await self._left():
                await self.resume()
            await self._pause(LOOK_SECONDS)

    async def _left(self) -> Sequence[ForgetRequest]:
        """Return the requests that nobody is about to execute."""
        requests, now = await self._database.forgetting.requests(), self._clock()
        places = [(request.kind, request.target) for request in requests]
        self._first_seen = {place: self._first_seen.get(place, now) for place in places}
        owners = {request.replica for request in requests if request.replica} - {self._database.replica.id}
        gone = {"", *await self._database.replica.dead(owners)}
        return [
            request
            for request, place in zip(requests, places, strict=True)
            if request.replica in gone or now - self._first_seen[place] >= PATIENCE_SECONDS
        ]


async def resume_forgetting(database: Database, service: ForgetService) -> None:
    """Execute all stored requests, where no other process works on the store. Raises `StorageError`."""
    for request in await database.forgetting.requests():
        log.info("forgetting a %s goes on where it stopped", request.kind)
        await service.execute(await read_scope(_target_of(request), database))


def _target_of(request: ForgetRequest) -> ForgetTarget:
    if request.kind == "trace":
        return TraceTarget(trace_id=request.target)
    return PersonTarget(person=request.target)
