"""From the outbox to Slack: cards and replies posted, messages redacted."""

from collections.abc import Mapping

from bot.posting.rendering import PostRenderer
from bot.posting.sending import PostSender
from bot.posting.worker import PostingWorker
from bot.runtime.health import HealthRegistry
from bot.slack.service import SlackService
from memalign.judge_memory import JudgeMemory
from storage.database import Database


def build(
    slack: SlackService,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    health: HealthRegistry,
    *,
    pace_seconds: float,
) -> PostingWorker:
    """Build the worker that posts, with `pace_seconds` between two posts in a channel."""
    renderer = PostRenderer(database, memories)
    sender = PostSender(slack.posting_client, database, renderer.render, health)
    return PostingWorker(database, sender, health, pace_seconds=pace_seconds)
