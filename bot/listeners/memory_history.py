"""`/memalign history`, and the buttons that go back to an earlier version of what a judge has learned."""

from collections.abc import Awaitable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.commands import no_judges
from bot.blocks.guideline_answers import outcome_message
from bot.blocks.memory_history import (
    CONFIRM_GO_BACK,
    GO_BACK,
    SHOW_HISTORY,
    STAY,
    history_message,
    nothing_to_go_back,
    rollback_preview,
    stayed,
)
from bot.blocks.pausing import which_judge
from bot.blocks.primitives import SlackMessage, plain_message
from bot.blocks.worsening import GO_BACK_TO_MONDAY, answered_warning
from bot.config import JudgeSettings
from bot.judge_names import JudgeNames
from bot.learning.rollback_service import RollbackService
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.guideline_access import GuidelineAccess
from bot.listeners.guideline_decisions import GuidelineDecisions
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.own_values import load_json
from bot.listeners.responses import or_error_message, replace_original, respond_ephemeral, update_message
from bot.reports.memory_history_reader import MemoryHistoryReader
from bot.slack.payload import MalformedPayloadError
from storage.guideline_requests import GuidelineRequest


class MemoryHistoryPages:
    """Shows versions to the members of a judge's channel, and goes back for those who may manage guidelines."""

    def __init__(
        self,
        reader: MemoryHistoryReader,
        rollbacks: RollbackService,
        decisions: GuidelineDecisions,
        names: JudgeNames,
        judges: JudgeAccess,
        access: GuidelineAccess,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._client = client
        self._reader = reader
        self._rollbacks = rollbacks
        self._decisions = decisions
        self._names = names
        self._judges = judges
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners of the buttons."""
        app.action(SHOW_HISTORY)(self.show)
        app.action(GO_BACK)(self.preview)
        app.action(CONFIRM_GO_BACK)(self.go_back)
        app.action(STAY)(self.stay)
        app.action(GO_BACK_TO_MONDAY)(self.go_back_to_monday)

    async def command(self, person: str, channel: str, name: str) -> list[SlackMessage]:
        """Answer `/memalign history`, `name` being the judge that is named, if any."""
        judges = await self._judges.judges_named(name, person)
        here = [judge for judge in judges if judge.channel == channel]
        meant = here if len(here) == 1 else judges
        if not meant:
            return [no_judges()]
        if len(meant) > 1:
            return [which_judge([judge.title for judge in here or judges])]
        return await self._history(person, meant[0])

    async def show(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show the versions of the judge of a button."""
        person, judge = _person(body), _value(body)
        await ack()
        self._after_ack.run(self._answer(respond, self._named_history(person, judge)))

    async def preview(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show what going back to the version of a button would change."""
        person, (judge, version) = _person(body), read_version(_value(body), self._names)
        await ack()
        self._after_ack.run(self._replace(respond, self._preview(person, judge, version)))

    async def go_back(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Go back to the version of a button; stored before the ack."""
        request = await self._keep_request(body)
        await ack()
        self._after_ack.run(self._replace(respond, self._carry_out(request)))

    async def go_back_to_monday(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Go back to the version of a warning's button; stored before the ack."""
        request = await self._keep_request(body)
        await ack()
        self._after_ack.run(self._answer_warning(request, body, respond))

    async def _keep_request(self, body: Body) -> GuidelineRequest:
        judge, version = read_version(_value(body), self._names)
        action = body["actions"][0]
        request = GuidelineRequest(
            request_id=f"{action.get('action_ts')}:{_person(body)}:{CONFIRM_GO_BACK}:{judge}:{version}",
            action="rollback",
            person=_person(body),
            judge=judge,
            version=version,
        )
        await self._decisions.keep(request)
        return request

    async def _answer_warning(self, request: GuidelineRequest, body: Body, respond: AsyncRespond) -> None:
        """Go back, and take the buttons off the warning; the person alone is told what came of it."""
        outcome = await self._decisions.carry_out(request)
        await respond_ephemeral(respond, [outcome_message(outcome)])
        message, channel = body.get("message") or {}, (body.get("channel") or {}).get("id")
        if not outcome.refusal and channel:
            answered = answered_warning(message.get("blocks") or ())
            await update_message(self._client, str(channel), str(message.get("ts")), answered)

    async def stay(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        """Put the preview away."""
        await ack()
        self._after_ack.run(replace_original(respond, stayed()))

    async def _named_history(self, person: str, name: str) -> list[SlackMessage]:
        [judge] = await self._judges.judges_named(name, person)
        return await self._history(person, judge)

    async def _history(self, person: str, judge: JudgeSettings) -> list[SlackMessage]:
        may_go_back = await self._access.allows(person, judge.name)
        return [history_message(await self._reader.page(judge.name, may_go_back=may_go_back))]

    async def _preview(self, person: str, name: str, version: int) -> list[SlackMessage]:
        [judge] = await self._judges.judges_named(name, person)
        if refusal := await self._decisions.refusal(person, judge.name):
            return [plain_message(refusal)]
        difference = await self._rollbacks.preview(judge.name, version)
        if difference.is_empty:
            return [nothing_to_go_back(judge.title, version)]
        return [rollback_preview(judge.name, judge.title, version, difference)]

    async def _carry_out(self, request: GuidelineRequest) -> list[SlackMessage]:
        return [outcome_message(await self._decisions.carry_out(request))]

    async def _answer(self, respond: AsyncRespond, work: Awaitable[list[SlackMessage]]) -> None:
        await respond_ephemeral(respond, await or_error_message(work, "showing versions"))

    async def _replace(self, respond: AsyncRespond, work: Awaitable[list[SlackMessage]]) -> None:
        for message in await or_error_message(work, "going back to a version"):
            await replace_original(respond, message)


def _person(body: Body) -> str:
    return str(body["user"]["id"])


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value"))


def read_version(value: str, names: JudgeNames) -> tuple[str, int]:
    """Read the judge and the version that a button carries. Raises `MalformedPayloadError`."""
    match load_json(value):
        case [str(judge), int(version)]:
            return names.current(judge), version
    raise MalformedPayloadError("The value of the button names no version.")
