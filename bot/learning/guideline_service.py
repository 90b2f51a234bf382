"""People's decisions on guidelines, in Slack or at the terminal, with the threads that tell of them."""

import logging
from collections.abc import Mapping

from bot.learning.thread_replies import ThreadReplies
from bot.runtime.activity_log import log_activity
from bot.slack.errors import SlackUnavailableError
from memalign.errors import UnknownGuidelineError
from memalign.guideline_editor import GuidelineEditor
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_merge import opinions_of
from memalign.records import Guideline
from storage.database import Database
from storage.verdicts import verdict_id_of

log = logging.getLogger(__name__)


class GuidelineService:
    """Changes guidelines as people decide, and brings the threads up to date that tell of them.

    Every method raises `UnknownGuidelineError` where there is no such judge or guideline, `InputError` where the
    decision cannot be carried out, and `StorageError` where the store failed; then nothing has changed.
    """

    def __init__(
        self, database: Database, memories: Mapping[str, JudgeMemory], thread_replies: ThreadReplies
    ) -> None:
        self._database = database
        self._memories = memories
        self._thread_replies = thread_replies

    async def add(self, judge: str, text: str, person: str, *, approved_by: str = "") -> Guideline:
        """Add a rule in a person's words; `approved_by` names who approves it at once."""
        rule = await self._editor(judge).add(text, person, approved_by=approved_by)
        log_activity(log, "guideline added", judge=judge, guideline=rule.id, person=person)
        return rule

    async def edit(self, judge: str, guideline_id: str, text: str, person: str) -> Guideline:
        """Put a guideline into a person's words."""
        rule = await self._editor(judge).edit(guideline_id, text, person)
        return await self._told("guideline edited", judge, rule, person)

    async def retire(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Take a guideline out of use, until somebody restores it."""
        rule = await self._editor(judge).retire(guideline_id, person)
        return await self._told("guideline retired", judge, rule, person)

    async def restore(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Take a retired guideline back into use."""
        rule = await self._editor(judge).restore(guideline_id, person)
        return await self._told("guideline restored", judge, rule, person)

    async def pin(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Pin a guideline: it comes first, and is never left out for room."""
        rule = await self._editor(judge).pin(guideline_id, person)
        return await self._told("guideline pinned", judge, rule, person)

    async def unpin(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Unpin a guideline."""
        rule = await self._editor(judge).unpin(guideline_id, person)
        return await self._told("guideline unpinned", judge, rule, person)

    async def approve(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Approve a guideline; it may still need more people."""
        rule = await self._editor(judge).approve(guideline_id, person)
        return await self._told("guideline approved", judge, rule, person)

    async def undo(self, judge: str, guideline_id: str, person: str) -> Guideline | None:
        """Undo the last decision on a guideline; None where that was to add it."""
        rule = await self._editor(judge).undo(guideline_id, person)
        if rule is not None:
            return await self._told("guideline decision undone", judge, rule, person)
        log_activity(log, "guideline addition undone", judge=judge, guideline=guideline_id, person=person)
        return None

    def _editor(self, judge: str) -> GuidelineEditor:
        memory = self._memories.get(judge)
        if memory is None:
            raise UnknownGuidelineError(f'There is no judge "{judge}"; `memalign guidelines` lists them all.')
        return memory.editor

    async def _told(self, action: str, judge: str, rule: Guideline, person: str) -> Guideline:
        """Log the decision and bring the threads up to date; the guideline is as decided all the same."""
        log_activity(log, action, judge=judge, guideline=rule.id, person=person)
        for trace_id in dict.fromkeys(trace_id for trace_id, _ in opinions_of(rule)):
            await self._update_thread(verdict_id_of(judge, trace_id), self._memories[judge])
        return rule

    async def _update_thread(self, verdict_id: str, memory: JudgeMemory) -> None:
        verdict = await self._database.verdicts.get(verdict_id)
        if verdict is None or verdict.message_ts is None:
            return
        try:
            await self._thread_replies.update_lessons(verdict, memory)
        except SlackUnavailableError as error:
            log.warning("the thread of %s still shows a guideline as it was: %s", verdict_id, error)
