"""Who did what, when, to which ids: lines for the digest and the privacy officer; never the words themselves."""

from collections.abc import Iterable

from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from storage.journal import Journal
from storage.records import AuditAction, AuditLine


class GuidelineWatch:
    """Notes which guidelines came and went between its making and `note`."""

    def __init__(self, journal: Journal, memory: JudgeMemory) -> None:
        self._journal = journal
        self._memory = memory
        self._before = self._ids()

    async def note(self) -> None:
        """Write the difference down."""
        now = self._ids()
        await self._line("guideline_learned", now - self._before)
        await self._line("guideline_retired", self._before - now)
        self._before = now

    async def _line(self, what: AuditAction, ids: Iterable[str]) -> None:
        if sorted_ids := tuple(sorted(ids)):
            judge = self._memory.definition.name
            await self._journal.note(AuditLine(at_ms=now_ms(), what=what, judge=judge, ids=sorted_ids))

    def _ids(self) -> set[str]:
        return {rule.id for rule in self._memory.guidelines}
