"""Builds everything by hand, opens it in order, and closes it in the opposite one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.config import Secrets, Settings
from bot.forgetting.access import ForgetAccess
from bot.forgetting.resume import resume_forgetting
from bot.forgetting.retention import Retention
from bot.forgetting.service import ForgetService
from bot.ingest.http import HttpSource
from bot.judging.memories import models_of, open_memories
from bot.judging.worker import Intake
from bot.learning.reconciliation import PACE_SECONDS, CardReconciler
from bot.learning.thread_replies import ThreadReplies
from bot.learning.worker import Learning
from bot.listeners import listen
from bot.listeners.context import ListenerContext
from bot.posting.redaction import MessageRedactor
from bot.posting.rendering import Cards
from bot.posting.worker import Outbox
from bot.reports.status import StatusReport
from bot.reports.weekly_digest import WeeklyDigest
from bot.runtime.supervisor import supervise
from bot.slack.channel_members import ChannelMembers
from bot.slack.connection import Connection, build_plain_client, build_slack, check_tokens
from bot.slack.users import People
from bot.web.local_control import LocalControl
from bot.web.server import Routes, Server
from memalign.judge_memory import JudgeMemory
from memalign.models import check_key
from memalign.models.endpoint import max_concurrency
from storage.database import Database

LAST_SECONDS = 4.0
"""How long work in hand may go on after the bot was asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
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
    memories: Mapping[str, JudgeMemory]
    forgetting: ForgetService
    reconciler: CardReconciler
    status: StatusReport
    url: str
    """Where it takes traces."""


@asynccontextmanager
async def running_bot(settings: Settings, secrets: Secrets, pace: Timing) -> AsyncIterator[Bot]:
    """Run the bot while the context is open.

    Raises:
        SettingsError: a token is missing or refused, or the port is taken.
        ModelRefusedError: a model's key is missing.
        StorageError: the data folder cannot be used.
    """
    workers = max_concurrency()
    for model in models_of(settings):
        check_key(model)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.data)
        stack.push_async_callback(database.close)
        memories = await open_memories(settings, database)
        slack = build_slack(secrets)
        await check_tokens(slack, secrets)
        connection = Connection(slack, secrets)
        stack.push_async_callback(connection.close)  # also when the start goes no further
        people = People(slack.client)
        outbox = Outbox(
            build_plain_client(secrets), database, Cards(database, memories).render, pace.post_seconds
        )
        intake = Intake(settings, database, memories, outbox.wake, workers=workers)
        thread_replies = ThreadReplies(slack.client, database, people, outbox.wake)
        learning = Learning(database, memories, people, thread_replies, quiet_seconds=pace.quiet_seconds)
        redactor = MessageRedactor(slack.client, database)
        forgetting = ForgetService(
            database,
            memories,
            redact_now=redactor.now,
            cancel_trace=learning.leave_out,
            invalidate=learning.take_back,
        )
        members = ChannelMembers(slack.client)
        reconciler = CardReconciler(
            settings,
            database,
            slack.client,
            connection.session,
            learning.wake,
            pace_seconds=pace.card_seconds,
        )
        retention = Retention(settings, database)
        parts = (outbox, intake, learning, redactor, reconciler, retention)
        unsteady: dict[str, str] = {}
        troubles = [*(part.trouble for part in parts), unsteady]
        status = StatusReport(settings, database, memories, connection.is_up, troubles)
        control = LocalControl(settings.data, forgetting)
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
        context = ListenerContext(
            settings=settings,
            database=database,
            memories=memories,
            learning=learning,
            forgetting=forgetting,
            forget_access=ForgetAccess(settings, members),
            members=members,
            people=people,
            status=status,
            client=slack.client,
            tasks=tasks,
        )
        listen(slack, context)
        await server.start()
        stack.push_async_callback(server.stop)
        control.write_endpoint_file(settings.ingest.host, server.port)
        stack.callback(control.remove_endpoint_file)

        async def resume_then_learn() -> None:
            await resume_forgetting(database, forgetting)
            await learning.run()

        running: dict[str, Callable[[], Awaitable[None]]] = {
            "learning": resume_then_learn,
            "posting": outbox.run,
            "judging": intake.run,
            "covering what was forgotten": redactor.run,
            "catching up": reconciler.run,
            "erasing old traces": retention.run,
        }
        at_work = [tasks.create_task(supervise(run, part, unsteady)) for part, run in running.items()]
        at_work.append(tasks.create_task(connection.run()))
        stack.callback(lambda: [task.cancel() for task in at_work])
        stack.push_async_callback(context.finish, LAST_SECONDS)
        stack.push_async_callback(connection.close)
        await digests.start()
        stack.callback(digests.stop)
        host = f"[{settings.ingest.host}]" if ":" in settings.ingest.host else settings.ingest.host
        yield Bot(
            settings=settings,
            database=database,
            memories=memories,
            forgetting=forgetting,
            reconciler=reconciler,
            status=status,
            url=f"http://{host}:{server.port}",
        )
