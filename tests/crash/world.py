"""A workspace full of busy people, an application that sends traces, and a bot that is killed again and again."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from bot.sandbox import AckTimeoutError, Message, SlackError, SlackServer, Workspace
from storage.database import Database
from storage.engines import Location
from storage.location import parse_postgres_url
from storage.records import LocalHour
from tests.bot.bot_in_workspace import SHORTCUTS, free_port
from tests.crash.ledger import Ledger, Place, payload_of
from tests.model_server import ModelServer

ROOT = Path(__file__).parents[2]
JUDGES = ("politeness", "helpfulness")
WINDOWS_A_DAY = 86_400
"""Of a second each."""
MOST_UNANSWERED = 60
"""Traces that an application keeps while the bot is down."""
THUMBS = ("+1", "-1", "thumbsup", "-1::skin-tone-3", "shrug")
REASONS = (
    "The answer should never send people away.",
    "Every answer should name the next step.",
    "An answer must not repeat the question.",
    "The tone was fine here.",
)
SETTINGS = """
[storage]
path = "store"
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[sampling]
rate = 1.0
max_per_day = {cards}
blind = 0.3
[digest]
day = "{day}"
time = "{time}"
timezone = "UTC"
[ingest]
port = {port}
"""
JUDGE = """
[[judges]]
name = "{name}"
channel = "{channel}"
model = "{model}"
feedback_value_type = "bool"
instructions = "Question: {{{{ inputs }}}} Answer: {{{{ outputs }}}}"
"""


class World:
    """Everything but the bot; it goes on while the bot is down."""

    def __init__(
        self,
        folder: Path,
        chance: random.Random,
        *,
        traces: int,
        models: ModelServer | None = None,
        database_url: str = "",
        replicas: int = 1,
        crowd_seconds: float = 0.06,
    ) -> None:
        """With a server of models, cards are drawn from windows, and one judge asks it, with shadow verdicts.

        Several replicas work on a database, each with a port of its own. People pause for up to `crowd_seconds`
        between two acts.
        """
        self._crowd_seconds = crowd_seconds
        self.folder = folder
        self.database_url = database_url
        self.location: Location = parse_postgres_url(database_url) if database_url else folder / "store"
        self.models = models
        self.chance = chance
        self.most_traces = traces
        self.ledger = Ledger()
        self.workspace = Workspace()
        self.people = [self.workspace.add_user(name).id for name in ("ana", "ben", "carl")]
        self.presser = self.workspace.add_user("dora").id
        self.leaver = self.workspace.add_user("eve").id
        self.rationales: list[str] = []
        everybody = [*self.people, self.presser, self.leaver]
        self.channels = {name: self.workspace.add_channel(name, members=everybody).id for name in JUDGES}
        self.slack = SlackServer(self.workspace, shortcuts=SHORTCUTS, retries=(0.05, 0.3, 1.0))
        self.ports = [free_port() for _ in range(replicas)]
        self.sent: list[str] = []
        self.unanswered: list[dict[str, object]] = []
        self._asks: set[asyncio.Task[object]] = set()
        self._pressed_on: set[Place] = set()

    def write_settings(self, seconds_to_digest: float) -> None:
        """The digest falls due while the bot is being killed."""
        due = datetime.now(UTC) + timedelta(seconds=seconds_to_digest)
        cards = WINDOWS_A_DAY if self.models else 100_000
        text = SETTINGS.format(
            day=due.strftime("%a").lower(), time=due.strftime("%H:%M:%S"), port="{port}", cards=cards
        )
        text += "".join(
            JUDGE.format(name=name, channel=channel, model=self.model_of(name))
            for name, channel in self.channels.items()
        )
        for place, port in enumerate(self.ports):
            self.settings_file(place).write_text(text.replace("{port}", str(port)), encoding="utf-8")

    def settings_file(self, place: int) -> Path:
        """The settings of a replica."""
        return self.folder / (f"memalign-{place}.toml" if place else "memalign.toml")

    def model_of(self, judge: str) -> str:
        """The judge's model."""
        return "openai:/some-model" if self.models and judge == JUDGES[1] else "local:/cases"

    async def note_busy_days(self) -> None:
        """Note as much traffic for the days around today as makes them days of windows."""
        days = [(datetime.now(UTC) + timedelta(days=number)).date().isoformat() for number in (-1, 0)]
        hours = [LocalHour(day=day, hour=hour) for day in days for hour in range(24)]
        async with await Database.open(self.location) as database:

            def count() -> None:
                for hour in hours:
                    database.traffic.count(hour, dict.fromkeys(JUDGES, WINDOWS_A_DAY))

            await database.store.write(count)

    def cards(self) -> list[Message]:
        """Every message that shows a verdict."""
        return [
            message
            for channel in self.channels.values()
            for message in self.workspace.messages(channel)
            if "verdict_id" in payload_of(message)
        ]

    def digests(self, judge: str) -> list[Message]:
        """Every digest in a judge's channel."""
        messages = self.workspace.messages(self.channels[judge])
        return [
            message
            for message in messages
            if str(payload_of(message).get("post_id", "")).startswith("digest")
        ]

    # --- the bot

    async def start_bot(self, place: int = 0) -> Process:
        """Start the process, or one of several."""
        environment = os.environ | {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }
        if self.database_url:
            environment |= {"MEMALIGN_DATABASE_URL": self.database_url}
        if self.models:
            environment |= {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": self.models.base_url}
        log = os.open(self.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.crash.bot", str(self.settings_file(place))),
                cwd=ROOT,
                env=environment,
                stdout=PIPE,
                stderr=log,
            )
        finally:
            os.close(log)

    async def kill_bot(self) -> None:
        """Start the bot and kill it at some instant: often at work, sometimes while it starts."""
        process = await self.start_bot()
        if self.chance.random() < 0.2:
            await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        else:
            assert process.stdout is not None
            await process.stdout.readline()
            await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.communicate()

    # --- the load

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Let people and the application do things at random."""
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.create_task(work) for work in (self._application(session), self._crowd())]
            try:
                yield
            finally:
                for task in (*tasks, *self._asks):
                    task.cancel()
                await asyncio.gather(*tasks, *self._asks, return_exceptions=True)

    async def send_rest(self) -> None:
        """Let the application send again what nobody answered."""
        async with aiohttp.ClientSession() as session:
            while self.unanswered:
                await self._send(session, self.unanswered)
                await asyncio.sleep(0.05)

    async def _application(self, session: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0.02, 0.3))
            fresh = [self._trace() for _ in range(self.chance.randint(1, 4)) if self._has_more()]
            again = [
                self._body(trace_id) for trace_id in self.chance.sample(self.sent, min(2, len(self.sent)))
            ]
            await self._send(session, [*self.unanswered, *fresh, *again])

    def _has_more(self) -> bool:
        return len(self.sent) < self.most_traces and len(self.unanswered) < MOST_UNANSWERED

    def _trace(self) -> dict[str, object]:
        trace_id = f"tr-{len(self.sent)}"
        self.sent.append(trace_id)
        self.unanswered.append(self._body(trace_id))
        return self.unanswered[-1]

    def _body(self, trace_id: str) -> dict[str, object]:
        return {"trace_id": trace_id, "inputs": f"Question of {secret(trace_id)}?", "outputs": "Go away."}

    async def _send(self, session: aiohttp.ClientSession, bodies: list[dict[str, object]]) -> None:
        if not bodies:
            return
        try:
            url = f"http://127.0.0.1:{self.chance.choice(self.ports)}/traces"
            async with session.post(url, json=bodies) as answer:
                report = await answer.json()
                if answer.status != 202:
                    return
        except (aiohttp.ClientError, OSError, ValueError):
            return
        refused = {rejection["index"] for rejection in report["rejected"]}
        taken = {str(body["trace_id"]) for index, body in enumerate(bodies) if index not in refused}
        self.ledger.accepted |= taken
        trace_ids = {str(body["trace_id"]) for body in bodies}
        self.unanswered = [body for body in self.unanswered if body["trace_id"] not in trace_ids]

    async def _crowd(self) -> None:
        acts: list[tuple[int, Callable[[Message], None]]] = [
            (45, self._thumb),
            (15, self._reply),
            (6, self._edit),
            (6, self._delete),
            (6, self._press),
            (2, self._forget),
            (8, self._say_for_now),
            (1, self._leave),
            (1, self._status),
        ]
        weights, doings = [weight for weight, _ in acts], [act for _, act in acts]
        while True:
            await asyncio.sleep(self.chance.uniform(0.0, self._crowd_seconds))
            cards = self.cards()
            if cards:
                with contextlib.suppress(SlackError):
                    self.chance.choices(doings, weights)[0](self.chance.choice(cards))

    def _thumb(self, card: Message) -> None:
        person, name = self.chance.choice(self.people), self.chance.choice(THUMBS)
        there = any(mark.name == name and person in mark.users for mark in card.reactions)
        (self.workspace.unreact if there else self.workspace.react)(person, card.channel, card.ts, name)

    def _reply(self, card: Message) -> None:
        text = f"{self.chance.choice(REASONS)} It is {secret(payload_of(card)['trace_id'])}."
        self.workspace.post(self.chance.choice(self.people), card.channel, text, thread_ts=card.ts)

    def _own_reply(self, card: Message) -> Message | None:
        thread = self.workspace.thread(card.channel, card.ts)[1:]
        replies = [reply for reply in thread if reply.user in self.people and not reply.tombstone]
        return self.chance.choice(replies) if replies else None

    def _edit(self, card: Message) -> None:
        if reply := self._own_reply(card):
            self.workspace.edit(reply.user, card.channel, reply.ts, self.chance.choice(REASONS))

    def _delete(self, card: Message) -> None:
        if reply := self._own_reply(card):
            self.workspace.delete(reply.user, card.channel, reply.ts)

    def _press(self, card: Message) -> None:
        # once only: pressed again, the vote would be taken back, and nobody could tell what should be there
        if (card.channel, card.ts) not in self._pressed_on:
            self._pressed_on.add((card.channel, card.ts))
            self._ask(self._pressed(card))

    def _forget(self, card: Message) -> None:
        if len(self.ledger.forgotten | self.ledger.perhaps_forgotten) < len(self.sent) / 4:
            self._ask(self._asked_to_forget(card))

    def _say_for_now(self, card: Message) -> None:
        self.rationales.append(f"okapi{len(self.rationales)}stripe")
        text = f"Every answer must name the {self.rationales[-1]}."
        self.workspace.post(self.leaver, card.channel, text, thread_ts=card.ts)
        with contextlib.suppress(SlackError):
            self.workspace.react(self.leaver, card.channel, card.ts, "-1")

    def _leave(self, card: Message) -> None:
        self._ask(self._left(card, set(self.rationales)))

    async def _left(self, card: Message, rationales: set[str]) -> None:
        if await self._command(card, "forget --person me --yes", self.leaver):
            self.ledger.unsaid |= rationales

    def _status(self, card: Message) -> None:
        self._ask(self._command(card, "status"))

    def _ask(self, work: Coroutine[None, None, object]) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._asks.add(task)
        task.add_done_callback(self._asks.discard)

    async def _pressed(self, card: Message) -> None:
        try:
            shown = self.workspace.message(card.channel, card.ts)
            button = "blind_answer:0" if asks_first(shown) else "vote_up"
            await self.slack.interactions.click(self.presser, card.channel, card.ts, button)
        except (SlackError, AckTimeoutError):
            return
        self.ledger.pressed.add((card.channel, card.ts))

    async def _asked_to_forget(self, card: Message) -> None:
        trace_id = str(payload_of(card)["trace_id"])
        self.ledger.perhaps_forgotten.add(trace_id)
        if await self._command(card, f"forget {trace_id} --yes"):
            self.ledger.forgotten.add(trace_id)

    async def _command(self, card: Message, text: str, user: str | None = None) -> bool:
        try:
            await self.slack.interactions.command(user or self.people[0], card.channel, "/memalign", text)
        except (SlackError, AckTimeoutError):
            return False
        return True


def asks_first(card: Message) -> bool:
    """Return True for a card that asks, and does not show its verdict."""
    return "Your view first" in card.text


def secret(trace_id: str) -> str:
    """Words that stand nowhere but in one trace and in what people say of it."""
    return f"zebra{trace_id.removeprefix('tr-')}stripe"
