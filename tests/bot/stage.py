"""The real bot in the embedded workspace: what the bot's tests start from."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from bot.app import Bot, Pace, running_bot
from bot.config import Secrets, Settings, read_settings
from bot.sandbox import Channel, Message, SlackServer, User, Workspace
from memalign.records import Json

T = TypeVar("T")

JUDGE = "politeness"
IN_A_HURRY = Pace(post_seconds=0.0, quiet_seconds=0.05)
SHORTCUTS = {"correct_verdict": "Correct this verdict", "forget_trace": "Forget this trace"}


def settings_for(folder: Path, channel: str, **sections: Json) -> Settings:
    """Settings with local models; `sections` replace or add tables, `judge` changes the one judge."""
    judge = {
        "name": JUDGE,
        "channel": channel,
        "model": "local:/cases",
        "feedback_value_type": "bool",
        "instructions": "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}",
        **sections.pop("judge", {}),
    }
    document = {
        "storage": {"path": "store"},
        "memory": {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"},
        "judges": [judge],
        "sampling": {"rate": 1.0, "max_per_day": 10_000},
        "ingest": {"port": 0},
        **sections,
    }
    return read_settings(document, folder / "memalign.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A workspace with ana and ben in one channel, and the bot at work in it."""

    workspace: Workspace
    slack: SlackServer
    bot: Bot
    ana: User
    ben: User
    channel: Channel

    async def send(self, *traces: Json) -> Json:
        """POST traces as one array; the answer's body."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.bot.url}/traces", json=list(traces)) as answer,
        ):
            return await answer.json()

    async def card(self, trace_id: str) -> Message:
        """Wait for a trace's card."""
        return await self.until(lambda: self.shown(trace_id))

    async def show(self, trace_id: str = "tr-1", outputs: str = "Go away.") -> Message:
        """Send a trace and wait for its card."""
        await self.send(
            {"trace_id": trace_id, "inputs": {"question": "Can you help me?"}, "outputs": outputs}
        )
        return await self.card(trace_id)

    def shown(self, trace_id: str) -> Message | None:
        """A trace's card as it stands."""
        for message in self.workspace.messages(self.channel.id):
            payload = (message.metadata or {}).get("event_payload", {})
            if payload.get("trace_id") == trace_id:
                return message
        return None

    def thread(self, card: Message) -> list[str]:
        """The bot's words in a card's thread."""
        replies = self.workspace.thread(card.channel, card.ts)
        return [one.text for one in replies if one.user == self.workspace.bot.id and one.ts != card.ts]

    async def learned(self) -> None:
        """Wait until nothing anybody said waits to be learned, and nothing waits to be posted."""
        await self.slack.settled()
        await self.until_async(self._at_rest)

    async def _at_rest(self) -> bool:
        database = self.bot.database
        return not await database.feedback.waiting() and not await database.outbox.waiting()

    async def asked(self, user: User, text: str) -> list[str]:
        """Type `/memalign …` and wait for the answer: the texts of its messages, blocks included."""
        before = len(self.slack.ephemerals)
        await self.slack.command(user.id, self.channel.id, "/memalign", text)
        await self.until(lambda: len(self.slack.ephemerals) > before)
        await asyncio.sleep(0.05)
        return [words(one.blocks, one.text) for one in self.slack.ephemerals[before:]]

    async def until(self, look: Callable[[], T | None], seconds: float = 10) -> T:
        """Wait until `look` gives something true."""
        async with asyncio.timeout(seconds):
            while not (found := look()):
                await asyncio.sleep(0.01)
            return found

    async def until_async(self, look: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
        """Wait until `look` says yes."""
        async with asyncio.timeout(seconds):
            while not await look():
                await asyncio.sleep(0.01)


def words(blocks: Sequence[Json] | None, text: str = "") -> str:
    """All that a person reads in blocks."""
    found: list[str] = []

    def gather(part: Json) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                found.append(part["text"])
            for value in part.values():
                gather(value)
        elif isinstance(part, list):
            for value in part:
                gather(value)

    gather(list(blocks or []))
    return "\n".join(found) or text


@asynccontextmanager
async def staged(
    folder: Path, *, workspace: Workspace | None = None, pace: Pace = IN_A_HURRY, **sections: Json
) -> AsyncIterator[Stage]:
    """Start workspace and bot over Socket Mode; with a given workspace, go on in it."""
    slack_options = sections.pop("slack", {})
    workspace = workspace or Workspace()
    users = {user.name: user for user in workspace.users.values()}
    ana = users.get("ana") or workspace.add_user("ana", real_name="Ana Ruiz")
    ben = users.get("ben") or workspace.add_user("ben", real_name="Ben Okafor")
    channels = {channel.name: channel for channel in workspace.channels.values()}
    channel = channels.get(JUDGE) or workspace.add_channel(JUDGE, members=[ana.id, ben.id])
    slack = SlackServer(workspace, shortcuts=SHORTCUTS, **{"retries": (0.0, 0.05, 0.1), **slack_options})
    async with slack:
        secrets = Secrets(bot_token=slack.bot_token, app_token=slack.app_token, api_url=slack.api_url)
        async with running_bot(settings_for(folder, channel.id, **sections), secrets, pace) as bot:
            await slack.connected()
            yield Stage(workspace=workspace, slack=slack, bot=bot, ana=ana, ben=ben, channel=channel)
