"""Forgetting from Slack: `/memalign forget`, the message shortcut, and the buttons of the previews."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.forget import (
    FORGET_PERSON,
    FORGET_SHORTCUT,
    FORGET_TRACE,
    KEEP,
    nothing_forgotten,
    which_person,
    which_trace,
)
from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import not_a_card
from bot.forgetting.access import ForgetAccess
from bot.forgetting.scope import ForgetScope
from bot.forgetting.service import ForgetService
from bot.forgetting.trace_reference import spellings_from_slack
from bot.listeners.after_ack import AfterAck
from bot.listeners.forget_answers import ForgetAnswers
from bot.listeners.forget_command import ForgetCommand, person_of
from bot.listeners.responses import or_error_message, replace_original, respond_ephemeral
from memalign.errors import UnknownTraceError
from memalign.records import ForgetTarget, Json, PersonTarget, TraceTarget
from storage.database import Database

Body = dict[str, Json]


class ForgetListener:
    """Answers what people do to forget a trace or a person.

    A request is acknowledged once it is stored; executing it may take longer than an ack may wait.
    """

    def __init__(
        self,
        database: Database,
        service: ForgetService,
        access: ForgetAccess,
        answers: ForgetAnswers,
        after_ack: AfterAck,
    ) -> None:
        self._database = database
        self._service = service
        self._access = access
        self._answers = answers
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners of buttons and the shortcut."""
        app.shortcut(FORGET_SHORTCUT)(self.shortcut)
        app.action(FORGET_TRACE)(self.confirm_trace)
        app.action(FORGET_PERSON)(self.confirm_person)
        app.action(KEEP)(self.keep)

    async def command(self, ack: AsyncAck, person: str, text: str, respond: AsyncRespond) -> None:
        """Answer `/memalign forget`, `text` being what follows; with `--yes`, what is acked is going to happen."""
        is_confirmed = ForgetCommand.readings(text)[-1].is_confirmed
        requested = await self._request_command(person, text) if is_confirmed else None
        await ack()
        self._after_ack.run(self._answer_command(respond, person, text, requested))

    async def shortcut(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show what goes with the trace of the message that the shortcut was chosen on."""
        await ack()
        self._after_ack.run(self._answer_shortcut(respond, body))

    async def confirm_trace(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Forget the trace of a preview."""
        await self._confirm(ack, body, respond, TraceTarget(trace_id=str(body["actions"][0]["value"])))

    async def confirm_person(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Forget the person of a preview."""
        await self._confirm(ack, body, respond, PersonTarget(person=str(body["actions"][0]["value"])))

    async def keep(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        """Put the preview away."""
        await ack()
        self._after_ack.run(replace_original(respond, nothing_forgotten()))

    async def _confirm(self, ack: AsyncAck, body: Body, respond: AsyncRespond, target: ForgetTarget) -> None:
        person = str(body["user"]["id"])
        requested = await self._request(person, target)
        await ack()
        self._after_ack.run(self._answer_confirm(respond, person, target, requested))

    async def _request_command(self, person: str, text: str) -> ForgetScope | None:
        """Store the request of a confirmed command; None when there is to be an explanation instead."""
        command = await self._read(text)
        try:
            target = await self._target_of(person, command)
        except UnknownTraceError:
            return None
        return await self._request(person, target) if target and command.is_confirmed else None

    async def _request(self, person: str, target: ForgetTarget) -> ForgetScope | None:
        """Store a request; None for somebody who may not make it, or a trace that is not known."""
        try:
            scope = await self._service.find(target)
        except UnknownTraceError:
            return None
        if not await self._access.allows(person, scope):
            return None
        await self._service.request(scope, person)
        return scope

    async def _answer_command(
        self, respond: AsyncRespond, person: str, text: str, requested: ForgetScope | None
    ) -> None:
        work = self._answers.execute(person, requested) if requested else self._preview_command(person, text)
        await respond_ephemeral(respond, await or_error_message(work, "/memalign forget"))

    async def _answer_shortcut(self, respond: AsyncRespond, body: Body) -> None:
        work = self._preview_shortcut(str(body["user"]["id"]), body)
        await respond_ephemeral(respond, await or_error_message(work, "the forget shortcut"))

    async def _preview_shortcut(self, person: str, body: Body) -> list[SlackMessage]:
        message = body["message"]
        card_ts = str(message.get("thread_ts") or message["ts"])
        stored = await self._database.verdicts.by_card(str(body["channel"]["id"]), card_ts)
        if stored is None:
            return [not_a_card()]
        target = TraceTarget(trace_id=stored.verdict.trace_id)
        return await self._answers.preview_known(person, target) or [not_a_card()]

    async def _answer_confirm(
        self, respond: AsyncRespond, person: str, target: ForgetTarget, requested: ForgetScope | None
    ) -> None:
        # a button stands for what its preview named
        reference = target.trace_id if isinstance(target, TraceTarget) else target.person
        answers = self._answers
        work = answers.execute(person, requested) if requested else answers.preview(person, target, reference)
        for message in await or_error_message(work, "forgetting"):
            await replace_original(respond, message)

    async def _preview_command(self, person: str, text: str) -> list[SlackMessage]:
        command = await self._read(text)
        reference = next(iter(spellings_from_slack(command.reference)), "")
        try:
            target = await self._target_of(person, command)
        except UnknownTraceError as error:
            return [await self._answers.unknown(person, reference, error)]
        if target is None:
            return [which_person() if command.is_for_person else which_trace()]
        return await self._answers.preview(person, target, reference)

    async def _read(self, text: str) -> ForgetCommand:
        """Read what follows `forget`; what looks like an option may be part of a trace's id."""
        *literal, command = ForgetCommand.readings(text)
        for reading in literal:
            spellings = spellings_from_slack(reading.reference)
            if not reading.is_for_person and await self._service.references.find_id(spellings):
                return reading
        return command

    async def _target_of(self, person: str, command: ForgetCommand) -> ForgetTarget | None:
        """Return what a command names, if it names anything. Raises `UnknownTraceError`."""
        if command.is_for_person:
            forgotten = person_of(command.reference, person)
            return PersonTarget(person=forgotten) if forgotten else None
        spellings = spellings_from_slack(command.reference)
        return await self._service.references.resolve(spellings) if spellings else None
