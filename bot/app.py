"""The running bot: built from its parts, started as tasks of one group, and stopped in a fixed order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot import learning as learning_flow
from bot import listeners, web
from bot import posting as posting_flow
from bot.config import Secrets, Settings
from bot.forgetting.resume import resume_forgetting
from bot.forgetting.retention import Retention
from bot.forgetting.service import ForgetService
from bot.ingest.http import TraceEndpoint
from bot.judging.memories import check_model_keys, open_memories
from bot.judging.worker import JudgingWorker
from bot.learning.reconciliation import CARD_SECONDS, CardReconciler
from bot.learning.teach_access import TeachAccess
from bot.learning.worker import QUIET_SECONDS
from bot.listeners.after_ack import AfterAck
from bot.posting.redaction import MessageRedactor
from bot.redaction.redactor import Redactor
from bot.reports.status import StatusReport
from bot.reports.weekly_digest import WeeklyDigest
from bot.runtime.health import HealthRegistry
from bot.runtime.supervisor import supervise
from bot.slack.service import SlackService, open_slack
from bot.web.server import Server
from memalign.judge_memory import JudgeMemory
from memalign.models.endpoint import max_concurrency
from storage.database import Database

LAST_SECONDS = 4.0
"""Time that commands in hand get to come to their end after the bot was asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The bot's pauses; the demo and the tests take shorter ones than a team."""

    post_seconds: float = 1.0
    """Between two posts in a channel: about what Slack allows."""
    quiet_seconds: float = QUIET_SECONDS
    card_seconds: float = CARD_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The bot, built."""

    settings: Settings
    database: Database
    memories: Mapping[str, JudgeMemory]
    slack: SlackService
    forgetting: ForgetService
    reconciler: CardReconciler
    status: StatusReport
    health: HealthRegistry
    server: Server
    wake_learning: Callable[[], None]
    background: Mapping[str, Callable[[], Awaitable[None]]]
    """Background parts by their names in `status`; a call begins the part's work anew."""

    @property
    def url(self) -> str:
        """The address where it takes traces."""
        return self.server.url


@asynccontextmanager
async def running_bot(settings: Settings, secrets: Secrets, timing: Timing) -> AsyncIterator[Bot]:
    """Run the bot while the context is open.

    Raises:
        SettingsError: a token is missing or refused, the extra for names is missing, or the port is taken.
        ModelRefusedError: a model's key is missing.
        StorageError: the data folder cannot be used.
    """
    check_model_keys(settings)
    redactor = Redactor(settings.redaction)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(await Database.open(settings.data))
        memories = await open_memories(settings, database)
        slack = await stack.enter_async_context(open_slack(secrets))
        bot = build(settings, secrets, timing, database, memories, slack, redactor)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        after_ack = AfterAck(tasks)
        listeners.build(
            settings,
            slack,
            database,
            memories,
            redactor,
            bot.forgetting,
            bot.status,
            bot.wake_learning,
            after_ack,
        )
        await bot.server.start()
        background = [
            tasks.create_task(supervise(part, run, bot.health)) for part, run in bot.background.items()
        ]
        try:
            yield bot
        finally:  # no new events, then answers in hand, then background work, then requests in hand
            await slack.connection.close()
            await after_ack.finish(LAST_SECONDS)
            for task in background:
                task.cancel()
            await bot.server.stop()


def build(
    settings: Settings,
    secrets: Secrets,
    timing: Timing,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    slack: SlackService,
    redactor: Redactor,
) -> Bot:
    """Build all parts; those of one flow reach another by the callbacks handed in here alone."""
    health = HealthRegistry()
    posting = posting_flow.build(slack, database, memories, health, pace_seconds=timing.post_seconds)
    message_redactor = MessageRedactor(slack.client, database, health)
    judging = JudgingWorker(settings, database, memories, health, posting.wake, concurrency=max_concurrency())
    teach_access = TeachAccess(settings.access.teach, slack.people, database)
    learning = learning_flow.build(
        slack, database, memories, teach_access, health, posting.wake, quiet_seconds=timing.quiet_seconds
    )
    reconciler = learning_flow.build_reconciler(
        settings, slack, database, redactor, health, learning.wake, card_seconds=timing.card_seconds
    )
    forgetting = ForgetService(
        database,
        memories,
        redact_now=message_redactor.redact_now,
        cancel_trace=learning.cancel_trace,
        invalidate=learning.invalidate,
    )
    status = StatusReport(settings, database, memories, slack.connection.is_up, health)
    traces = TraceEndpoint(settings, database, memories, redactor, judging.wake)

    async def learn() -> None:
        """Learn only once everything is forgotten that an earlier run was asked to forget."""
        await resume_forgetting(database, forgetting)
        await learning.run()

    return Bot(
        settings=settings,
        database=database,
        memories=memories,
        slack=slack,
        forgetting=forgetting,
        reconciler=reconciler,
        status=status,
        health=health,
        server=web.build(settings, secrets, slack, traces, forgetting, status, health),
        wake_learning=learning.wake,
        background={
            "learning": learn,
            "reviewing who may teach": teach_access.run,
            "posting": posting.run,
            "judging": judging.run,
            "redacting messages": message_redactor.run,
            "reading cards": reconciler.run,
            "deleting old traces": Retention(settings, database).run,
            "weekly digest": WeeklyDigest(settings, database, memories, health, posting.wake).run,
            "connecting to Slack": slack.connection.connect,
        },
    )
