"""`/memalign`: answered to the person who asked, and to nobody else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import guidelines_message, help_text, status_message, which_trace
from bot.blocks.digest import digest_message
from bot.blocks.primitives import Message, pack_messages
from bot.listeners.context import ListenerContext
from bot.listeners.error_messages import answered
from bot.listeners.forget import begin, preview
from bot.listeners.forget_person import begin_person, preview_person
from bot.listeners.responses import tell
from bot.reports.digest import read_digest
from bot.runtime.clock import moment, now_ms, week_of
from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slash command as a person typed it."""

    user: str
    channel: str
    words: tuple[str, ...]
    """What follows the sub-command."""


YES = {"--yes", "—yes", "–yes"}
"""Some keyboards turn two hyphens into a dash."""
PERSON = {"--person", "—person", "–person"}

Answer = Callable[[ListenerContext, Asked], Awaitable[list[Message]]]


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Acknowledge, and answer from a task of the app."""

    @app.command("/memalign")
    async def memalign(ack: AsyncAck, command: dict[str, Json], respond: AsyncRespond) -> None:
        word, *words = str(command.get("text") or "").split() or ["help"]
        asked = Asked(user=command["user_id"], channel=command["channel_id"], words=tuple(words))
        if word.lower() == "forget" and YES.intersection(words):
            # what is acknowledged is to happen, also if the bot is killed now
            work = await _begin_forgetting(context, asked)
        else:
            work = ANSWERS.get(word.lower(), _unknown(word))(context, asked)
        await ack()
        context.run_after_ack(_answer(respond, work, f"/memalign {word}"))


async def _answer(respond: AsyncRespond, work: Awaitable[list[Message]], doing: str) -> None:
    await tell(respond, pack_messages(await answered(work, doing)))


def _unknown(word: str) -> Answer:
    async def answer(_: ListenerContext, __: Asked) -> list[Message]:
        return [help_text(f"I don't know “{word}”.")]

    return answer


async def _help(_: ListenerContext, __: Asked) -> list[Message]:
    return [help_text()]


async def _guidelines(context: ListenerContext, asked: Asked) -> list[Message]:
    named = " ".join(asked.words)
    chosen = [context.settings.judge(named)] if named else context.settings.judges
    messages: list[Message] = []
    for judge in chosen:
        learned = context.memories[judge.name].guidelines
        rules = sorted(learned, key=lambda rule: -len(rule.source_trace_ids))
        named_rules = [
            (rule, [await context.people.name(person) for person in rule.people]) for rule in rules
        ]
        messages.append(guidelines_message(judge.name, named_rules))
    return messages


async def _forget(context: ListenerContext, asked: Asked) -> list[Message]:
    if PERSON.intersection(asked.words):
        return await preview_person(context, asked.user, asked.channel, _meant(asked))
    if not _meant(asked):
        return [which_trace()]
    return await preview(context, asked.user, asked.channel, _meant(asked))


async def _begin_forgetting(context: ListenerContext, asked: Asked) -> Awaitable[list[Message]]:
    if PERSON.intersection(asked.words):
        return await begin_person(context, asked.user, asked.channel, _meant(asked))
    if not _meant(asked):
        return _forget(context, asked)
    return await begin(context, asked.user, asked.channel, _meant(asked))


def _meant(asked: Asked) -> str:
    """What follows the sub-command, options aside."""
    return " ".join(word for word in asked.words if word not in YES | PERSON)


async def _status(context: ListenerContext, _: Asked) -> list[Message]:
    return [status_message(await context.status.read())]


async def _digest(context: ListenerContext, asked: Asked) -> list[Message]:
    zone = context.settings.digest.zone
    week = week_of(moment(now_ms(), zone).date())
    here = [judge for judge in context.settings.judges if judge.channel == asked.channel]
    return [
        digest_message(
            await read_digest(
                context.database, judge.name, context.memories[judge.name].definition.value_type, week, zone
            )
        )
        for judge in here or context.settings.judges
    ]


ANSWERS: dict[str, Answer] = {
    "guidelines": _guidelines,
    "forget": _forget,
    "status": _status,
    "digest": _digest,
    "help": _help,
}
