"""`/memalign`: answered to the person who asked, and to nobody else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot import blocks
from bot.blocks import Message
from bot.clock import moment, now_ms, week_of
from bot.digest import digest_of
from bot.listeners.answers import tell
from bot.listeners.apologies import answered
from bot.listeners.bench import Bench
from bot.listeners.forgets import forget, preview
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

Answer = Callable[[Bench, Asked], Awaitable[list[Message]]]


def listen(app: AsyncApp, bench: Bench) -> None:
    """Acknowledge at once; answer from a task of the app."""

    @app.command("/memalign")
    async def memalign(ack: AsyncAck, command: dict[str, Json], respond: AsyncRespond) -> None:
        await ack()
        bench.later(_answer(bench, command, respond))


async def _answer(bench: Bench, command: dict[str, Json], respond: AsyncRespond) -> None:
    word, *words = str(command.get("text") or "").split() or ["help"]
    asked = Asked(user=command["user_id"], channel=command["channel_id"], words=tuple(words))
    answer = ANSWERS.get(word.lower(), _unknown(word))
    await tell(respond, blocks.gathered(await answered(answer(bench, asked), f"/memalign {word}")))


def _unknown(word: str) -> Answer:
    async def answer(_: Bench, __: Asked) -> list[Message]:
        return [blocks.help_text(f"I don't know “{word}”.")]

    return answer


async def _help(_: Bench, __: Asked) -> list[Message]:
    return [blocks.help_text()]


async def _guidelines(bench: Bench, asked: Asked) -> list[Message]:
    named = " ".join(asked.words)
    chosen = [bench.settings.judge(named)] if named else bench.settings.judges
    messages: list[Message] = []
    for judge in chosen:
        rules = bench.memories[judge.name].guidelines
        named_rules = [(rule, [await bench.people.name(person) for person in rule.people]) for rule in rules]
        messages.append(blocks.guidelines(judge.name, named_rules))
    return messages


async def _forget(bench: Bench, asked: Asked) -> list[Message]:
    reference = " ".join(word for word in asked.words if word != "--yes")
    if not reference:
        return [blocks.which_trace()]
    act = forget if "--yes" in asked.words else preview
    return await act(bench, asked.user, asked.channel, reference)


async def _status(bench: Bench, _: Asked) -> list[Message]:
    return [blocks.status(await bench.status.read())]


async def _digest(bench: Bench, asked: Asked) -> list[Message]:
    zone = bench.settings.digest.zone
    week = week_of(moment(now_ms(), zone).date())
    here = [judge for judge in bench.settings.judges if judge.channel == asked.channel]
    return [
        blocks.digest(
            await digest_of(
                bench.database, judge.name, bench.memories[judge.name].definition.value_type, week, zone
            )
        )
        for judge in here or bench.settings.judges
    ]


ANSWERS: dict[str, Answer] = {
    "guidelines": _guidelines,
    "forget": _forget,
    "status": _status,
    "digest": _digest,
    "help": _help,
}
