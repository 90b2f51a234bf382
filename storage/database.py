"""The store: one folder, opened by one process for writing, and by any number for reading."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from memalign.errors import StorageError
from storage import engines
from storage.audit import Audit
from storage.candidates import Candidates
from storage.connectors import Connectors
from storage.deliveries import DeliveryLog
from storage.digest_messages import DigestMessages
from storage.documents import Documents
from storage.engines import Location
from storage.feedback import FeedbackEvents
from storage.forgetting import Forgetting
from storage.guideline_requests import GuidelineRequests
from storage.guideline_uses import GuidelineUses
from storage.judge_names import JudgeRenamings
from storage.judge_renaming import StoredJudges
from storage.judge_settings import JudgeSettingsLog
from storage.judge_traffic import JudgeTraffic
from storage.label_jobs import LabelJobs
from storage.memories import Memories
from storage.memory_history import MemoryHistory
from storage.memory_undo import MemoryUndo
from storage.model_calls import ModelCalls
from storage.open_traces import OpenTraces
from storage.outbound_events import OutboundEvents
from storage.outbound_queue import OutboundQueue
from storage.outbox import Outbox
from storage.posts import PostQueue
from storage.preferences import Preferences
from storage.records import StoreState
from storage.reply_receipts import ReplyReceipts
from storage.repository import Store
from storage.rolled_back_cases import RolledBackCases
from storage.thread_statuses import ThreadStatuses
from storage.traces import Traces
from storage.upgrade import upgrade
from storage.verdicts import Verdicts

_LOG = logging.getLogger("memalign.storage")
VACUUM_SECONDS = 5.0
"""Default pause between two looks for a vacuum that is due."""
VACUUM_RETRY_SECONDS = 60.0
"""Pause after a vacuum that failed: each may rewrite the whole store."""


class Database:
    """The repositories over one store. Each of their methods is one transaction, on disk when it returns.

    Files are made readable for their owner only. Opening reads the first pages alone, whatever the size. What is
    deleted leaves no byte behind: the store vacuums by itself, at once or within a minute.
    """

    def __init__(self, store: Store) -> None:
        """Use `open`."""
        posts = PostQueue(store.documents)
        outbound = OutboundQueue(store.documents)
        self.store = store
        """The thread and the tables under the repositories, for measurements and tests."""
        self.audit = Audit(store)
        self.judge_names = JudgeRenamings(store)
        self.judges = StoredJudges(store, self.judge_names, self.audit)
        self.traffic = JudgeTraffic(store)
        self.traces = Traces(store, self.traffic)
        self.open_traces = OpenTraces(store, self.traces)
        self.guideline_uses = GuidelineUses(store)
        self.guideline_requests = GuidelineRequests(store)
        self.model_calls = ModelCalls(store)
        self.verdicts = Verdicts(store, self.traces, posts, self.guideline_uses, outbound)
        self.outbound_events = OutboundEvents(store, outbound)
        self.connectors = Connectors(store, self.traces, self.verdicts)
        self.label_jobs = LabelJobs(store, self.traces, self.verdicts)
        self.candidates = Candidates(store, self.traces, self.verdicts)
        self.replies = ReplyReceipts(store)
        self.feedback = FeedbackEvents(store, self.verdicts, posts, self.replies, outbound)
        self.thread_statuses = ThreadStatuses(store, self.traces, self.verdicts, self.feedback)
        self.digest_messages = DigestMessages(store, self.traces)
        self.memory_undo = MemoryUndo(store, self.traces, self.feedback)
        self.rolled_back_cases = RolledBackCases(store)
        self.memories = Memories(
            store,
            self.traces,
            self.feedback,
            self.thread_statuses,
            self.audit,
            self.judge_names,
            self.memory_undo,
            self.rolled_back_cases,
            outbound,
        )
        self.memory_history = MemoryHistory(store, self.memories, self.memory_undo)
        self.judge_settings = JudgeSettingsLog(store, self.judges, self.memories, posts)
        self.preferences = Preferences(store, posts, self.candidates)
        self.forgetting = Forgetting(
            store,
            traces=self.traces,
            verdicts=self.verdicts,
            feedback=self.feedback,
            replies=self.replies,
            posts=posts,
            memories=self.memories,
            undo=self.memory_undo,
            rolled_back=self.rolled_back_cases,
            guideline_requests=self.guideline_requests,
            statuses=self.thread_statuses,
            digests=self.digest_messages,
            preferences=self.preferences,
            outbound=outbound,
            audit=self.audit,
        )
        self.deliveries = DeliveryLog(store)
        self.outbox = Outbox(
            store,
            posts,
            self.verdicts,
            self.feedback,
            self.thread_statuses,
            self.digest_messages,
            self.forgetting,
        )
        self._vacuuming: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, location: Location, *, read_only: bool = False, vacuum_seconds: float = VACUUM_SECONDS
    ) -> Self:
        """Open a store, making it when there is none, and carrying it over when it is of an earlier version.

        Args:
            location: what the settings name under `[storage]`: a folder.
            read_only: take no lock, work while another process writes, and make nothing.
            vacuum_seconds: pause between two looks for a vacuum that is due, in seconds.

        Raises:
            StorageError: another process writes, the folder cannot be used, the store is damaged or newer.
        """
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        opening = partial(engines.open_engine, location, read_only=read_only)
        try:
            engine = await asyncio.get_running_loop().run_in_executor(executor, opening)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        database = cls(Store(executor, Documents(engine), location, read_only=read_only))
        try:
            await database.store.run(lambda _: upgrade(database.store.documents))
            if not read_only:
                await database.vacuum()
                database._vacuuming = asyncio.create_task(database._vacuum_when_due(vacuum_seconds))
        except BaseException:
            await database.close()
            raise
        return database

    @staticmethod
    def is_in_use(location: Location) -> bool:
        """Return whether a process has the store open for writing; makes nothing there. Raises `StorageError`."""
        return engines.is_in_use(location)

    @staticmethod
    def state(location: Location) -> StoreState:
        """Return what there is, without opening a store or making anything.

        Raises `StorageError` where no store could be made or written.
        """
        return engines.state_of(location)

    @staticmethod
    def size(location: Location) -> int:
        """Return the bytes of the store's files, unfinished ones included; 0 where there is no store."""
        return engines.size_of(location)

    @staticmethod
    def copy_size(file: Path) -> int:
        """Return the bytes of a copy that `backup` wrote, or has begun to write."""
        return engines.copy_size(file)

    @staticmethod
    def refuse_copy_inside(location: Location, file: Path) -> None:
        """Raise `StorageError` where a copy would lie in the store, from which what is forgotten must vanish."""
        engines.refuse_inside(location, file)

    async def close(self) -> None:
        """Give the store back; again: nothing happens. Raises `StorageError`."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._vacuuming is not None:
                self._vacuuming.cancel()
                await asyncio.wait([self._vacuuming])
        finally:
            await self.store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def vacuum(self) -> bool:
        """Remove the last bytes of what was deleted, if that is due; nobody has to call it.

        False while another process reads: it stays due, also over a restart. Raises `StorageError`.
        """
        return await self.store.run_vacuum()

    @property
    def file_problem(self) -> str | None:
        """The reason that the last write failed; None once one has succeeded since."""
        return self.store.file_problem

    @property
    def damaged_records(self) -> int:
        """The number of damaged records met so far, each of which was set aside."""
        return len(self.store.documents.damage)

    async def problems(self) -> list[str]:
        """Return a sentence for all that is wrong: the files, a vacuum that is due, damaged records met so far.

        Raises `StorageError`.
        """
        return await self.store.problems()

    async def backup(self, file: Path) -> None:
        """Write a copy of the store, as it is now, to a file, and read all that was copied.

        Raises `StorageError` when something is damaged. The copy is there nevertheless where that is a record; it
        is not where the pages of the file are damaged.
        """
        await self.store.run(lambda engine: engine.copy(file))
        await self.store.read(self.store.documents.read_all)
        if damaged := self.store.documents.damage.sentences():
            raise StorageError(
                f"{' '.join(damaged)} {file} was written with this damage: keep earlier copies."
            )

    async def _vacuum_when_due(self, seconds: float) -> None:
        clean = True
        while True:
            await asyncio.sleep(seconds if clean else max(seconds, VACUUM_RETRY_SECONDS))
            try:
                await self.store.probe()
                clean = await self.store.try_vacuum()
                if clean:
                    await self.store.release_pages()
            except Exception:  # a bug must not end the vacuuming for good
                _LOG.exception("The store could not be vacuumed")
                clean = False
