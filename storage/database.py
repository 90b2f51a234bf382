"""The store: one folder, opened by one process for writing, and by any number for reading."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from memalign.errors import StorageError
from storage import engine
from storage.backup import copy
from storage.documents import Documents
from storage.erasure import Erasure
from storage.fact_shelf import FactShelf
from storage.failures import guarded
from storage.feedback import Feedback
from storage.feedback_shelf import FeedbackShelf
from storage.intents import Intents, IntentShelf, RedactionKind
from storage.journal import AuditShelf, DigestShelf, Journal
from storage.lock import lock
from storage.memories import Memories, MemoryShelf, VectorShelf
from storage.outbox import Outbox
from storage.post_shelf import PostShelf
from storage.records import AuditLine, StoredVerdict
from storage.traces import Traces, TraceShelf
from storage.verdict_shelf import VerdictShelf
from storage.verdicts import Verdicts
from storage.wiping import Wiping
from storage.worker import Worker

_LOG = logging.getLogger("memalign.storage")


class Database:
    """The repositories over one folder. Each of their methods is one transaction, on disk when it returns.

    Files are made readable for their owner only. Opening reads the first pages alone, whatever the size.
    """

    def __init__(self, worker: Worker, held: FileLock | None) -> None:
        documents = worker.documents
        traces, posts, verdicts = TraceShelf(documents), PostShelf(documents), VerdictShelf(documents)
        facts = FactShelf(documents, verdicts)
        feedback = FeedbackShelf(documents, verdicts, facts, posts)
        digests, audit = DigestShelf(documents, posts), AuditShelf(documents)
        vectors = VectorShelf(documents, traces)
        intents = IntentShelf(documents, audit)
        self._worker = worker
        self._held = held
        self._closed = False
        self._wiping = Wiping(documents)
        self._intents = intents
        self._erasure = Erasure(
            traces=traces,
            verdicts=verdicts,
            facts=facts,
            feedback=feedback,
            posts=posts,
            vectors=vectors,
            audit=audit,
            intents=intents,
        )
        self.traces = Traces(worker, traces)
        self.verdicts = Verdicts(worker, verdicts, facts, traces, posts)
        self.feedback = Feedback(worker, feedback, facts)
        self.outbox = Outbox(worker, posts, verdicts, facts, feedback, digests, intents)
        self.memories = Memories(worker, MemoryShelf(documents, traces), vectors)
        self.journal = Journal(worker, digests, audit)
        self.intents = Intents(worker, intents)

    @classmethod
    async def open(cls, path: Path, read_only: bool = False) -> Self:
        """Open the store in the folder, making it when there is none.

        `read_only` needs no lock, works while another process writes, and makes nothing. Raises
        `StorageError`: another process writes, the folder cannot be used, the store is damaged or newer.
        """
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        try:
            worker, held = await asyncio.get_running_loop().run_in_executor(
                executor, _open, executor, path, read_only
            )
        except BaseException:
            executor.shutdown(wait=False)
            raise
        database = cls(worker, held)
        if not read_only:
            try:
                await database.wipe()
            except BaseException:
                await database.close()
                raise
        return database

    async def close(self) -> None:
        """Give the folder back; again: nothing happens. Raises `StorageError`."""
        if not self._closed:
            self._closed = True
            await self._worker.stop(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def erase(self, trace_id: str, note: AuditLine | None) -> list[StoredVerdict]:
        """Erase a trace with its jobs, verdicts, cards, facts, posts and vectors; the verdicts there were.

        Only a hash of its id is kept, so that it is not taken in again. When this returns no byte of it is in
        any file, unless another process is reading just now: then it goes with the next `wipe`. Raises
        `StorageError`.
        """
        return await self.erase_all([trace_id], note)

    async def erase_all(
        self, trace_ids: Sequence[str], note: AuditLine | None, cover: RedactionKind = "forgotten"
    ) -> list[StoredVerdict]:
        """Erase several traces at the cost of one: the whole store is written anew, however few they are.

        What Slack shows of them is noted as to be covered, and the intents to forget them are finished.
        """
        gone = await self._worker.write(self._erase, trace_ids, note, cover)
        await self._try_wipe()
        return gone

    async def erase_person(self, person: str, now_ms: int) -> list[StoredVerdict]:
        """Erase a person's facts; the verdicts concerned, which count as changed now.

        What threads were told about them is noted as to be covered. What memories hold of the person's words
        goes when those verdicts are learned anew; call `finish` after. The intent's audit lines are written.
        """
        touched = await self._worker.write(self._erase_person, person, now_ms)
        await self._try_wipe()
        return touched

    async def erase_lessons(self, trace_ids: Collection[str], guideline_ids: Collection[str]) -> None:
        """Forget what these traces' threads were told, or will be, of guidelines that hold forgotten words.

        The messages are noted as to be covered; the last bytes go with what is erased next.
        """
        await self._worker.write(self._erase_lessons, trace_ids, guideline_ids)

    async def finish_person(self, person: str) -> None:
        """Note that nothing of the person is left in any memory either, and remove the last bytes."""
        await self._worker.write(self._finish_person, person)
        await self._try_wipe()

    async def purge(self) -> None:
        """Remove the last bytes of all that was ever deleted: something gone was written once more."""
        await self._worker.write(self._wiping.owe)
        await self._try_wipe()

    async def stale(self, before_ms: int, limit: int) -> list[str]:
        """Ids of traces received before then, without feedback and waiting for no judge, oldest first."""
        return await self._worker.read(self._erasure.stale, before_ms, limit)

    async def erase_stale(self, before_ms: int, limit: int, now_ms: int) -> int:
        """Erase some of the traces that `stale` would name; how many. Call `wipe` after the last ones."""
        return await self._worker.write(self._erase_stale, before_ms, limit, now_ms)

    async def wipe(self) -> bool:
        """Remove the last bytes of what was erased, if that is still due.

        False while another process reads: it stays due, also over a restart. Raises `StorageError`.
        """
        clean = await self._worker.alone(self._wiping.settle)
        if not clean:
            _LOG.warning("Another process is reading the store: erased bytes go with the next wipe.")
        return clean

    async def backup(self, file: Path) -> None:
        """Write a copy of the store, as it is now, to a file. Raises `StorageError`."""

        def copying() -> None:
            # what goes wrong here is about that file, not about the store
            with guarded(file):
                copy(self._worker.documents.store.connection, file)

        await self._worker.alone(copying)

    async def _try_wipe(self) -> None:
        try:
            await self.wipe()
        except StorageError as problem:
            # the erasure stands and its result must not be lost; the wipe is still due
            _LOG.error("Erased bytes are still in the files and go with the next wipe: %s", problem)

    def _erase(
        self, trace_ids: Sequence[str], note: AuditLine | None, cover: RedactionKind
    ) -> list[StoredVerdict]:
        self._wiping.owe()
        return self._erasure.traces(trace_ids, note, cover)

    def _erase_stale(self, before_ms: int, limit: int, now_ms: int) -> int:
        # in one transaction with the look: a trace that is answered in between stays
        stale = self._erasure.stale(before_ms, limit)
        if stale:
            note = AuditLine(at_ms=now_ms, what="expired", judge="", ids=tuple(stale))
            self._erase(stale, note, "expired")
        return len(stale)

    def _erase_lessons(self, trace_ids: Collection[str], guideline_ids: Collection[str]) -> None:
        self._wiping.owe()
        self._erasure.lessons(trace_ids, guideline_ids)

    def _finish_person(self, person: str) -> None:
        self._wiping.owe()
        self._intents.finish("person", person)

    def _erase_person(self, person: str, now_ms: int) -> list[StoredVerdict]:
        self._wiping.owe()
        return self._erasure.person(person, now_ms)

    def _close(self) -> None:
        try:
            self._worker.documents.close()
        finally:
            if self._held is not None:
                self._held.release()


def _open(executor: ThreadPoolExecutor, path: Path, read_only: bool) -> tuple[Worker, FileLock | None]:
    with guarded(path):
        if read_only:
            return Worker(executor, Documents(engine.connect_reader(path)), path, read_only), None
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock(path)
        try:
            return Worker(executor, Documents(engine.connect_writer(path)), path, read_only), held
        except BaseException:
            held.release()
            raise
