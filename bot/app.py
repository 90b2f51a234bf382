"""The running bot: everything is built here, started as tasks of one group, and stopped in a fixed order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot import learning as learning_flow
from bot import posting as posting_flow
from bot.config import Secrets, Settings
from bot.forgetting.access import ForgetAccess
from bot.forgetting.resume import resume_forgetting
from bot.forgetting.retention import Retention
from bot.forgetting.service import ForgetService
from bot.ingest.http import TraceEndpoint
from bot.judging.memories import models_of, open_memories
from bot.judging.worker import JudgingWorker
from bot.learning.card_reader import CardReader
from bot.learning.reconciliation import CARD_SECONDS, CardReconciler
from bot.learning.worker import QUIET_SECONDS
from bot.listeners import listen
from bot.listeners.context import ListenerContext
from bot.posting.redaction import MessageRedactor
from bot.reports.status import StatusReport
from bot.reports.weekly_digest import WeeklyDigest
from bot.runtime.health import HealthRegistry
from bot.runtime.supervisor import supervise
from bot.slack.channel_members import ChannelMembers
from bot.slack.service import SlackService, open_slack
from bot.web.local_control import LocalControl
from bot.web.server import Routes, Server
from memalign.judge_memory import JudgeMemory
from memalign.models import check_key
from memalign.models.endpoint import max_concurrency
from storage.database import Database

LAST_SECONDS = 4.0
"""How long commands in hand may go on after the bot was asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The bot's pauses; the demo and the tests take shorter ones than a team."""

    post_seconds: float = 1.0
    """Between two posts in a channel: about what Slack allows."""
    quiet_seconds: float = QUIET_SECONDS
    card_seconds: float = CARD_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running bot."""

    settings: Settings
    database: Database
    memories: Mapping[str, JudgeMemory]
    slack: SlackService
    forgetting: ForgetService
    reconciler: CardReconciler
    status: StatusReport
    health: HealthRegistry
    url: str
    """Where it takes traces."""


@asynccontextmanager
async def running_bot(settings: Settings, secrets: Secrets, timing: Timing) -> AsyncIterator[Bot]:
    """Run the bot while the context is open.

    Raises:
        SettingsError: a token is missing or refused, or the port is taken.
        ModelRefusedError: a model's key is missing.
        StorageError: the data folder cannot be used.
    """
    for model in models_of(settings):
        check_key(model)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(await Database.open(settings.data))
        memories = await open_memories(settings, database)
        slack = await stack.enter_async_context(open_slack(secrets))
        health = HealthRegistry()
        posting = posting_flow.build(
            slack.posting_client, database, memories, health, pace_seconds=timing.post_seconds
        )
        judging = JudgingWorker(
            settings, database, memories, health, posting.wake, concurrency=max_concurrency()
        )
        learning = learning_flow.build(
            slack, database, memories, health, posting.wake, quiet_seconds=timing.quiet_seconds
        )
        redactor = MessageRedactor(slack.client, database, health)
        reconciler = CardReconciler(
            settings,
            database,
            CardReader(slack.client, database),
            slack.connection.session,
            health,
            learning.wake,
            card_seconds=timing.card_seconds,
        )
        forgetting = ForgetService(
            database,
            memories,
            redact_now=redactor.redact_now,
            cancel_trace=learning.cancel_trace,
            invalidate=learning.invalidate,
        )
        members = ChannelMembers(slack.client)
        retention = Retention(settings, database)
        digests = WeeklyDigest(settings, database, memories, health, posting.wake)
        status = StatusReport(settings, database, memories, slack.connection.is_up, health)
        control = LocalControl(settings.data, forgetting)
        traces = TraceEndpoint(settings, database, memories, judging.wake)
        routes = Routes(
            take_traces=traces.post,
            trace_counts=traces.counts,
            status=status,
            forget=control.forget,
            token=secrets.ingest_token,
            slack=None if secrets.app_token else slack.app,
        )
        server = Server(settings.ingest, routes)

        async def learn() -> None:
            """Nothing is learned before what was to be forgotten is."""
            await resume_forgetting(database, forgetting)
            await learning.run()

        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "learning": learn,
            "posting": posting.run,
            "judging": judging.run,
            "covering what was forgotten": redactor.run,
            "catching up": reconciler.run,
            "erasing old traces": retention.run,
            "weekly digest": digests.run,
            "connecting to Slack": slack.connection.connect,
        }
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        context = ListenerContext(
            settings=settings,
            database=database,
            memories=memories,
            learning=learning,
            forgetting=forgetting,
            forget_access=ForgetAccess(settings, members),
            members=members,
            people=slack.people,
            status=status,
            client=slack.client,
            tasks=tasks,
        )
        listen(slack.app, context)
        await server.start()
        control.write_endpoint_file(settings.ingest.host, server.port)
        background = [tasks.create_task(supervise(part, run, health)) for part, run in parts.items()]
        try:
            yield Bot(
                settings=settings,
                database=database,
                memories=memories,
                slack=slack,
                forgetting=forgetting,
                reconciler=reconciler,
                status=status,
                health=health,
                url=_url(settings.ingest.host, server.port),
            )
        finally:
            await slack.connection.close()
            await context.finish(LAST_SECONDS)
            for task in background:
                task.cancel()
            control.remove_endpoint_file()
            await server.stop()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
