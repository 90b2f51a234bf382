"""The running bot: built from its parts, started as tasks of one group, and stopped in a fixed order."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from bot import connectors, forgetting, ingest, judging, learning, listeners, outbound, posting, reports, web
from bot.blocks.blind_card import verdict_hidden
from bot.blocks.primitives import SlackMessage
from bot.blocks.private_replies import verdict_in_words
from bot.blocks.why import MAX_CASES_IN_SHORT, why_message
from bot.config import Secrets, Settings
from bot.duties import CONNECTING, HEARING, REFRESHING, in_its_terms
from bot.forgetting.service import ForgetService
from bot.forgotten_content import ForgottenContent
from bot.judge_names import JudgeNames
from bot.judging.memories import check_model_keys, open_memories, open_unnamed_memories
from bot.judging.settings_changes import note_settings, renaming_offers
from bot.judging.value_problems import refuse_unfit_labels
from bot.learning.guideline_service import GuidelineService
from bot.learning.reconciliation import CARD_SECONDS, CardReconciler
from bot.learning.rollback_service import RollbackService
from bot.learning.worker import QUIET_SECONDS
from bot.listeners.after_ack import AfterAck
from bot.memory_refresh import MemoryRefresh
from bot.outbound import OutboundFlow
from bot.redaction.redactor import Redactor
from bot.reports import Reports
from bot.reports.status import StatusReport
from bot.reports.worsening_watch import CHECK_SECONDS
from bot.resources import Resources
from bot.runtime.health import HealthRegistry
from bot.runtime.metrics import Metrics
from bot.runtime.supervisor import Background, supervise
from bot.slack.service import open_slack
from bot.store_changes import StoreChanges
from bot.web.server import Server
from memalign.judge_memory import JudgeMemory
from memalign.records import TraceTarget
from storage.database import Database
from storage.records import StoredVerdict

log = logging.getLogger(__name__)

LAST_SECONDS = 4.0
"""Time that commands in hand get to come to their end after the bot was asked to stop."""
CLOSE_SECONDS = 2.0
"""Most time for closing the connection to Slack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The bot's pauses; the demo and the tests take shorter ones than a team."""

    post_seconds: float = 1.0
    """Between two posts in a channel: about what Slack allows."""
    settle_seconds: float = 3.0
    """From the start, or from a takeover, until what was on its way then is looked for: Slack may still take it in."""
    quiet_seconds: float = QUIET_SECONDS
    card_seconds: float = CARD_SECONDS
    check_seconds: float = CHECK_SECONDS
    """Between two looks whether a judge has got worse."""
    notice_seconds: float = 0.0
    """Least time for which `/readyz` says no, while requests are still answered, before the bot stops."""
    finish_seconds: float = 0.0
    """Most time that work in hand gets to come to its end then; what has not ended is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The bot, built."""

    resources: Resources
    forgetting: ForgetService
    guidelines: GuidelineService
    rollbacks: RollbackService
    reconciler: CardReconciler
    reports: Reports
    server: Server
    outbound: OutboundFlow
    wake_learning: Callable[[], None]
    wake_posting: Callable[[], None]
    background: Background

    @property
    def database(self) -> Database:
        """The store."""
        return self.resources.database

    @property
    def memories(self) -> Mapping[str, JudgeMemory]:
        """The judges' memories, by judge."""
        return self.resources.memories

    @property
    def status(self) -> StatusReport:
        """The status: what waits and why."""
        return self.reports.status

    @property
    def health(self) -> HealthRegistry:
        """The present problems of all parts."""
        return self.resources.health

    @property
    def url(self) -> str:
        """The address where it takes traces."""
        return self.server.url


THREAD_SWITCH_SECONDS = 0.000_2
"""Time after which a thread that computes lets another one in.

With Python's own 5 ms, which pass at each call of the store, Slack's acks waited up to 0.9 s while large bodies were
read in a thread; with these, up to 0.4 s (`tests.bench.acks`).
"""


@asynccontextmanager
async def running_bot(settings: Settings, secrets: Secrets, timing: Timing) -> AsyncIterator[Bot]:
    """Run the bot while the context is open.

    Raises:
        SettingsError: a token is missing or refused, the extra for names is missing, the port is taken, or a judge has
            learned from values that its type no longer has.
        ModelRefusedError: a model's key is missing.
        StorageError: the data folder cannot be used.
    """
    check_model_keys(settings)
    redactor = Redactor(settings.redaction)
    async with AsyncExitStack() as stack:
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(THREAD_SWITCH_SECONDS)
        database = await stack.enter_async_context(await Database.join(settings.data))
        await refuse_unfit_labels(settings, database)
        # before the memories are opened: it gives them a version
        await note_settings(settings, database)
        offers = await renaming_offers(settings, database)
        for offer in offers:
            log.warning("%s", offer.sentence)
        metrics = Metrics(settings.titles)
        resources = Resources(
            settings=settings,
            secrets=secrets,
            database=database,
            memories=await open_memories(settings, database, metrics.count_model_call),
            unnamed_memories=await open_unnamed_memories(settings, database),
            renaming_offers=offers,
            judge_names=JudgeNames(
                known=tuple(settings.titles), renamed=await database.judge_names.renamed()
            ),
            slack=await stack.enter_async_context(open_slack(secrets, database.deliveries, metrics)),
            redactor=redactor,
            health=HealthRegistry(),
            metrics=metrics,
        )
        bot = build(resources, timing)
        await bot.outbound.subscribe()
        stack.callback(gc.unfreeze)
        # what lives as long as the bot: to search it for garbage stopped everything for 100 ms again and again
        gc.freeze()
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        async with _at_work(bot, tasks, timing):
            yield bot


@asynccontextmanager
async def _at_work(bot: Bot, tasks: asyncio.TaskGroup, timing: Timing) -> AsyncIterator[None]:
    """Let a bot listen and work while the context is open; then end in the order that loses nothing."""
    after_ack = AfterAck(tasks)
    answers = listeners.build(
        bot.resources,
        bot.forgetting,
        bot.guidelines,
        bot.rollbacks,
        bot.reports,
        bot.wake_learning,
        bot.wake_posting,
        after_ack,
    )
    await bot.server.start()
    replica = bot.database.replica
    membership = tasks.create_task(replica.run())
    background = [
        tasks.create_task(supervise(part, in_its_terms(replica, part, run), bot.health))
        for part, run in {**bot.background, **answers}.items()
    ]
    try:
        yield
    finally:  # not ready, no new events and no new work, then what is in hand, then requests
        bot.health.work.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(bot.resources.slack.connection.close(), CLOSE_SECONDS)
        await asyncio.gather(
            after_ack.finish(LAST_SECONDS),
            bot.health.work.finish(timing.finish_seconds),
            asyncio.sleep(timing.notice_seconds),
        )
        for task in background:  # what is still in hand is given back: it stands in the store
            task.cancel()
        await asyncio.wait(background, timeout=LAST_SECONDS)
        # others may go on with all duties only once this process has ended its part in them
        await replica.leave()
        membership.cancel()
        await bot.server.stop()
        await after_ack.finish(0)


def build(resources: Resources, timing: Timing) -> Bot:
    """Build all parts; those of one flow reach another by the callbacks handed in here alone."""
    threads = learning.build_reading(resources)
    digests = reports.build_digests(resources)
    posts = posting.build(
        resources,
        threads.statuses.render_post,
        digests.render_post,
        digests.render_again,
        reports.build_warnings(resources).render_post,
        pace_seconds=timing.post_seconds,
        settle_seconds=timing.settle_seconds,
    )
    judges = judging.build(resources, posts.wake)
    figures = reports.build(resources, digests, posts.wake, timing.check_seconds)

    content = ForgottenContent(resources.database)

    async def redact_now() -> None:
        """Let Slack and tracing tools show nothing any more of what was just forgotten."""
        await content.redact(
            messages=posts.redact_now,
            threads=lessons.update_threads,
            cards=lessons.update_cards,
            tools=tools.write_now,
        )

    async def explain(stored: StoredVerdict) -> SlackMessage:
        """Answer a question about a verdict; what its judge has learned is for the judge's own channel only."""
        if stored.is_hidden:
            return verdict_hidden()
        is_at_home = any(
            judge.name == stored.verdict.judge and judge.channel == stored.channel
            for judge in resources.settings.judges
        )
        evidence = await figures.evidence.read(stored, MAX_CASES_IN_SHORT) if is_at_home else None
        if evidence is None:
            return verdict_in_words(stored.verdict.value, stored.verdict.rationale)
        return why_message(evidence)

    lessons = learning.build(
        resources,
        threads,
        posts.wake,
        posts.cards.show_verdict,
        explain,
        timing.quiet_seconds,
        timing.card_seconds,
    )
    refresh = MemoryRefresh(
        resources.database, {**resources.unnamed_memories, **resources.memories}, lessons.wake
    )
    forgets = forgetting.build(
        resources, redact_now, lessons.cancel_trace, lessons.invalidate, refresh.refresh
    )
    arrivals = ingest.build(resources, judges.admission)

    async def forget_trace(trace_id: str) -> None:
        """Forget a trace that was deleted in the tool that it was read from."""
        await forgets.service.forget(TraceTarget(trace_id=trace_id), None)

    receivers = outbound.build(resources)
    tools = connectors.build(resources, judges.admission, lessons.wake, forget_trace)

    async def learn() -> None:
        """Learn only once everything is forgotten that an earlier run was asked to forget."""
        await forgets.resume()
        await lessons.learn()

    async def try_guidelines() -> None:
        """Show models no case that an earlier run was asked to forget."""
        await forgets.resume()
        await lessons.try_guidelines()

    changes = StoreChanges(
        resources.database,
        {
            "jobs": (judges.wake,),
            "outbox": (posts.wake,),
            "pending_feedback": (lessons.wake,),
            "unread_replies": (lessons.wake,),
            "thread_statuses": (lessons.wake_threads,),
            "memories": (refresh.wake,),
        },
        forgets.read_requests,
    )

    return Bot(
        resources=resources,
        forgetting=forgets.service,
        guidelines=lessons.guidelines,
        rollbacks=lessons.rollbacks,
        reconciler=lessons.reconciler,
        reports=figures,
        server=web.build(
            resources,
            web.Intakes(traces=arrivals.traces, spans=arrivals.spans, assembly=arrivals.span_worker),
            forgets.service,
            lessons.guidelines,
            lessons.rollbacks,
            figures.status,
            receivers.figures,
        ),
        outbound=receivers,
        wake_learning=lessons.wake,
        wake_posting=posts.wake,
        background={
            "learning": learn,
            "trying rules": try_guidelines,
            CONNECTING: resources.slack.connection.connect,
            HEARING: changes.run,
            REFRESHING: refresh.run,
            **arrivals.background,
            **judges.background,
            **posts.background,
            **lessons.background,
            **forgets.background,
            **figures.background,
            **tools.background,
            **receivers.background,
        },
    )
