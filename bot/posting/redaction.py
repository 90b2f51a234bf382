"""Redaction: messages in Slack that show deleted content get a note in its place; retried until Slack takes it."""

import asyncio
import logging
from collections import Counter
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.forget import expired_card, forgotten_card, forgotten_reply
from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import lesson_taken_back
from bot.posting.digest_editor import DigestEditor
from bot.posting.message_edits import MessageEdits
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import backoff_ms, from_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.slack.errors import SlackCallError, SlackRefusedError
from bot.slack.users import People
from storage.database import Database
from storage.records import Redaction

log = logging.getLogger(__name__)

COMPONENT = "redacting messages"
UNCHANGEABLE = {"message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed"}
"""Codes after which a retry is of no use: the message is gone, or Slack lets nobody change it."""
MAX_FAILURES_IN_A_ROW = 3
"""Failures after which the other messages of a channel wait without being tried: Slack, or the channel, is down."""
LONGEST_PAUSE_MS = 300_000
REDACT_EVERY_SECONDS = 5.0
REDACT_NOW_SECONDS = 10.0
"""Time that a forget waits for Slack; messages not redacted by then are redacted later."""


class MessageRedactor:
    """Redacts messages one after the other."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        health: HealthRegistry,
        people: People,
        zone: ZoneInfo,
        edits: MessageEdits,
        digests: DigestEditor | None = None,
    ) -> None:
        """`zone` is the time zone in which the notes tell the day; without `digests` these wait for the bot."""
        self._client = client
        self._edits = edits
        self._digests = digests
        self._people = people
        self._zone = zone
        self._database = database
        self._health = health
        self._lock = asyncio.Lock()
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._failures: Counter[str] = Counter()
        """Channel -> failures in a row."""

    async def run(self) -> None:
        """Redact until cancelled."""
        while True:
            await self._redact_due()
            await asyncio.sleep(REDACT_EVERY_SECONDS)

    async def redact_now(self) -> None:
        """Redact what is due, as far as Slack answers within `REDACT_NOW_SECONDS`."""
        try:
            async with asyncio.timeout(REDACT_NOW_SECONDS):
                await self._redact_due()
        except TimeoutError:
            log.warning("Slack does not answer; the messages that show forgotten content are redacted later")

    async def _redact_due(self) -> None:
        async with self._lock:
            for redaction in await self._database.forgetting.redactions_due(now_ms()):
                is_later = redaction.kind == "digest" and self._digests is None
                if not is_later and not self._breaker.is_open(redaction.channel):
                    await self._redact(redaction)

    async def _redact(self, redaction: Redaction) -> None:
        try:
            async with self._edits.turn(redaction.channel, redaction.ts):
                await self._replace(redaction)
        except SlackCallError as error:
            await self._refused(redaction, error)
        except Exception:  # a bug on one message must not stop the others
            await self._postpone(redaction, unexpected(f"redacting the message at {redaction.ts}"))
        else:
            await self._redacted(redaction)

    async def _replace(self, redaction: Redaction) -> None:
        if redaction.kind == "remove":
            await self._client.chat_delete(channel=redaction.channel, ts=redaction.ts)
            return
        if redaction.kind == "digest" and self._digests is not None:
            await self._digests.edit(redaction.channel, redaction.ts)
            return
        message = await self._message_for(redaction)
        await self._client.chat_update(
            channel=redaction.channel,
            ts=redaction.ts,
            **message.arguments(),
            metadata={"event_type": "memalign_forgotten", "event_payload": {}},
        )

    async def _refused(self, redaction: Redaction, error: SlackCallError) -> None:
        code = error.code if isinstance(error, SlackRefusedError) else None
        if code in UNCHANGEABLE:
            log.info("the message at %s cannot be redacted: %s", redaction.ts, code)
            await self._redacted(redaction)
        else:
            self._count_failure(redaction.channel, error)
            await self._postpone(redaction, str(error))

    def _count_failure(self, channel: str, error: SlackCallError) -> None:
        """Spare a channel in which nothing can be changed now: what is left there costs no call and no write."""
        self._failures[channel] += 1
        pause_ms = error.pause_ms if isinstance(error, SlackRefusedError) else None
        if pause_ms is not None or self._failures[channel] >= MAX_FAILURES_IN_A_ROW:
            self._breaker.record_failure(channel, pause_ms or 0)

    async def _redacted(self, redaction: Redaction) -> None:
        del self._failures[redaction.channel]
        self._breaker.record_success(redaction.channel)
        self._health.report(COMPONENT, redaction.channel, None)
        await self._database.forgetting.redacted(redaction)
        log_activity(log, "message redacted", channel=redaction.channel, message_ts=redaction.ts)

    async def _postpone(self, redaction: Redaction, reason: str) -> None:
        sentence = f"a message that shows what was forgotten still stands: {reason}"
        self._health.report(COMPONENT, redaction.channel, sentence)
        log.warning("%s, at %s: %s", redaction.channel, redaction.ts, sentence)
        not_before_ms = now_ms() + backoff_ms(redaction.attempts)
        await self._database.forgetting.postpone(redaction, not_before_ms, reason)

    async def _message_for(self, redaction: Redaction) -> SlackMessage:
        """Return the note that takes the message's place."""
        match redaction.kind:
            case "taken_back":
                return lesson_taken_back()
            case "expired":
                return expired_card()
            case "forgotten_reply":
                return forgotten_reply()
            case _:
                name = await self._people.name(redaction.person) if redaction.person else None
                return forgotten_card(from_ms(redaction.created_ms or now_ms(), self._zone), name)
