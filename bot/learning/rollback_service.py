"""Going back to an earlier version of a judge's memory, in Slack or at the terminal, with the note to its channel."""

import logging
from collections.abc import Callable, Mapping

from bot.runtime.activity_log import log_activity
from bot.runtime.clock import now_ms
from memalign.errors import InputError, SettingsError
from memalign.judge_memory import JudgeMemory
from memalign.records import MemoryDiff
from storage.database import Database
from storage.records import NoticeContent, Post

log = logging.getLogger(__name__)


class RollbackService:
    """Goes back to earlier versions, and brings threads up to date that tell of what changes.

    Every method raises `SettingsError` where there is no such judge, `UnknownVersionError` where its memory has no such
    version, and `StorageError` where the store failed; then nothing has changed.
    """

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        channels: Mapping[str, str],
        wake_threads: Callable[[], None],
        wake_posting: Callable[[], None],
    ) -> None:
        """Take the store, the judges' memories and channels by judge, and what tells of a change."""
        self._database = database
        self._memories = memories
        self._channels = channels
        self._wake_threads = wake_threads
        self._wake_posting = wake_posting

    async def version_before_last(self, judge: str) -> int:
        """Return the version that undoes the last change, with the trials that followed from it.

        Raises `InputError` where nothing was changed yet.
        """
        self._memory(judge)
        newest = await self._database.memory_history.newest_change(judge)
        if not newest:
            raise InputError(
                f"Nothing was changed in the memory of {judge} yet, so there is nothing to undo."
            )
        return newest - 1

    async def preview(self, judge: str, number: int) -> MemoryDiff:
        """Return what going back to a version would change."""
        return await self._memory(judge).versions.preview(number)

    async def roll_back(self, judge: str, number: int, person: str, *, by: str | None) -> MemoryDiff:
        """Go back to a version, and tell the judge's channel.

        Args:
            judge: the judge's name.
            number: the version.
            person: who goes back, for the log of versions.
            by: the same person's Slack id; None for somebody at the terminal.

        Raises:
            InputError: the memory holds just that already.
        """
        difference = await self._memory(judge).versions.roll_back(number, person)
        log_activity(log, "memory rolled back", judge=judge, version=number, person=person)
        self._wake_threads()
        if channel := self._channels.get(judge):
            content = NoticeContent(notice="rolled_back", judge=judge, person=by, version=number)
            post = Post(post_id=f"rolled_back:{judge}:{now_ms()}", channel=channel, content=content)
            await self._database.outbox.add(post)
            self._wake_posting()
        return difference

    def _memory(self, judge: str) -> JudgeMemory:
        memory = self._memories.get(judge)
        if memory is None:
            raise SettingsError(f'There is no judge "{judge}"; `memalign guidelines` lists them all.')
        return memory
