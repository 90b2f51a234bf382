"""A bot whose cards ask before they show the verdict, which a served model gives: what their tests share."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox import Message, User
from bot.sandbox.workspace.records import View
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words
from tests.model_server import ModelServer
from tests.storage.records import FOREVER_MS

REMOTE = {"model": "openai:/gpt-5-mini", "title": "Polite"}
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
REASON = "simulated"
"""The served model's reason for each verdict."""
OUTPUTS = "Go away."
PASS, FAIL = "blind_answer:0", "blind_answer:1"


@asynccontextmanager
async def blind_bot(
    folder: Path, server: ModelServer, value: Json = False, *, share: float = 1.0, **sections: Json
) -> AsyncIterator[BotInWorkspace]:
    """A bot whose judge gives this verdict of every trace; `share` of its cards ask first."""
    server.verdicts[OUTPUTS] = value
    judge = {**REMOTE, **sections.pop("judge", {})}
    sampling = {"rate": 1.0, "max_per_day": 10_000, "blind": share}
    async with bot_in_workspace(
        folder, judge=judge, memory=LOCAL_MEMORY, sampling=sampling, **sections
    ) as harness:
        yield harness


def seen(harness: BotInWorkspace, trace_id: str = "tr-1") -> str:
    """All that a person reads on a trace's card now."""
    card = harness.shown(trace_id)
    assert card is not None
    return words(card.blocks)


def first_line(harness: BotInWorkspace, trace_id: str = "tr-1") -> str:
    return seen(harness, trace_id).splitlines()[0]


async def revealed(harness: BotInWorkspace, trace_id: str = "tr-1") -> Message:
    """Wait until a trace's card shows its verdict, and the bot knows it; the card."""
    card = await harness.until(lambda: harness.shown(trace_id) if REASON in seen(harness, trace_id) else None)

    async def is_known() -> bool:
        stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
        return stored is not None and not stored.is_hidden and not await outdated(harness)

    await harness.until_async(is_known)
    return card


async def outdated(harness: BotInWorkspace) -> bool:
    """Return True while a blind card waits to be looked at."""
    return await harness.bot.database.verdicts.outdated_blind_cards() != []


async def looked_at(harness: BotInWorkspace) -> None:
    """Wait until the bot has looked at all that people did."""
    await harness.slack.settled()
    await harness.learned()

    async def is_done() -> bool:
        database = harness.bot.database
        return not await outdated(harness) and await database.replies.due(-FOREVER_MS) == []

    await harness.until_async(is_done)


async def opened(harness: BotInWorkspace, user: User | None = None) -> View:
    """Wait for a modal on a person's screen."""
    return (await harness.until(lambda: harness.slack.views((user or harness.ana).id)))[-1]


_CHANGING = (
    (re.compile(r"\d{10}\.\d{6}"), "TS"),
    (re.compile(r"p\d{16}"), "pTS"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "NONCE"),
    (re.compile(r"\bb\d{4}\b"), "BLOCK"),
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?"), "CLOCK"),
    (re.compile(r"(just now|\d+ minutes? ago)"), "AGE"),
)


def transcript(harness: BotInWorkspace) -> str:
    """All that anybody in the workspace, or a client, could see of the bot's, without times and random marks."""
    parts: list[Json] = [
        [message.text, message.blocks, message.metadata]
        for message in harness.workspace.messages(harness.channel.id)
    ]
    private = [[each.user, each.text, each.blocks] for each in harness.slack.ephemerals]
    parts += sorted(private, key=repr)  # answers to presses and to replies overtake each other
    for user in (harness.ana, harness.ben):
        views = [*harness.slack.views(user.id), harness.slack.home(user.id)]
        parts += [view.content for view in views if view is not None]
    text = json.dumps(parts, indent=1, default=str)
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return text
