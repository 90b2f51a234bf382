"""Repositories run in one thread that touches the files, so that the event loop never waits for a disk.

A repository's method is written once, as an ordinary function on tables. `reads`, `writes` and `deletes` make it
one that callers await, as a transaction of its own. The undecorated ones are for use inside a transaction.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from memalign.errors import StorageError
from storage.documents import Documents
from storage.engines.sqlite import SqliteEngine
from storage.errors import translate_errors
from storage.vacuum import Vacuum

_LOG = logging.getLogger("memalign.storage")
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound="Repository")


class Store:
    """Runs functions on the documents, one after the other, each as one transaction."""

    def __init__(
        self, executor: ThreadPoolExecutor, documents: Documents, path: Path, *, read_only: bool
    ) -> None:
        self._executor = executor
        self._path = path
        self._read_only = read_only
        self.documents = documents
        """To be touched inside the functions only."""
        self.vacuum = Vacuum(documents)

    async def read(self, work: Callable[[], T]) -> T:
        """Look things up, all in one state of the store. Raises `StorageError`."""

        def reading(engine: SqliteEngine) -> T:
            with engine.snapshot():
                return work()

        return await self.run(reading)

    async def write(self, work: Callable[[], T]) -> T:
        """Change things, all or nothing; on disk when this returns. Raises `StorageError`."""
        if self._read_only:
            raise StorageError(
                f"The store in {self._path} was opened for reading only: open it for writing to change it."
            )

        def writing(engine: SqliteEngine) -> T:
            with engine.transaction():
                return work()

        return await self.run(writing)

    async def run(self, work: Callable[[SqliteEngine], T]) -> T:
        """Run something in the thread, outside of any transaction. Raises `StorageError`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._translated, work)

    async def run_vacuum(self) -> bool:
        """Remove the last bytes of what was deleted, if that is due; False while another process reads.

        It stays due then, also over a restart. Raises `StorageError`.
        """
        clean = await self.run(lambda _: self.vacuum.run_if_due())
        if not clean:
            _LOG.warning("Another process is reading the store: deleted bytes go with the next vacuum.")
        return clean

    async def try_vacuum(self) -> bool:
        """Vacuum as `run_vacuum` does; False also where the disk does not let it."""
        try:
            return await self.run_vacuum()
        except StorageError as problem:
            # what was deleted stays deleted and its result must not be lost; the vacuum is still due
            _LOG.error("Deleted bytes are still in the files and go with the next vacuum: %s", problem)
            return False

    async def close(self) -> None:
        """Close the files, then end the thread. Raises `StorageError`."""
        try:
            await self.run(lambda _: self.documents.close())
        finally:
            self._executor.shutdown(wait=False)

    def _translated(self, work: Callable[[SqliteEngine], T]) -> T:
        with translate_errors(self._path):
            return work(self.documents.engine)


class Repository:
    """Methods on tables. Those to be awaited raise `StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store


def reads(
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Make the method one to be awaited, which sees one state of the store."""

    @wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store.read(partial(method, self, *args, **kwargs))

    return run


def writes(
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Make the method one to be awaited, which is one transaction, on disk when it returns."""

    @wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store.write(partial(method, self, *args, **kwargs))

    return run


def deletes(
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[R, P], Coroutine[Any, Any, T]]:
    """Make the method one to be awaited, which is one transaction and leaves no byte of what it deletes.

    While another process reads, or the disk fails, the last bytes go with a later vacuum.
    """

    @wraps(method)
    async def run(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        def deleting() -> T:
            self._store.vacuum.note_due()
            return method(self, *args, **kwargs)

        result = await self._store.write(deleting)
        await self._store.try_vacuum()
        return result

    return run
