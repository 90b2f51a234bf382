"""Memories that other replicas change: read again as soon as a new version is known."""

import asyncio
from collections.abc import Callable, Mapping

from bot.runtime.wake_event import WakeEvent
from memalign.judge_memory import JudgeMemory
from storage.database import Database

LOOK_SECONDS = 1.0
"""Longest time between two looks for new versions."""


class MemoryRefresh:
    """Keeps this replica's memories up to date."""

    def __init__(
        self, database: Database, memories: Mapping[str, JudgeMemory], wake_learning: Callable[[], None]
    ) -> None:
        """`wake_learning` is called when a memory was read again: something of it may wait for its models."""
        self._database = database
        self._memories = memories
        self._wake_learning = wake_learning
        self._wake_event = WakeEvent()

    def wake(self) -> None:
        """Look for new versions now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Read new versions until cancelled. Raises `StorageError`."""
        while True:
            await self.refresh()
            await self._wake_event.wait(LOOK_SECONDS)

    async def refresh(self) -> None:
        """Read again what another replica has changed. Raises `StorageError`."""
        versions = await self._database.memories.versions(tuple(self._memories))
        read_anew = await asyncio.gather(
            *(self._memories[judge].refresh(version) for judge, version in versions.items())
        )
        if any(read_anew):
            self._wake_learning()
