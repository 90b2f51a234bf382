"""The versions of one judge's memory: going back to one of them."""

import asyncio

from memalign.errors import InputError, StaleMemoryError
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.memory.version_diff import diff_of
from memalign.ports import ChangeCause
from memalign.records import MemoryDiff


class MemoryVersions:
    """Goes back to earlier versions. Asks no model and waits for no round of learning.

    Args:
        memory: The judge's memory.
        lock: Held by whoever puts a new state in place.
    """

    def __init__(self, memory: StoredState, lock: asyncio.Lock) -> None:
        self._memory = memory
        self._lock = lock

    async def preview(self, number: int) -> MemoryDiff:
        """Show what going back to a version would change; nothing is changed.

        Args:
            number: The version, from 0.

        Returns:
            The differences, without what was forgotten since that version.

        Raises:
            UnknownVersionError: If there is no such version.
            StorageError: If the store cannot be read.
        """
        before = self._memory.current
        after = await self._memory.rolled_back(number)
        return _differences(before, after)

    async def roll_back(self, number: int, person: str) -> MemoryDiff:
        """Go back to a version, which makes a new one.

        Nothing comes back that was forgotten since. What people's feedback had changed since stays out of the memory
        until they change their feedback; the feedback itself stays as it is.

        Args:
            number: The version, from 0.
            person: The person who goes back.

        Returns:
            What changed.

        Raises:
            UnknownVersionError: If there is no such version.
            InputError: If the memory holds just that already.
            StorageError: If the store fails; nothing has changed then.
        """
        cause = ChangeCause(kind="rollback", people=(person,), rollback_to=number)
        async with self._lock:
            while True:
                before = self._memory.current
                after = await self._memory.rolled_back(number)
                difference = _differences(before, after)
                if difference.is_empty:
                    raise InputError(
                        f"The memory holds what it held in version {number}; nothing was changed."
                    )
                try:
                    await self._memory.adopt(after, cause=cause)
                except StaleMemoryError:
                    await self._memory.load()
                else:
                    return difference


def _differences(before: MemoryState, after: MemoryState) -> MemoryDiff:
    return diff_of(
        guidelines_before=before.semantic.guidelines,
        guidelines_after=after.semantic.guidelines,
        episodes_before=before.episodes,
        episodes_after=after.episodes,
    )
