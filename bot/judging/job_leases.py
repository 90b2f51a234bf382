"""Leases of jobs: what one replica judges no other does, and what a dead one had is done by the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress

from bot.runtime.clock import now_ms
from memalign.errors import StorageError
from storage.database import Database
from storage.records import Job

log = logging.getLogger(__name__)

LEASE_MS = 60_000
"""Length of a lease: a process that hangs for longer loses its jobs. Those of a dead one are free at once."""
RENEW_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""Pause between two looks for replicas that are gone."""

TraceAndJudge = tuple[str, str]


class JobLeases:
    """This replica's leases of jobs."""

    def __init__(self, database: Database, time_ms: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._time_ms = time_ms
        self._owner = database.replica.id

    async def take(self, limits: Mapping[str, int], most: int) -> list[Job]:
        """Lease jobs, the oldest first, as `Traces.take_jobs` does. Raises `StorageError`."""
        return await self._database.traces.take_jobs(
            self._time_ms(), limits, most, owner=self._owner, lease_ms=LEASE_MS
        )

    async def give_back(self) -> None:
        """Let others do at once what this replica has in hand; a store that fails lets the leases end by themselves."""
        with suppress(StorageError):
            await self._database.traces.end_leases([self._owner])

    async def take_over(self) -> bool:
        """Free the jobs of replicas that are gone; returns whether there were any. Raises `StorageError`."""
        others = await self._database.traces.lease_owners() - {self._owner}
        dead = await self._database.replica.dead(others) if others else set()
        freed = await self._database.traces.end_leases(dead) if dead else 0
        if freed:
            log.info("%d jobs of a replica that is gone are done by the others", freed)
        return freed > 0

    async def keep(
        self,
        in_hand: Callable[[], Collection[TraceAndJudge]],
        lose: Callable[[TraceAndJudge], None],
        wake: Callable[[], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Renew the leases, and look for replicas that are gone, until cancelled. Raises `StorageError`.

        Args:
            in_hand: returns the jobs that are being done.
            lose: is told of each of them that another replica may do by now.
            wake: is called when jobs are free again.
            pause: waits some seconds.
        """
        renewed_ms = self._time_ms()
        while True:
            await pause(LOOK_SECONDS)
            if await self.take_over():
                wake()
            if self._time_ms() - renewed_ms >= RENEW_SECONDS * 1000:
                renewed_ms = self._time_ms()
                await self._renew(in_hand(), lose)

    async def _renew(self, jobs: Collection[TraceAndJudge], lose: Callable[[TraceAndJudge], None]) -> None:
        if jobs := frozenset(jobs):
            held = await self._database.traces.renew_leases(self._owner, self._time_ms() + LEASE_MS)
            for job in jobs - held:
                lose(job)
