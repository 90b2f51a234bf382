"""`/memalign`: answered to the person who asked, and to nobody else."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import guidelines_message, help_text, status_message
from bot.blocks.digest import digest_message
from bot.blocks.primitives import SlackMessage, pack_messages
from bot.listeners.context import ListenerContext
from bot.listeners.error_messages import answered
from bot.listeners.forget import Asker, ForgetListener
from bot.listeners.responses import tell
from bot.reports.digest import read_digest
from bot.runtime.clock import from_ms, now_ms, week_of
from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """`/memalign <name> <text>` as a person typed it."""

    asker: Asker
    name: str
    text: str
    """The rest, after one blank."""

    @classmethod
    def of(cls, payload: dict[str, Json]) -> "SlashCommand":
        """Read Slack's payload; without a name, help is asked for."""
        name, *text = re.split(r"\s", str(payload.get("text") or "").lstrip(), maxsplit=1)
        asker = Asker(person=payload["user_id"], channel=payload["channel_id"])
        return cls(asker=asker, name=name or "help", text="".join(text))


Answer = Callable[[ListenerContext, SlashCommand], Awaitable[list[SlackMessage]]]


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Acknowledge, and answer from a task of the app."""
    forgetting = ForgetListener(context)

    @app.command("/memalign")
    async def memalign(ack: AsyncAck, command: dict[str, Json], respond: AsyncRespond) -> None:
        typed = SlashCommand.of(command)
        if typed.name.lower() == "forget":
            await forgetting.command(ack, typed.asker, typed.text, respond)
        else:
            await ack()
            context.run_after_ack(_answer(context, typed, respond))


async def _answer(context: ListenerContext, command: SlashCommand, respond: AsyncRespond) -> None:
    work = ANSWERS.get(command.name.lower(), _unknown)(context, command)
    await tell(respond, pack_messages(await answered(work, f"/memalign {command.name}")))


async def _unknown(_: ListenerContext, command: SlashCommand) -> list[SlackMessage]:
    return [help_text(f"I don't know “{command.name}”.")]


async def _help(_: ListenerContext, __: SlashCommand) -> list[SlackMessage]:
    return [help_text()]


async def _guidelines(context: ListenerContext, command: SlashCommand) -> list[SlackMessage]:
    named = " ".join(command.text.split())
    chosen = [context.settings.judge(named)] if named else context.settings.judges
    messages: list[SlackMessage] = []
    for judge in chosen:
        learned = context.memories[judge.name].guidelines
        rules = sorted(learned, key=lambda rule: -len(rule.source_trace_ids))
        named_rules = [
            (rule, [await context.people.name(person) for person in rule.people]) for rule in rules
        ]
        messages.append(guidelines_message(judge.name, named_rules))
    return messages


async def _status(context: ListenerContext, _: SlashCommand) -> list[SlackMessage]:
    return [status_message(await context.status.read())]


async def _digest(context: ListenerContext, command: SlashCommand) -> list[SlackMessage]:
    zone = context.settings.digest.zone
    week = week_of(from_ms(now_ms(), zone).date())
    here = [judge for judge in context.settings.judges if judge.channel == command.asker.channel]
    return [
        digest_message(
            await read_digest(
                context.database, judge.name, context.memories[judge.name].definition.value_type, week, zone
            )
        )
        for judge in here or context.settings.judges
    ]


ANSWERS: Mapping[str, Answer] = {
    "guidelines": _guidelines,
    "status": _status,
    "digest": _digest,
    "help": _help,
}
