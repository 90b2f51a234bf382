"""The one thread that touches the files, so that the event loop never waits for a disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from memalign.errors import StorageError
from storage.documents import Documents
from storage.failures import guarded

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions on the documents, one after the other, each as one transaction."""

    def __init__(
        self, executor: ThreadPoolExecutor, documents: Documents, path: Path, read_only: bool
    ) -> None:
        self._executor = executor
        self._documents = documents
        self._path = path
        self._read_only = read_only

    @property
    def documents(self) -> Documents:
        """What the functions work on; to be touched inside them only."""
        return self._documents

    async def read(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look things up, all in one state of the store. Raises `StorageError`."""

        def reading() -> T:
            with self._documents.store.snapshot():
                return work(*args, **kwargs)

        return await self.alone(reading)

    async def write(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change things, all or nothing; on disk when this returns. Raises `StorageError`."""
        if self._read_only:
            raise StorageError(
                f"The store in {self._path} was opened for reading only: open it for writing to change it."
            )

        def writing() -> T:
            with self._documents.store.transaction():
                return work(*args, **kwargs)

        return await self.alone(writing)

    async def alone(self, work: Callable[[], T]) -> T:
        """Run something in the thread, outside of any transaction. Raises `StorageError`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._told, work)

    async def stop(self, work: Callable[[], T]) -> T:
        """Run the last thing, then end the thread."""
        try:
            return await self.alone(work)
        finally:
            self._executor.shutdown(wait=False)

    def _told(self, work: Callable[[], T]) -> T:
        with guarded(self._path):
            return work()
