"""The place of a private message about a card: its thread where that is active, else the channel."""

from storage.database import Database


async def active_thread(database: Database, verdict_id: str, card_ts: str) -> str | None:
    """Return the time of a verdict's card if somebody, or the bot, has replied to it; else None.

    Slack shows a private message in a thread only where the thread is active already; elsewhere it belongs into the
    channel, beneath the card. Raises `StorageError`.
    """
    status = await database.thread_statuses.get(verdict_id)
    if status is not None and status.message_ts is not None:
        return card_ts
    feedback = await database.feedback.all_of(verdict_id)
    has_reply = any(
        reply.text and ts != card_ts for each in feedback.values() for ts, reply in each.replies.items()
    )
    return card_ts if has_reply else None
