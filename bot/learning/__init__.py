"""Flow B: feedback is gathered, learned by the judge's memory, and told in the thread."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from bot.learning.card_reader import CardReader
from bot.learning.feedback_gatherer import FeedbackGatherer
from bot.learning.guideline_approval import GuidelineApproval
from bot.learning.private_replies import Explain, PrivateReplies
from bot.learning.reconciliation import CardReconciler
from bot.learning.teach_access import TeachAccess
from bot.learning.thread_replies import ThreadReplies
from bot.learning.worker import LearningWorker
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningFlow:
    """The parts of learning that other flows and the listeners reach."""

    wake: Callable[[], None]
    cancel_trace: Callable[[str], None]
    invalidate: Callable[[Collection[str]], None]
    reconciler: CardReconciler
    approval: GuidelineApproval
    learn: Callable[[], Awaitable[None]]
    """Learns until cancelled; to begin once everything is forgotten that an earlier run was asked to forget."""
    background: Background


def build(
    resources: Resources,
    wake_posting: Callable[[], None],
    explain: Explain,
    quiet_seconds: float,
    card_seconds: float,
) -> LearningFlow:
    """Build what learns feedback that rested for `quiet_seconds`, and what reads cards again, one in `card_seconds`.

    `explain` answers questions about verdicts.
    """
    database, slack, health = resources.database, resources.slack, resources.health
    replies = ThreadReplies(slack.client, database, slack.people, wake_posting)
    access = TeachAccess(resources.settings.access.teach, slack.people, slack.members, database)
    gatherer = FeedbackGatherer(database, access)
    worker = LearningWorker(
        database,
        resources.memories,
        gatherer,
        replies,
        health,
        reflection_model=resources.settings.memory.reflection_lm,
        quiet_seconds=quiet_seconds,
    )
    answers = PrivateReplies(
        slack.client, database, resources.memories, access, explain, health, quiet_seconds=quiet_seconds
    )

    def wake() -> None:
        """Look for changed feedback, and for replies to answer."""
        worker.wake()
        answers.wake()

    reconciler = CardReconciler(
        resources.settings,
        database,
        CardReader(slack.client, database, resources.redactor.event),
        slack.connection.session,
        health,
        wake,
        card_seconds=card_seconds,
    )
    return LearningFlow(
        wake=wake,
        cancel_trace=worker.cancel_trace,
        invalidate=worker.invalidate,
        reconciler=reconciler,
        approval=GuidelineApproval(database, resources.memories, replies),
        learn=worker.run,
        background={
            "answering replies": answers.run,
            "reading cards": reconciler.run,
            "reviewing who may teach": access.run,
        },
    )
