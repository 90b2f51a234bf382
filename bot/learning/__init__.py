"""Flow B: feedback is gathered, learned by the judge's memory, and told in the thread."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial

from bot.call_budget import budget_for
from bot.learning.blind_card_updater import BlindCardUpdater, ShowVerdict
from bot.learning.card_reader import CardReader
from bot.learning.feedback_gatherer import FeedbackGatherer
from bot.learning.guideline_service import GuidelineService
from bot.learning.outdated_vectors import OutdatedVectors
from bot.learning.private_replies import Explain, PrivateReplies
from bot.learning.reconciliation import CardReconciler
from bot.learning.rollback_service import RollbackService
from bot.learning.teach_access import TeachAccess
from bot.learning.thread_status_reader import ThreadStatusReader
from bot.learning.thread_updater import ThreadUpdater
from bot.learning.trial_worker import TrialWorker
from bot.learning.worker import LearningWorker
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningFlow:
    """The parts of learning that other flows and the listeners reach."""

    wake: Callable[[], None]
    wake_threads: Callable[[], None]
    cancel_trace: Callable[[str], None]
    invalidate: Callable[[Collection[str]], None]
    reconciler: CardReconciler
    guidelines: GuidelineService
    rollbacks: RollbackService
    update_threads: Callable[[], Awaitable[None]]
    """Edits what threads tell that is not so any more, as far as Slack answers in time."""
    update_cards: Callable[[], Awaitable[None]]
    """Edits what blind cards tell that is not so any more, as `update_threads` does."""
    learn: Callable[[], Awaitable[None]]
    """Learns until cancelled; to begin once everything is forgotten that an earlier run was asked to forget."""
    try_guidelines: Callable[[], Awaitable[None]]
    """Tries new guidelines on earlier cases until cancelled; to begin as `learn`."""
    background: Background


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadReading:
    """Readers of the present state of threads, for posting and learning alike."""

    statuses: ThreadStatusReader


def build_reading(resources: Resources) -> ThreadReading:
    """Build what reads the statuses of threads."""
    statuses = ThreadStatusReader(
        resources.database,
        resources.memories,
        resources.slack.people,
        show_votes=resources.settings.access.show_votes,
        show_reasons=not resources.settings.access.private_reasons,
    )
    return ThreadReading(statuses=statuses)


def build(
    resources: Resources,
    threads: ThreadReading,
    wake_posting: Callable[[], None],
    show_verdict: ShowVerdict,
    explain: Explain,
    quiet_seconds: float,
    card_seconds: float,
) -> LearningFlow:
    """Build what learns feedback that rested for `quiet_seconds`, and what reads cards again, one in `card_seconds`.

    `show_verdict` edits cards that asked first; `explain` answers questions about verdicts.
    """
    database, slack, health = resources.database, resources.slack, resources.health
    updater = ThreadUpdater(
        slack.client, database, threads.statuses, health, wake_posting, pause_seconds=quiet_seconds / 4
    )
    access = TeachAccess(resources.settings.access.teach, slack.people, slack.members, database)
    gatherer = FeedbackGatherer(database, access)
    worker = LearningWorker(
        database,
        resources.memories,
        gatherer,
        updater,
        health,
        resources.metrics,
        reflection_model=resources.settings.memory.reflection_lm,
        quiet_seconds=quiet_seconds,
    )
    trials = TrialWorker(resources.memories, budget_for("trials", resources), health, updater.wake)
    answers = PrivateReplies(
        slack.client,
        database,
        resources.memories,
        access,
        explain,
        health,
        quiet_seconds=quiet_seconds,
    )

    def wake() -> None:
        """Look for changed feedback, for replies to answer, and for verdicts to show."""
        worker.wake()
        answers.wake()
        blind_cards.wake()

    reconciler = CardReconciler(
        resources.settings,
        database,
        CardReader(slack.client, database, resources.redactor.event),
        slack.connection.session,
        health,
        wake,
        card_seconds=card_seconds,
    )
    blind_cards = BlindCardUpdater(
        database,
        resources.memories,
        gatherer,
        slack.people,
        reconciler.read_missed,
        show_verdict,
        health,
        worker.wake,
        show_votes=resources.settings.access.show_votes,
    )

    return LearningFlow(
        wake=wake,
        wake_threads=updater.wake,
        cancel_trace=worker.cancel_trace,
        invalidate=worker.invalidate,
        reconciler=reconciler,
        guidelines=GuidelineService(resources.memories, updater.wake),
        rollbacks=RollbackService(
            database,
            resources.memories,
            {judge.name: judge.channel for judge in resources.settings.judges},
            updater.wake,
            wake_posting,
        ),
        update_threads=updater.update_now,
        update_cards=blind_cards.update_now,
        learn=worker.run,
        try_guidelines=trials.run,
        background={
            "answering replies": answers.run,
            "deleting outdated vectors": OutdatedVectors(database, resources.memories).run,
            "reading cards": reconciler.run,
            "showing verdicts": blind_cards.run,
            "reviewing who may teach": access.run,
            "updating threads": partial(updater.run, tuple(resources.memories)),
        },
    )
