"""A webhook: a server of the team's own that is told of changes by signed requests, as Standard Webhooks 1.0 says."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from bot.config import WebhookSettings
from bot.config.settings import WebhookEvent
from bot.outbound.errors import ReceiverGoneError
from bot.outbound.http_sender import HttpSender
from bot.outbound.payloads import EventPayloads
from bot.outbound.signature import signature
from bot.runtime.clock import now_ms
from storage.keys import digest
from storage.records import EventSubscription, OutboundEvent, OutboundEventType

EVENT_TYPES: Mapping[WebhookEvent, Sequence[OutboundEventType]] = {
    "verdict": ("verdict.created", "verdict.changed"),
    "vote": ("vote.changed",),
    "lesson": (
        "lesson.learned",
        "lesson.changed",
        "lesson.retired",
        "lesson.edited",
        "lesson.restored",
        "lesson.pinned",
        "lesson.unpinned",
        "lesson.approved",
        "lesson.undone",
    ),
    "forget": ("trace.forgotten", "person.forgotten"),
}


class Webhook:
    """One webhook of the settings."""

    def __init__(
        self, name: str, settings: WebhookSettings, keys: Sequence[bytes], payloads: EventPayloads
    ) -> None:
        self.name = name
        self._keys = keys
        self._payloads = payloads
        self._sender = HttpSender(settings.url, "the webhook's url", "its signing secret")
        types = tuple(each for event in settings.events for each in EVENT_TYPES[event])
        self.subscription = EventSubscription(
            receiver=webhook_key(settings), types=types, judges=tuple(settings.judges)
        )

    async def deliver(self, event: OutboundEvent) -> bool:
        """Send a change; see `bot.outbound.receiver.EventReceiver`."""
        payload = await self._payloads.of(event.change)
        if payload is None:
            return False
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        seconds = now_ms() // 1000
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(self._keys, event.event_id, seconds, body),
        }
        status, _ = await self._sender.post(body, headers)
        if status == HTTPStatus.GONE:
            raise ReceiverGoneError(
                "it says that it is gone (410), and is told nothing until the next start; "
                "remove it from the settings, or correct its url"
            )
        self._sender.require_success(status)
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()


def webhook_key(settings: WebhookSettings) -> str:
    """Return the key by which the store knows a webhook."""
    return f"webhook:{digest(settings.url)[:20]}"
