"""Approval of guidelines that wait for it, by a person in Slack or at the terminal."""

import logging
from collections.abc import Mapping

from bot.learning.thread_replies import ThreadReplies
from bot.runtime.activity_log import log_activity
from bot.slack.errors import SlackUnavailableError
from memalign.errors import UnknownGuidelineError
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline
from storage.database import Database
from storage.verdicts import verdict_id_of

log = logging.getLogger(__name__)


class GuidelineApproval:
    """Approves guidelines, and brings the threads up to date that tell of them."""

    def __init__(
        self, database: Database, memories: Mapping[str, JudgeMemory], thread_replies: ThreadReplies
    ) -> None:
        self._database = database
        self._memories = memories
        self._thread_replies = thread_replies

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
        for trace_id in rule.source_trace_ids:
            await self._update_thread(verdict_id_of(judge, trace_id), memory)
        return rule

    async def _update_thread(self, verdict_id: str, memory: JudgeMemory) -> None:
        verdict = await self._database.verdicts.get(verdict_id)
        if verdict is None or verdict.message_ts is None:
            return
        try:
            await self._thread_replies.update_lessons(verdict, memory)
        except SlackUnavailableError as error:  # the guideline is in use all the same
            log.warning("the thread of %s still says that a guideline waits: %s", verdict_id, error)
