"""Events that wait for their receivers, as the store tells while no bot runs."""

from bot.config import Settings
from bot.outbound.kinds import collector_name, webhook_names
from bot.outbound.otlp_logs import collector_key
from bot.outbound.webhook import webhook_key
from bot.plain_text import pluralise
from storage.database import Database


async def waiting_events(settings: Settings, database: Database) -> list[str]:
    """Return a sentence for each receiver that events wait for. Raises `StorageError`."""
    names = webhook_names(settings.webhooks)
    keys = {name: webhook_key(webhook) for name, webhook in zip(names, settings.webhooks, strict=True)}
    if settings.otlp.endpoint:
        keys[collector_name(settings.otlp)] = collector_key(settings.otlp)
    sentences = []
    for name, receiver in keys.items():
        backlog = await database.outbound_events.backlog(receiver)
        if backlog.waiting:
            reason = f"{backlog.reason}; " if backlog.reason else ""
            sentences.append(f"{name}: {reason}{pluralise(backlog.waiting, 'event')} waiting")
    return sentences
