"""Flow B: feedback is gathered, learned by the judge's memory, and told in the thread."""

from collections.abc import Callable, Mapping

from bot.config import Settings
from bot.learning.card_reader import CardReader
from bot.learning.feedback_gatherer import FeedbackGatherer
from bot.learning.reconciliation import CardReconciler
from bot.learning.teach_access import TeachAccess
from bot.learning.thread_replies import ThreadReplies
from bot.learning.worker import LearningWorker
from bot.redaction.redactor import Redactor
from bot.runtime.health import HealthRegistry
from bot.slack.service import SlackService
from memalign.judge_memory import JudgeMemory
from storage.database import Database


def build(
    slack: SlackService,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    access: TeachAccess,
    health: HealthRegistry,
    wake_posting: Callable[[], None],
    *,
    quiet_seconds: float,
) -> LearningWorker:
    """Build the worker that learns from feedback which rested for `quiet_seconds`."""
    replies = ThreadReplies(slack.client, database, slack.people, wake_posting)
    gatherer = FeedbackGatherer(database, access)
    return LearningWorker(database, memories, gatherer, replies, health, quiet_seconds=quiet_seconds)


def build_reconciler(
    settings: Settings,
    slack: SlackService,
    database: Database,
    redactor: Redactor,
    health: HealthRegistry,
    wake_learning: Callable[[], None],
    *,
    card_seconds: float,
) -> CardReconciler:
    """Build what reads the cards after a gap in the connection, one in `card_seconds`."""
    reader = CardReader(slack.client, database, redactor.event)
    session = slack.connection.session
    return CardReconciler(
        settings, database, reader, session, health, wake_learning, card_seconds=card_seconds
    )
