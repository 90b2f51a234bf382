"""The versions of one judge's memory: going back to one of them."""

import asyncio

from memalign.errors import InputError, StaleMemoryError
from memalign.judge import Judge
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.memory.version_diff import diff_of
from memalign.ports import ChangeCause
from memalign.records import MemoryDiff
from memalign.value_types import label_text


class MemoryVersions:
    """Goes back to earlier versions. Asks no model and waits for no round of learning.

    Args:
        judge: The judge.
        memory: Its memory.
        lock: Held by whoever puts a new state in place.
    """

    def __init__(self, judge: Judge, memory: StoredState, lock: asyncio.Lock) -> None:
        self._judge = judge
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
            InputError: If its cases have labels that the judge does not take any more.
            StorageError: If the store cannot be read.
        """
        before = self._memory.current
        after = await self._rolled_back(number)
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
            InputError: If the memory holds just that already, or if cases of the version have labels that the judge
                does not take any more.
            StorageError: If the store fails; nothing has changed then.
        """
        cause = ChangeCause(kind="rollback", people=(person,), rollback_to=number)
        async with self._lock:
            while True:
                before = self._memory.current
                after = await self._rolled_back(number)
                difference = _differences(before, after)
                if difference.is_empty:
                    raise InputError(
                        f"The memory is just as it was in version {number}, so nothing was changed."
                    )
                try:
                    await self._memory.adopt(after, cause=cause)
                except StaleMemoryError:
                    await self._memory.load()
                else:
                    return difference

    async def _rolled_back(self, number: int) -> MemoryState:
        """Return the state that goes back to a version, unless its labels are those of another value type."""
        after = await self._memory.rolled_back(number)
        labels = (each.value for case in after.episodes.values() for each in (*case.opinions, *case.minority))
        unfit = [label for label in labels if not self._judge.value_type.accepts(label)]
        if unfit:
            raise InputError(
                f"Version {number} has cases with {label_text(unfit[0])}, which {self._judge.name} does not take now: "
                "put its former value type back, or choose another version."
            )
        return after


def _differences(before: MemoryState, after: MemoryState) -> MemoryDiff:
    return diff_of(
        guidelines_before=before.semantic.guidelines,
        guidelines_after=after.semantic.guidelines,
        episodes_before=before.episodes,
        episodes_after=after.episodes,
    )
