"""Edits the card of a verdict that was hidden until somebody answered."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.earlier_answers import EarlierAnswers
from bot.blocks.primitives import SlackMessage
from bot.posting.message_edits import MessageEdits
from bot.slack.answer_time import answer_time
from bot.slack.errors import SlackRefusedError
from memalign.judge_memory import JudgeMemory
from storage.database import Database

log = logging.getLogger(__name__)

UNCHANGEABLE = {"message_not_found", "cant_update_message", "edit_window_closed"}
"""Codes after which a retry is of no use: the message is gone, or Slack lets nobody change it."""


class CardEditor:
    """Shows the verdict on a card that asked first, and what people answered."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        titles: Mapping[str, str],
        edits: MessageEdits,
    ) -> None:
        """`titles` are those of the judges, by name."""
        self._client = client
        self._database = database
        self._memories = memories
        self._titles = titles
        self._edits = edits
        self._hashes: dict[str, str] = {}
        """Verdict -> the hash of what this process made its card show."""

    async def show_verdict(self, verdict_id: str, earlier_answers: EarlierAnswers) -> str | None:
        """Let a card show its verdict.

        Args:
            verdict_id: the verdict.
            earlier_answers: the answers that it tells.

        Returns:
            The time from which on it shows it, by Slack's clock; None where there is nothing to show any more.

        Raises:
            SlackRefusedError: Slack does not take the edit now.
            SlackUnreachableError: Slack cannot be reached.
            StorageError: the store fails.
        """
        stored = await self._database.verdicts.get(verdict_id)
        if stored is None or stored.message_ts is None:
            return None
        async with self._edits.turn(stored.channel, stored.message_ts):
            message = await self._message(verdict_id, earlier_answers)
            if message is None:
                return None
            return await self._edit(verdict_id, stored.channel, stored.message_ts, message)

    async def _message(self, verdict_id: str, earlier_answers: EarlierAnswers) -> SlackMessage | None:
        stored = await self._database.verdicts.get(verdict_id)
        memory = self._memories.get(stored.verdict.judge) if stored else None
        trace = await self._database.traces.get(stored.verdict.trace_id) if stored else None
        if stored is None or memory is None or trace is None:
            return None
        judge = memory.definition
        shown = CardVerdict(
            stored=replace(stored, is_blind=False),
            judge=judge,
            title=self._titles[judge.name],
            earlier_answers=earlier_answers,
        )
        return verdict_card([shown], trace)

    async def _edit(self, verdict_id: str, channel: str, ts: str, message: SlackMessage) -> str:
        content_hash = _hash_of(message)
        if self._hashes.get(verdict_id) == content_hash:
            return f"{time.time():.6f}"
        try:
            # metadata that is not sent stays as it is
            answer = await self._client.chat_update(channel=channel, ts=ts, **message.arguments())
        except SlackRefusedError as error:
            if error.code not in UNCHANGEABLE:
                raise
            log.warning("the card at %s cannot show its verdict: %s", ts, error)
            return f"{time.time():.6f}"
        self._hashes[verdict_id] = content_hash
        # who answers while the edit is on its way has not seen it
        return answer_time(answer, time.time(), 0)


def _hash_of(message: SlackMessage) -> str:
    content = json.dumps(message.arguments(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
