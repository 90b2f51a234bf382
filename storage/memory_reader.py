"""One version of a judge's memory for judging alone: nothing is written. Satisfies `memalign.ports.MemoryStore`."""

from collections.abc import Collection, Mapping

from memalign.errors import StorageError
from memalign.ports import MemoryChange, MemorySnapshot, Vector, VectorKey
from storage.memories import Memories


class MemoryReader:
    """Reads a version. A method raises `StorageError`, and `UnknownVersionError` where there is no such version."""

    def __init__(self, memories: Memories, number: int | None = None) -> None:
        """`number` is the version; None: the memory as it is now."""
        self._memories = memories
        self._number = number

    async def load(self, judge: str) -> MemorySnapshot:
        """Read the version."""
        if self._number is None:
            return await self._memories.load(judge)
        return await self._memories.load_version(judge, self._number)

    async def load_version(self, judge: str, number: int) -> MemorySnapshot:
        """Read another version."""
        return await self._memories.load_version(judge, number)

    async def save(self, judge: str, change: MemoryChange) -> int:
        """Refuse the change."""
        del change
        raise StorageError(f"The memory of {judge} was opened for reading only.")

    async def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        """Look up vectors; unknown ones are missing from the answer."""
        return await self._memories.vectors(keys)

    async def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep nothing: whoever writes the memory keeps the vectors."""

    async def drop_vectors(self, owners: Collection[str]) -> None:
        """Drop nothing."""
