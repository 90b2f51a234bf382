"""Reads single cards from Slack, and stores what differs as if Slack had told of each change."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from slack_sdk.web.async_client import AsyncWebClient

from bot.learning.card_snapshot import CardSnapshot, diff, snapshot_of
from bot.slack.answer_time import answer_time
from bot.slack.errors import field_of
from memalign.records import Json
from storage.database import Database
from storage.records import FeedbackEvent, StoredVerdict

log = logging.getLogger(__name__)

REPLIES_PER_PAGE = 200


class CardReader:
    """Asks Slack about single cards."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        redact: Callable[[FeedbackEvent], FeedbackEvent],
    ) -> None:
        self._client = client
        self._database = database
        self._redact = redact

    async def read(self, verdict: StoredVerdict) -> bool:
        """Store what is new on a card.

        Returns:
            Whether it changes what people say of the verdict.

        Raises:
            SlackRefusedError: Slack refuses, or its answer lacks the message.
            SlackUnreachableError: Slack cannot be reached.
            StorageError: the store fails.
        """
        snapshot = await self._snapshot(verdict.channel, verdict.message_ts or "")
        if snapshot is None:
            return False
        for event in diff(snapshot, await self._database.feedback.all_of(verdict.verdict_id)):
            if not await self._is_from_before_forgetting(event, snapshot):
                await self._database.feedback.note(verdict.channel, snapshot.card_ts, self._redact(event))
        after = await self._database.verdicts.get(verdict.verdict_id)
        return after is not None and after.revision != verdict.revision

    async def _is_from_before_forgetting(self, event: FeedbackEvent, snapshot: CardSnapshot) -> bool:
        """Return whether a reaction may be older than its person's forgetting: Slack does not say when it came."""
        if event.kind != "reaction" or not event.value:
            return False
        posted_ms = int(Decimal(snapshot.card_ts) * 1000)
        return await self._database.feedback.forgotten_ms(event.person) >= posted_ms

    async def _snapshot(self, channel: str, ts: str) -> CardSnapshot | None:
        start, clock = time.time(), time.monotonic()
        answer = await self._client.reactions_get(channel=channel, timestamp=ts, full=True)
        at = answer_time(answer, start, time.monotonic() - clock)
        message = field_of(answer, "message", dict)
        snapshot = snapshot_of(message, await self._thread(channel, ts), card_ts=ts, at=at)
        if snapshot is None:
            log.warning("Slack's answer about the card at %s does not show it", ts)
        return snapshot

    async def _thread(self, channel: str, ts: str) -> Sequence[Mapping[str, Json]]:
        messages: list[Mapping[str, Json]] = []
        pages = await self._client.conversations_replies(channel=channel, ts=ts, limit=REPLIES_PER_PAGE)
        async for page in pages:
            messages += field_of(page, "messages", list)
        return messages
