"""Approval of guidelines that wait for it, by a person in Slack or at the terminal."""

import logging
from collections.abc import Callable, Mapping

from bot.runtime.activity_log import log_activity
from memalign.errors import UnknownGuidelineError
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline

log = logging.getLogger(__name__)


class GuidelineApproval:
    """Approves guidelines, and brings the threads up to date that tell of them."""

    def __init__(self, memories: Mapping[str, JudgeMemory], wake_threads: Callable[[], None]) -> None:
        self._memories = memories
        self._wake_threads = wake_threads

    async def approve(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Approve a guideline.

        Args:
            judge: the judge's name.
            guideline_id: the guideline's id.
            person: who approves it.

        Returns:
            The guideline as it is now; it may still need more people.

        Raises:
            UnknownGuidelineError: there is no such judge or guideline.
            StorageError: the store failed; nothing has changed then.
        """
        memory = self._memories.get(judge)
        if memory is None:
            raise UnknownGuidelineError(f'There is no judge "{judge}"; `memalign guidelines` lists them all.')
        rule = await memory.approve(guideline_id, person)
        log_activity(log, "guideline approved", judge=judge, guideline=rule.id, person=person)
        self._wake_threads()
        return rule
