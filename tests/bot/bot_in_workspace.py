"""The real bot in the embedded workspace: what the bot's tests start from."""

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from bot.app import Bot, Timing, running_bot
from bot.config import Secrets, Settings, read_settings
from bot.feedback import Feedback, all_feedback
from bot.runtime.clock import now_ms
from bot.sandbox import Channel, Message, SlackServer, User, Workspace
from memalign.records import Json, Label

T = TypeVar("T")

JUDGE = "politeness"
IN_A_HURRY = Timing(post_seconds=0.0, settle_seconds=0.0, quiet_seconds=0.05, card_seconds=0.0)
SHORTCUTS = {"correct_verdict": "Correct this verdict", "forget_trace": "Forget this trace"}


def settings_for(folder: Path, channel: str, **sections: Json) -> Settings:
    """Settings with local models.

    `sections` replace or add tables; `judge` changes the one judge, `judges` names several, each as far as it
    differs from that one.
    """
    plain = {
        "name": JUDGE,
        "channel": channel,
        "model": "local:/cases",
        "feedback_value_type": "bool",
        "instructions": "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}",
    }
    judges = sections.pop("judges", None) or [sections.pop("judge", {})]
    document = {
        "storage": {"path": "store"},
        "memory": {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"},
        "judges": [{**plain, **judge} for judge in judges],
        "sampling": {"rate": 1.0, "max_per_day": 10_000},
        "ingest": {"port": 0},
        **sections,
    }
    return read_settings(document, folder / "memalign.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotInWorkspace:
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

    async def post(self, body: bytes, kind: str = "application/json", **headers: str) -> tuple[int, Json]:
        """POST a body to `/traces`; status and answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.bot.url}/traces", data=io.BytesIO(body), headers={"Content-Type": kind, **headers}
            ) as answer,
        ):
            return answer.status, {**await answer.json(), "headers": dict(answer.headers)}

    async def get(self, path: str) -> tuple[int, str]:
        """GET a path of the bot's server; status and text."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.bot.url}{path}") as answer:
            return answer.status, await answer.text()

    def react(self, card: Message, *names: str, by: User | None = None) -> None:
        """Let somebody, ana if nobody is named, react to a card."""
        for name in names:
            self.workspace.react((by or self.ana).id, card.channel, card.ts, name)

    def unreact(self, card: Message, *names: str, by: User | None = None) -> None:
        """Let somebody take reactions off a card."""
        for name in names:
            self.workspace.unreact((by or self.ana).id, card.channel, card.ts, name)

    def reply(self, card: Message, text: str, by: User | None = None) -> str:
        """Let somebody reply under a card; the reply's time."""
        return self.workspace.post((by or self.ana).id, card.channel, text, thread_ts=card.ts)

    async def press(self, card: Message, action: str, by: User | None = None, value: object = None) -> None:
        """Let somebody press a button, or choose from a menu."""
        await self.slack.interactions.click((by or self.ana).id, card.channel, card.ts, action, value)

    async def feedback(self, card: Message) -> dict[str, Feedback]:
        """Return people's feedback on a card's verdict, by name, as the store has it."""
        await self.slack.settled()
        await self.until_async(lambda: self._recorded(card))
        verdict = await self.bot.database.verdicts.by_card(card.channel, card.ts)
        assert verdict is not None
        by_person = await self.bot.database.feedback.of(verdict.verdict_id)
        values = self.bot.memories[verdict.verdict.judge].definition.value_type
        names = {user.id: user.name for user in self.workspace.users.values()}
        return {names[entry.person]: entry for entry in all_feedback(verdict, by_person, values)}

    async def _recorded(self, card: Message) -> bool:
        return await self.bot.database.verdicts.by_card(card.channel, card.ts) is not None

    def labels(self, judge: str = JUDGE) -> dict[str, Label]:
        """Return the labels that a judge remembers, by trace id."""
        return {name: episode.label for name, episode in self.bot.memories[judge].episodes.items()}

    def rules(self, judge: str = JUDGE) -> list[str]:
        """The texts of a judge's guidelines."""
        return [rule.text for rule in self.bot.memories[judge].guidelines]

    async def ephemeral_answer(self, act: Awaitable[object], user: User | None = None) -> str:
        """Do something, and wait for what the bot says to one person of it."""
        before = len(self.slack.ephemerals)
        await act
        await self.until(lambda: len(self.slack.ephemerals) > before)
        last = self.slack.ephemerals[-1]
        assert last.user == (user or self.ana).id
        return words(last.blocks, last.text)

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
        return [
            message.text
            for message in replies
            if message.user == self.workspace.bot.id and message.ts != card.ts
        ]

    async def learned(self) -> None:
        """Wait until nothing anybody said waits to be learned or tried, and nothing waits to be posted."""
        await self.slack.settled()
        await self.until_async(self._at_rest)

    async def reconciled(self) -> None:
        """Wait until all cards were read since the present connection stands."""
        await self.until_async(self.bot.reconciler.is_up_to_date)

    async def _at_rest(self) -> bool:
        database = self.bot.database
        waiting = await database.feedback.waiting() + await database.outbox.waiting()
        waiting += sum(len(memory.trials.due) for memory in self.bot.memories.values())
        return not waiting and not await database.thread_statuses.waiting(now_ms())

    async def tells(self, reason: str) -> bool:
        """Return whether the bot says so of what waits."""
        return any(reason in trouble for trouble in (await self.bot.status.read()).troubles)

    async def asked(self, user: User, text: str) -> list[str]:
        """Type `/memalign …` and wait for the answer: the texts of its messages, blocks included."""
        before = len(self.slack.ephemerals)
        await self.slack.interactions.command(user.id, self.channel.id, "/memalign", text)
        await self.until(lambda: len(self.slack.ephemerals) > before)
        await asyncio.sleep(0.05)
        return [words(message.blocks, message.text) for message in self.slack.ephemerals[before:]]

    async def until(self, look: Callable[[], T | None], seconds: float = 120) -> T:
        """Wait until `look` returns something true; fail with the bot's status if it does not."""

        async def look_again() -> T | None:
            return look()

        return await self._until(look_again, seconds)

    async def until_async(self, look: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
        """Wait until `look` returns True; fail with the bot's status if it does not."""
        await self._until(look, seconds)

    async def _until(self, look: Callable[[], Awaitable[T | None]], seconds: float) -> T:
        deadline = time.monotonic() + seconds
        while not (seen := await look()):
            assert time.monotonic() < deadline, f"not within {seconds} s; {await self.bot.status.read()}"
            await asyncio.sleep(0.01)
        return seen


def words(blocks: Sequence[Json] | None, text: str = "") -> str:
    """All that a person reads in blocks."""
    parts: list[str] = []

    def gather(part: Json) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                parts.append(part["text"])
            for value in part.values():
                gather(value)
        elif isinstance(part, list):
            for value in part:
                gather(value)

    gather(list(blocks or []))
    return "\n".join(parts) or text


@asynccontextmanager
async def bot_in_workspace(
    folder: Path,
    *,
    workspace: Workspace | None = None,
    pace: Timing = IN_A_HURRY,
    http: bool = False,
    token: str = "",
    **sections: Json,
) -> AsyncIterator[BotInWorkspace]:
    """Start workspace and bot; with a given workspace, go on in it.

    `http`: Slack's signed HTTP in place of Socket Mode; `token`: MEMALIGN_INGEST_TOKEN; `slack`: options of the
    embedded Slack; all others as for `settings_for`.
    """
    slack_options = sections.pop("slack", {})
    workspace, ana, ben, channel = peopled(workspace or Workspace())
    if http:
        sections["ingest"] = {"port": free_port(), **sections.get("ingest", {})}
        slack_options["events_url"] = f"http://127.0.0.1:{sections['ingest']['port']}/slack/events"
    slack = SlackServer(
        workspace, shortcuts=SHORTCUTS, **{"retries": (0.0, 0.05, 0.1), "ack_timeout": 60, **slack_options}
    )
    async with slack:
        secrets = Secrets(
            bot_token=slack.bot_token,
            app_token="" if http else slack.app_token,
            signing_secret=slack.signing_secret if http else "",
            ingest_token=token,
            api_url=slack.api_url,
        )
        async with running_bot(settings_for(folder, channel.id, **sections), secrets, pace) as bot:
            if not http:
                await slack.connected()
            yield BotInWorkspace(workspace=workspace, slack=slack, bot=bot, ana=ana, ben=ben, channel=channel)


def peopled(workspace: Workspace) -> tuple[Workspace, User, User, Channel]:
    """The workspace with ana and ben in #politeness, who are added where they are missing."""
    users = {user.name: user for user in workspace.users.values()}
    ana = users.get("ana") or workspace.add_user("ana", real_name="Ana Ruiz")
    ben = users.get("ben") or workspace.add_user("ben", real_name="Ben Okafor")
    channels = {channel.name: channel for channel in workspace.channels.values()}
    channel = channels.get(JUDGE) or workspace.add_channel(JUDGE, members=[ana.id, ben.id])
    return workspace, ana, ben, channel


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
