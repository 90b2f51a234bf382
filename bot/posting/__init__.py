"""From the outbox to Slack: cards and replies posted, messages redacted."""

from collections.abc import Mapping

from slack_sdk.web.async_client import AsyncWebClient

from bot.posting.rendering import PostRenderer
from bot.posting.sending import PostSender
from bot.posting.worker import PostingWorker
from bot.runtime.health import HealthRegistry
from memalign.judge_memory import JudgeMemory
from storage.database import Database


def build(
    client: AsyncWebClient,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    health: HealthRegistry,
    *,
    pace_seconds: float,
) -> PostingWorker:
    """Build the worker that posts; `client` must not repeat calls by itself."""
    sender = PostSender(client, database, PostRenderer(database, memories).render, health)
    return PostingWorker(database, sender, health, pace_seconds=pace_seconds)
