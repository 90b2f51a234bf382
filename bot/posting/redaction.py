"""What Slack still shows of things forgotten -> a word on why it is gone; tried until Slack has taken it."""

import asyncio
import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.forget import expired_card, forgotten_card
from bot.blocks.primitives import Message
from bot.blocks.thread import lesson_taken_back
from bot.runtime.clock import backoff_ms, now_ms
from bot.slack.errors import LOST, UNREACHABLE, remedy
from storage.database import Database
from storage.records import Redaction, RedactionKind

log = logging.getLogger(__name__)

PAST_HELP = {"message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed"}
"""Errors after which trying again is of no use: the message is gone, or Slack lets nobody change it."""
EVERY_SECONDS = 5.0
AT_ONCE_SECONDS = 10.0
"""How long whoever forgot waits for Slack; what is not covered by then is covered later."""


class MessageRedactor:
    """Covers messages one after the other, and removes last bytes that a reader of the store kept alive."""

    def __init__(self, client: AsyncWebClient, database: Database) -> None:
        self._client = client
        self._database = database
        self._one_at_a_time = asyncio.Lock()
        self.trouble: dict[str, str] = {}
        """Channel -> why a message in it still shows what was forgotten."""

    async def run(self) -> None:
        """Cover until cancelled."""
        while True:
            await self._round()
            await asyncio.sleep(EVERY_SECONDS)

    async def now(self) -> None:
        """Cover what is due, as far as Slack answers quickly."""
        try:
            async with asyncio.timeout(AT_ONCE_SECONDS):
                await self._round()
        except TimeoutError:
            log.warning("Slack does not answer; what it shows of the forgotten is covered later")

    async def _round(self) -> None:
        async with self._one_at_a_time:
            for cover in await self._database.forgetting.redactions():
                if cover.not_before_ms <= now_ms():
                    await self._cover(cover)

    async def _cover(self, cover: Redaction) -> None:
        try:
            await self._put(cover)
        except SlackApiError as error:
            if error.response.get("error") in PAST_HELP:
                log.info("the message at %s cannot be covered: %s", cover.ts, error.response.get("error"))
                await self._redacted(cover)
            else:
                await self._postpone(cover, remedy(error))
        except LOST as error:
            log.warning("the message at %s cannot be covered yet: %s", cover.ts, type(error).__name__)
            await self._postpone(cover, UNREACHABLE)
        else:
            await self._redacted(cover)

    async def _put(self, cover: Redaction) -> None:
        if cover.kind == "remove":
            await self._client.chat_delete(channel=cover.channel, ts=cover.ts)
            return
        message = words_for(cover.kind)
        await self._client.chat_update(
            channel=cover.channel,
            ts=cover.ts,
            text=message.text,
            blocks=list(message.blocks),
            metadata={"event_type": "memalign_forgotten", "event_payload": {}},
        )

    async def _redacted(self, cover: Redaction) -> None:
        self.trouble.pop(cover.channel, None)
        await self._database.forgetting.redacted(cover)

    async def _postpone(self, cover: Redaction, reason: str) -> None:
        self.trouble[cover.channel] = f"a message that shows what was forgotten still stands: {reason}"
        log.warning(
            "the message at %s in %s still shows what was forgotten: %s", cover.ts, cover.channel, reason
        )
        await self._database.forgetting.postpone(cover, now_ms() + backoff_ms(cover.attempts), reason)


def words_for(kind: RedactionKind) -> Message:
    """What stands where the message stood."""
    if kind == "taken_back":
        return lesson_taken_back()
    return expired_card() if kind == "expired" else forgotten_card()
