"""People's decisions on guidelines: on disk before the ack, carried out after it, also by the next run."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.commands import apology
from bot.blocks.guideline_answers import may_not_manage, outcome_message
from bot.config import Settings
from bot.guideline_decision import DecisionOutcome
from bot.learning.guideline_service import GuidelineService
from bot.learning.rollback_service import RollbackService
from bot.listeners.guideline_access import GuidelineAccess
from bot.listeners.responses import show_ephemeral
from bot.runtime.health import log_bug
from memalign.errors import InputError, StorageError, UnknownGuidelineError, UnknownVersionError
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_handling import form_mark
from memalign.records import Guideline
from storage.guideline_requests import GuidelineRequest, GuidelineRequests
from storage.replica import Replica

LOOK_SECONDS = 1.0
"""Pause between two looks for decisions that nobody carries out."""
ACCESS_SECONDS = 5.0
"""Pause before Slack is asked again who may decide, when it did not say."""


class GuidelineDecisions:
    """Stores decisions, and carries them out for those who may decide."""

    def __init__(
        self,
        settings: Settings,
        requests: GuidelineRequests,
        replica: Replica,
        memories: Mapping[str, JudgeMemory],
        service: GuidelineService,
        rollbacks: RollbackService,
        access: GuidelineAccess,
        client: AsyncWebClient,
    ) -> None:
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._requests = requests
        self._replica = replica
        self._memories = memories
        self._service = service
        self._rollbacks = rollbacks
        self._access = access
        self._client = client
        self._own: set[str] = set()
        """Requests that this run took, so that it does not take them for those of an earlier one."""

    async def keep(self, request: GuidelineRequest) -> None:
        """Store a decision, so that it outlives a crash. Raises `StorageError`."""
        self._own.add(request.request_id)
        await self._requests.put(replace(request, replica=self._replica.id))

    async def refusal(self, person: str, judge: str) -> str:
        """Return the sentence on why a person may not decide now; empty if they may."""
        allowed = await self._access.decide(person, judge)
        if allowed is None:
            return "Slack doesn't tell me right now who is in the channel; please try again in a minute."
        return "" if allowed else await self._may_not(judge)

    async def carry_out(self, request: GuidelineRequest) -> DecisionOutcome:
        """Carry out a stored decision, and return what came of it; a store that fails leaves it to the next run."""
        outcome = await self._outcome(request)
        self._own.discard(request.request_id)
        return outcome

    async def run(self) -> None:
        """Carry out, until cancelled, what a run or a replica that is gone has left. Raises `StorageError`."""
        while True:
            await self.resume()
            await asyncio.sleep(LOOK_SECONDS)

    async def resume(self) -> None:
        """Carry out what a run or a replica that is gone has stored, and tell its people. Raises `StorageError`."""
        for request in await self._left():
            outcome = await self._outcome(request)
            if channel := self._channels.get(request.judge):
                await show_ephemeral(self._client, channel, request.person, outcome_message(outcome))

    async def _left(self) -> list[GuidelineRequest]:
        """Return the stored decisions that nobody is about to carry out."""
        requests = [each for each in await self._requests.unfinished() if each.request_id not in self._own]
        others = {each.replica for each in requests} - {"", self._replica.id}
        living = others - await self._replica.dead(others) if others else set()
        return [each for each in requests if each.replica not in living]

    async def _outcome(self, request: GuidelineRequest) -> DecisionOutcome:
        try:
            if await self._is_allowed(request):
                outcome = await self._carried_out(request)
            else:
                outcome = _refused(request, await self._may_not(request.judge))
            await self._requests.finish(request.request_id)
        except StorageError as error:
            return _refused(request, str(error))
        return outcome

    async def _is_allowed(self, request: GuidelineRequest) -> bool:
        """Decide if the person may; a stored decision waits until Slack says so."""
        while True:
            allowed = await self._access.decide(request.person, request.judge)
            if allowed is not None:
                return allowed
            await asyncio.sleep(ACCESS_SECONDS)

    async def _may_not(self, judge: str) -> str:
        return may_not_manage(judge, await self._access.named())

    async def _carried_out(self, request: GuidelineRequest) -> DecisionOutcome:
        try:
            rule = await self._decide(request)
        except (InputError, UnknownGuidelineError, UnknownVersionError) as error:
            return _refused(request, str(error))
        except StorageError:
            raise
        except Exception:  # a bug must not be met again at each start
            return _refused(request, apology(log_bug("deciding on a guideline")).text)
        is_final = request.action == "undo" or rule is None
        return DecisionOutcome(
            judge=request.judge,
            action=request.action,
            rule=rule,
            version=request.version,
            reads_guidelines=self._memories[request.judge].definition.reads_guidelines,
            undo_mark="" if is_final or rule is None else form_mark(rule),
        )

    async def _decide(self, request: GuidelineRequest) -> Guideline | None:
        service, judge, rule_id, person = self._service, request.judge, request.guideline_id, request.person
        match request.action:
            case "add":
                # whoever may teach may approve
                return await service.add(judge, request.text, person, approved_by=person)
            case "edit":
                return await service.edit(judge, rule_id, request.text, person)
            case "retire":
                return await service.retire(judge, rule_id, person)
            case "restore":
                return await service.restore(judge, rule_id, person)
            case "pin":
                return await service.pin(judge, rule_id, person)
            case "unpin":
                return await service.unpin(judge, rule_id, person)
            case "approve":
                return await self._approve(judge, rule_id, person)
            case "undo":
                return await service.undo(judge, rule_id, person, mark=request.mark)
            case "rollback":
                await self._rollbacks.roll_back(judge, request.version, person, by=person)
                return None
        assert_never(request.action)

    async def _approve(self, judge: str, rule_id: str, person: str) -> Guideline:
        known = next((rule for rule in self._memories[judge].guidelines if rule.id == rule_id), None)
        if known is not None and known.approved_by and not (known.retired or known.doubtful):
            raise InputError("Somebody has approved this guideline already.")
        return await self._service.approve(judge, rule_id, person)


def _refused(request: GuidelineRequest, sentence: str) -> DecisionOutcome:
    return DecisionOutcome(judge=request.judge, action=request.action, refusal=sentence)
