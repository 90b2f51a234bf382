"""Builds everything by hand, opens it in order, and closes it in the opposite one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot import blocks
from bot.blocks import Message
from bot.catchup import PACE_SECONDS, CatchUp
from bot.clock import pause_ms
from bot.config import Secrets, Settings
from bot.control import Control
from bot.covering import Covering
from bot.forgetting import Forgetting
from bot.intake import Intake
from bot.learning import Learning
from bot.listeners import listen
from bot.listeners.bench import Bench
from bot.outbox import Outbox
from bot.people import People
from bot.retention import Retention
from bot.scheduler import WeeklyDigest
from bot.server import Routes, Server
from bot.slack_errors import LOST, app_token_remedy, is_undecided, remedy, status_of
from bot.sources.http import HttpSource
from bot.status import StatusReport
from bot.steady import steadily
from bot.tidings import Messenger
from bot.unfinished import finish
from bot.withdrawal import Withdrawal
from memalign import make_judge
from memalign.errors import SettingsError
from memalign.memory import Memory
from memalign.models import check_key, connect_decider, connect_distiller, connect_embedder
from memalign.models.service import max_workers
from storage.database import Database
from storage.records import Post

log = logging.getLogger(__name__)
LAST_SECONDS = 4.0
"""How long work in hand may go on after the bot was asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the bot goes about its work; the demo and the tests are in more of a hurry than a team."""

    post_seconds: float = 1.0
    """Between two posts in a channel: about what Slack allows."""
    quiet_seconds: float = 2.0
    """Feedback must rest so long before it is learned, so that a thumb and its reason come together."""
    card_seconds: float = PACE_SECONDS
    """Between two cards that Slack is asked about after a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running bot."""

    settings: Settings
    database: Database
    memories: Mapping[str, Memory]
    forgetting: Forgetting
    catch_up: CatchUp
    status: StatusReport
    url: str
    """Where it takes traces."""


@asynccontextmanager
async def running_bot(settings: Settings, secrets: Secrets, pace: Pace) -> AsyncIterator[Bot]:
    """Run the bot while the context is open.

    Raises:
        SettingsError: a token is missing or refused, or the port is taken.
        ModelRefusedError: a model's key is missing.
        StorageError: the data folder cannot be used.
    """
    workers = max_workers()
    for model in models_of(settings):
        check_key(model)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.data)
        stack.push_async_callback(database.close)
        memories = await open_memories(settings, database)
        slack = build_slack(secrets)
        await _check_tokens(slack, secrets)
        connection = Connection(slack, secrets)
        stack.push_async_callback(connection.close)  # also when the start goes no further
        people = People(slack.client)
        outbox = Outbox(_plain_client(secrets), database, Cards(database, memories).render, pace.post_seconds)
        intake = Intake(settings, database, memories, outbox.wake, workers=workers)
        messenger = Messenger(slack.client, database, people, outbox.wake)
        learning = Learning(database, memories, people, messenger, quiet_seconds=pace.quiet_seconds)
        covering = Covering(slack.client, database)
        forgetting = Forgetting(settings, database, memories, slack.client, covering, learning.leave_out)
        withdrawal = Withdrawal(database, memories, covering, learning.take_back)
        catch_up = CatchUp(
            settings,
            database,
            slack.client,
            connection.is_up,
            learning.wake,
            pace_seconds=pace.card_seconds,
        )
        retention = Retention(settings, database)
        parts = (outbox, intake, learning, covering, catch_up, retention)
        unsteady: dict[str, str] = {}
        troubles = [*(part.trouble for part in parts), unsteady]
        status = StatusReport(settings, database, memories, connection.is_up, troubles)
        control = Control(settings.data, forgetting, withdrawal)
        routes = Routes(
            source=HttpSource(settings, database, intake),
            status=status,
            control=control,
            token=secrets.ingest_token,
            slack=None if secrets.app_token else slack,
        )
        server = Server(settings.ingest, routes)
        digests = WeeklyDigest(settings, database, memories, outbox.wake)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        bench = Bench(
            settings=settings,
            database=database,
            memories=memories,
            learning=learning,
            forgetting=forgetting,
            withdrawal=withdrawal,
            people=people,
            status=status,
            client=slack.client,
            tasks=tasks,
        )
        listen(slack, bench)
        await server.start()
        stack.push_async_callback(server.stop)
        control.announce(settings.ingest.host, server.port)
        stack.callback(control.withdraw)
        running: dict[str, Callable[[], Awaitable[None]]] = {
            "learning": lambda: finish(database, forgetting, withdrawal, learning),
            "posting": outbox.run,
            "judging": intake.run,
            "covering what was forgotten": covering.run,
            "catching up": catch_up.run,
            "erasing old traces": retention.run,
        }
        at_work = [tasks.create_task(steadily(run, part, unsteady)) for part, run in running.items()]
        at_work.append(tasks.create_task(connection.run()))
        stack.callback(lambda: [task.cancel() for task in at_work])
        stack.push_async_callback(bench.finish, LAST_SECONDS)
        stack.push_async_callback(connection.close)
        await digests.start()
        stack.callback(digests.stop)
        host = f"[{settings.ingest.host}]" if ":" in settings.ingest.host else settings.ingest.host
        yield Bot(
            settings=settings,
            database=database,
            memories=memories,
            forgetting=forgetting,
            catch_up=catch_up,
            status=status,
            url=f"http://{host}:{server.port}",
        )


def models_of(settings: Settings) -> tuple[str, ...]:
    """The models named in the settings, each once."""
    judging = (judge.model for judge in settings.judges)
    return tuple(dict.fromkeys((settings.memory.embedding_model, settings.memory.reflection_lm, *judging)))


async def open_memories(settings: Settings, database: Database) -> dict[str, Memory]:
    """Each judge's memory, as it was left."""
    embedder = connect_embedder(settings.memory.embedding_model, settings.memory.embedding_dim)
    distiller = connect_distiller(settings.memory.reflection_lm)
    memories = {}
    for judge in settings.judges:
        memories[judge.name] = await Memory.open(
            make_judge(
                name=judge.name,
                instructions=judge.instructions,
                feedback_value_type=judge.feedback_value_type,
                model=judge.model,
            ),
            embedder=embedder,
            decider=connect_decider(judge.model),
            distiller=distiller,
            store=database.memories,
            retrieval_k=settings.memory.retrieval_k,
        )
    return memories


def build_slack(secrets: Secrets) -> AsyncApp:
    """The bolt app; an event is acknowledged when its listener has stored it, not before."""
    if not secrets.bot_token:
        raise SettingsError("SLACK_BOT_TOKEN is not set; copy the bot token (xoxb-…) of the installed app.")
    if not secrets.app_token and not secrets.signing_secret:
        raise SettingsError(
            "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode."
        )
    # Bolt looks for SLACK_BOT_TOKEN too, and warns that the client, which has it already, comes first
    logging.getLogger("slack_bolt.AsyncApp").addFilter(lambda record: "will be unused" not in str(record.msg))
    client = AsyncWebClient(
        token=secrets.bot_token,
        base_url=secrets.api_url,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )
    return AsyncApp(
        client=client,
        signing_secret=secrets.signing_secret or None,
        process_before_response=True,
        request_verification_enabled=not secrets.app_token,
    )


def _plain_client(secrets: Secrets) -> AsyncWebClient:
    """A client that never repeats a call by itself: a repeated post could be a second card."""
    return AsyncWebClient(token=secrets.bot_token, base_url=secrets.api_url, retry_handlers=[])


async def _check_tokens(slack: AsyncApp, secrets: Secrets) -> None:
    """Refused tokens stop the start; a Slack that cannot be reached does not."""
    client = slack.client
    try:
        await _accepted(client.auth_test(), remedy)
        if secrets.app_token:
            await _accepted(client.apps_connections_open(app_token=secrets.app_token), app_token_remedy)
    except LOST as error:
        log.warning("Slack cannot be reached at %s (%s); trying again", secrets.api_url, error)


async def _accepted(call: Awaitable[object], in_words: Callable[[SlackApiError], str]) -> None:
    """Make a call that only a wrong token makes fail for good. Raises `SettingsError`."""
    try:
        await call
    except SlackApiError as error:
        if not is_undecided(error) and status_of(error) != 429:
            raise SettingsError(f"Slack refuses the start: {in_words(error)}.") from error
        log.warning("the tokens cannot be tried yet: %s", in_words(error))


class Connection:
    """The way by which Slack's events come."""

    def __init__(self, slack: AsyncApp, secrets: Secrets) -> None:
        self._slack = slack
        self._handler = (
            AsyncSocketModeHandler(slack, secrets.app_token, web_client=slack.client)
            if secrets.app_token
            else None
        )
        self._reached = False

    async def run(self) -> None:
        """Connect, for as long as it takes; slack_sdk keeps the connection from then on."""
        attempt = 0
        while not self._reached:
            try:
                async with asyncio.timeout(20):
                    await self._connect()
                self._reached = True
            except (SlackApiError, *LOST) as error:
                attempt += 1
                log.warning("not connected to Slack yet: %s", error)
                await asyncio.sleep(pause_ms(attempt, 60_000) / 1000)

    async def _connect(self) -> None:
        if self._handler:
            await self._handler.connect_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here
        else:
            await self._slack.client.auth_test()

    async def is_up(self) -> bool:
        """Whether events can come at the moment."""
        if not self._reached or self._handler is None:
            return self._reached
        return bool(await self._handler.client.is_connected())

    async def close(self) -> None:
        """Take no more events; again: nothing happens."""
        if self._handler and not self._handler.client.closed:
            await self._handler.close_async()  # type: ignore[no-untyped-call] # nor here


class Cards:
    """Makes a post's message at the moment it is sent."""

    def __init__(self, database: Database, memories: Mapping[str, Memory]) -> None:
        self._database = database
        self._memories = memories

    async def render(self, post: Post) -> Message | None:
        """The message, or None where its trace was forgotten meanwhile."""
        if post.kind == "void":
            return None
        if post.kind != "card":
            return Message(text=post.payload["text"], blocks=tuple(post.payload["blocks"]))
        stored = await self._database.verdicts.get(post.verdict_id or "")
        trace = await self._database.traces.get(stored.verdict.trace_id) if stored else None
        if stored is None or trace is None:
            return None
        memory = self._memories.get(stored.verdict.judge)
        return blocks.card(stored, trace, memory.definition.value_type) if memory else None
