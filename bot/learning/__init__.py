"""Flow B: feedback is gathered, learned by the judge's memory, and told in the thread."""

from collections.abc import Callable, Mapping

from bot.learning.gathering import FeedbackGatherer
from bot.learning.thread_replies import ThreadReplies
from bot.learning.worker import LearningWorker
from bot.runtime.health import HealthRegistry
from bot.slack.service import SlackService
from memalign.judge_memory import JudgeMemory
from storage.database import Database


def build(
    slack: SlackService,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    health: HealthRegistry,
    wake_posting: Callable[[], None],
    *,
    quiet_seconds: float,
) -> LearningWorker:
    """Build the worker that learns."""
    replies = ThreadReplies(slack.client, database, slack.people, wake_posting)
    gatherer = FeedbackGatherer(database, slack.people)
    return LearningWorker(database, memories, gatherer, replies, health, quiet_seconds=quiet_seconds)
