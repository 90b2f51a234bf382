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
from storage.documents import Document, Documents
from storage.engines import Engine, Location
from storage.errors import StoreFileError
from storage.queue import Queue
from storage.replica import ANNOUNCED_TABLES
from storage.vacuum import Vacuum

_LOG = logging.getLogger("memalign.storage")
_RELEASES_AT_A_TIME = 20
"""Steps at each look: 40 MB, while a forget waits for no more than that."""
_TRIES_BESIDE_READERS = 10
_READER_SECONDS = 0.05
"""Pause before the vacuum tries again beside a process that reads; most are short."""
_VACUUM_WAITS = (
    "Words that were forgotten or replaced are still in the store's files. "
    "They go within a minute, or once no other process reads the store."
)
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound="Repository")


class Store:
    """Runs functions on the documents, one after the other, each as one transaction."""

    def __init__(
        self, executor: ThreadPoolExecutor, documents: Documents, location: Location, *, read_only: bool
    ) -> None:
        self._executor = executor
        self._location = location
        self._read_only = read_only
        self.documents = documents
        """To be touched inside the functions only."""
        self.vacuum = Vacuum(documents)
        self._probes = documents.declare("maintenance")
        self.file_problem: str | None = None
        """The last failure of the files, until a write succeeds again."""
        self.sender = ""
        """The replica by whose id others are told of changes; empty where there are no others."""
        self._vacuuming = asyncio.Lock()

    @property
    def is_on_server(self) -> bool:
        """True if a database server has the store, and not files of this process alone."""
        return not isinstance(self._location, Path)

    async def read(self, work: Callable[[], T]) -> T:
        """Look things up, all in one state of the store. Raises `StorageError`."""

        def reading(engine: Engine) -> T:
            with engine.snapshot():
                return work()

        return await self.run(reading)

    async def write(self, work: Callable[[], T]) -> T:
        """Change things, all or nothing; on disk when this returns. Raises `StorageError`."""
        if self._read_only:
            raise StorageError(
                f"The store in {self._location} was opened for reading only: open it for writing to change it."
            )

        def writing(engine: Engine) -> T:
            changes = engine.changes
            engine.check_files()
            with engine.transaction():
                result = work()
                if self.sender:
                    engine.announce(self.sender, ANNOUNCED_TABLES)
            # whoever is told that it is written must find it there
            engine.check_files()
            if engine.changes != changes:
                self.file_problem = None
            return result

        return await self.run(writing)

    async def run(self, work: Callable[[Engine], T]) -> T:
        """Run something in the thread, outside of any transaction. Raises `StorageError`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._translated, work)

    async def probe(self) -> None:
        """Look whether the files are still there and, after a failure, whether they can be written again."""
        try:
            await self.run(lambda engine: engine.check_files())
            if self.file_problem is not None:
                await self.write(self._write_and_remove)
        except StorageError as problem:
            _LOG.error("%s", problem)

    def _write_and_remove(self) -> None:
        self._probes.insert(Document({}, "probe"))
        self._probes.remove(doc_ids=["probe"])

    async def run_vacuum(self) -> bool:
        """Remove the last bytes of what was deleted, if that is due; False while another process reads.

        It stays due then, also over a restart. It goes in steps, between which other work is done. Raises
        `StorageError`.
        """
        async with self._vacuuming:
            for _ in range(_TRIES_BESIDE_READERS):
                if await self._run_steps():
                    return True
                await asyncio.sleep(_READER_SECONDS)
        _LOG.warning("Another process is reading the store: deleted bytes go with the next vacuum.")
        return False

    async def _run_steps(self) -> bool:
        steps = await self.run(lambda _: self.vacuum.steps())
        while (step := await self.run(lambda _: next(steps, None))) is not None:
            if not step:
                return False
        return True

    async def try_vacuum(self) -> bool:
        """Vacuum as `run_vacuum` does; False also where the disk does not let it."""
        try:
            return await self.run_vacuum()
        except StorageError as problem:
            # what was deleted stays deleted and its result must not be lost; the vacuum is still due
            _LOG.error("Deleted bytes are still in the files and go with the next vacuum: %s", problem)
            return False

    async def release_pages(self) -> None:
        """Give free pages back to the disk, a few steps at a time. Raises `StorageError`."""
        async with self._vacuuming:  # pages must not move under a vacuum
            for _ in range(_RELEASES_AT_A_TIME):
                if not await self.run(lambda engine: engine.release_pages()):
                    return

    async def problems(self) -> list[str]:
        """Return a sentence for all that is wrong. Raises `StorageError`."""
        waits = await self.run(lambda _: self.vacuum.is_due) and not self._vacuuming.locked()
        damaged = self.documents.damage.sentences()
        return [*filter(None, [self.file_problem]), *([_VACUUM_WAITS] if waits else []), *damaged]

    async def close(self) -> None:
        """Close the files, then end the thread. Raises `StorageError`."""
        try:
            await self.run(lambda _: self.documents.close())
        finally:
            self._executor.shutdown(wait=False)

    def _translated(self, work: Callable[[Engine], T]) -> T:
        try:
            with self.documents.engine.translate_errors(self._location):
                return work(self.documents.engine)
        except StoreFileError as problem:
            self.file_problem = str(problem)
            raise


class Repository:
    """Methods on tables. Those to be awaited raise `StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def _release_due(self, queue: Queue, now_ms: int) -> None:
        """Put back into the order what has waited long enough; a look each second writes only where there is any."""
        if await self._store.read(lambda: queue.has_due(now_ms)):
            await self._store.write(lambda: queue.release(now_ms))


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
