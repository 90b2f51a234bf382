"""People's decisions on guidelines, in Slack or at the terminal, with the threads that tell of them."""

import logging
from collections.abc import Callable, Mapping

from bot.runtime.activity_log import log_activity
from memalign.errors import UnknownGuidelineError
from memalign.guideline_editor import GuidelineEditor
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline

log = logging.getLogger(__name__)

MAX_MATCHES_SHOWN = 3
"""Ids that a sentence names where several begin as somebody wrote."""


class GuidelineService:
    """Changes guidelines as people decide, and brings the threads up to date that tell of them.

    Every method raises `UnknownGuidelineError` where there is no such judge or guideline, `InputError` where the
    decision cannot be carried out, and `StorageError` where the store failed; then nothing has changed.
    """

    def __init__(self, memories: Mapping[str, JudgeMemory], wake_threads: Callable[[], None]) -> None:
        self._memories = memories
        self._wake_threads = wake_threads

    async def add(self, judge: str, text: str, person: str, *, approved_by: str = "") -> Guideline:
        """Add a rule in a person's words; `approved_by` names who approves it at once."""
        rule = await self._editor(judge).add(text, person, approved_by=approved_by)
        log_activity(log, "guideline added", judge=judge, guideline=rule.id, person=person)
        return rule

    async def edit(self, judge: str, guideline_id: str, text: str, person: str) -> Guideline:
        """Put a guideline into a person's words."""
        rule = await self._editor(judge).edit(guideline_id, text, person)
        return self._told("guideline edited", judge, rule, person)

    async def retire(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Take a guideline out of use, until somebody restores it."""
        rule = await self._editor(judge).retire(guideline_id, person)
        return self._told("guideline retired", judge, rule, person)

    async def restore(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Take a retired guideline back into use."""
        rule = await self._editor(judge).restore(guideline_id, person)
        return self._told("guideline restored", judge, rule, person)

    async def pin(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Pin a guideline: it comes first, and is never left out for room."""
        rule = await self._editor(judge).pin(guideline_id, person)
        return self._told("guideline pinned", judge, rule, person)

    async def unpin(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Unpin a guideline."""
        rule = await self._editor(judge).unpin(guideline_id, person)
        return self._told("guideline unpinned", judge, rule, person)

    async def approve(self, judge: str, guideline_id: str, person: str) -> Guideline:
        """Approve a guideline; it may still need more people."""
        rule = await self._editor(judge).approve(guideline_id, person)
        return self._told("guideline approved", judge, rule, person)

    async def undo(self, judge: str, guideline_id: str, person: str, *, mark: str = "") -> Guideline | None:
        """Undo the last decision on a guideline, if its form has still this mark; None where that was to add it."""
        rule = await self._editor(judge).undo(guideline_id, person, mark=mark)
        if rule is not None:
            return self._told("guideline decision undone", judge, rule, person)
        log_activity(log, "guideline addition undone", judge=judge, guideline=guideline_id, person=person)
        self._wake_threads()
        return None

    def find(self, judge: str, beginning: str) -> Guideline:
        """Return the one guideline whose id begins so; `UnknownGuidelineError` where none or several do."""
        known = self._memory(judge).guidelines
        matches = [rule for rule in known if beginning and rule.id.startswith(beginning)]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise UnknownGuidelineError(
                f'The judge {judge} has no guideline whose id begins with "{beginning}"; '
                f"`memalign guidelines {judge}` shows the ids."
            )
        ids = ", ".join(rule.id for rule in matches[:MAX_MATCHES_SHOWN])
        more = ", …" if len(matches) > MAX_MATCHES_SHOWN else ""
        raise UnknownGuidelineError(
            f'{len(matches)} guidelines have ids that begin with "{beginning}" ({ids}{more}); write more of it.'
        )

    def _editor(self, judge: str) -> GuidelineEditor:
        return self._memory(judge).editor

    def _memory(self, judge: str) -> JudgeMemory:
        memory = self._memories.get(judge)
        if memory is None:
            raise UnknownGuidelineError(f'There is no judge "{judge}"; `memalign guidelines` lists them all.')
        return memory

    def _told(self, action: str, judge: str, rule: Guideline, person: str) -> Guideline:
        log_activity(log, action, judge=judge, guideline=rule.id, person=person)
        self._wake_threads()
        return rule
