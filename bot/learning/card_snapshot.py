"""A card and its thread as Slack shows them now, taken in as if Slack had told of each change.

A later event always wins: what is read counts as known at the moment of reading, by Slack's clock.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.feedback import vote_of_reaction
from bot.listeners.rationales import WRITTEN
from memalign.records import Json
from storage.database import Database
from storage.records import PersonFeedback, StoredVerdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSnapshot:
    """A card and its thread as Slack shows them."""

    reactions: Mapping[str, frozenset[str]]
    """Our emoji names -> who put them there."""
    partial: frozenset[str]
    """Emoji of which Slack did not name all people."""
    replies: Mapping[tuple[str, str], Mapping[str, Json]]
    """(person, ts) -> the message."""
    at: str
    """When, by Slack's clock."""


class CardReader:
    """Asks Slack about single cards."""

    def __init__(self, client: AsyncWebClient, database: Database) -> None:
        self._client = client
        self._database = database

    async def read(self, stored: StoredVerdict) -> bool:
        """Take in what is new on a card; whether anything was. Raises `SlackApiError` or one of `CONNECTION_ERRORS`."""
        seen = await self._look(stored)
        if seen is None:
            return False
        known = await self._database.feedback.of(stored.verdict_id)
        await self._reactions(stored, seen, known)
        await self._replies(stored, seen, known)
        after = await self._database.verdicts.get(stored.verdict_id)
        return after is not None and after.revision != stored.revision

    async def _look(self, stored: StoredVerdict) -> CardSnapshot | None:
        """The card and its thread; None where the answer does not show them: nothing follows from that."""
        channel, ts = stored.channel, stored.message_ts or ""
        start, clock = time.time(), time.monotonic()
        card = await self._client.reactions_get(channel=channel, timestamp=ts, full=True)
        at = moment_of(card, start, time.monotonic() - clock)
        message, thread = card.get("message") or {}, await self._thread(channel, ts)
        if message.get("ts") != ts or ts not in {one.get("ts") for one in thread}:
            log.warning("Slack's answer about the card at %s does not show it", ts)
            return None
        listed = [one for one in message.get("reactions") or [] if vote_of_reaction(str(one["name"]))]
        return CardSnapshot(
            reactions={str(one["name"]): frozenset(one["users"]) for one in listed},
            partial=frozenset(str(one["name"]) for one in listed if one["count"] > len(one["users"])),
            replies={
                (str(reply["user"]), str(reply["ts"])): reply for reply in thread if is_reply(reply, ts)
            },
            at=at,
        )

    async def _thread(self, channel: str, ts: str) -> Sequence[Mapping[str, Json]]:
        messages: list[Mapping[str, Json]] = []
        cursor = ""
        while True:
            page = await self._client.conversations_replies(channel=channel, ts=ts, limit=200, cursor=cursor)
            messages += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return messages

    async def _reactions(
        self, stored: StoredVerdict, seen: CardSnapshot, known: Mapping[str, PersonFeedback]
    ) -> None:
        live = {(person, name) for name, people in seen.reactions.items() for person in people}
        held = {
            (person, name)
            for person, facts in known.items()
            for name, mark in facts.reactions.items()
            if mark.value
        }
        gone = {(person, name) for person, name in held - live if name not in seen.partial}
        added = {(person, name) for person, name in live - held if await self._counts(person, stored)}
        for person, name in sorted(added | gone):
            await self._database.feedback.note_reaction(
                stored.channel, stored.message_ts or "", person, name, (person, name) in live, seen.at
            )

    async def _counts(self, person: str, stored: StoredVerdict) -> bool:
        """Not where they were forgotten since the card was posted: nobody can say when the reaction was given."""
        posted_ms = int(Decimal(stored.message_ts or "0") * 1000)
        return await self._database.feedback.forgotten_ms(person) < posted_ms

    async def _replies(
        self, stored: StoredVerdict, seen: CardSnapshot, known: Mapping[str, PersonFeedback]
    ) -> None:
        channel, card_ts = stored.channel, stored.message_ts or ""
        note = self._database.feedback.note_reply
        for (person, ts), message in seen.replies.items():
            reply = known[person].replies.get(ts) if person in known else None
            text, edited = str(message.get("text") or ""), (message.get("edited") or {}).get("ts")
            if reply is None or (edited and reply.text != text):
                await note(channel, card_ts, person, ts, text, str(edited or ts))
        for person, facts in known.items():
            for ts, reply in facts.replies.items():
                # what a modal said stands at the card's own time; a newer reply may not have been there yet
                if ts == card_ts or reply.text is None or Decimal(ts) >= Decimal(seen.at):
                    continue
                if (person, ts) not in seen.replies:
                    await note(channel, card_ts, person, ts, None, seen.at)


def is_reply(message: Mapping[str, Json], card_ts: str) -> bool:
    """Whether a message of a thread carries a person's own words."""
    own = message.get("ts") != card_ts and bool(message.get("user")) and not message.get("bot_id")
    return own and message.get("subtype") in WRITTEN


def moment_of(answer: AsyncSlackResponse, start: float, seconds: float) -> str:
    """When Slack looked, by its own clock: ours at the start of the call, put right by the answer's date."""
    headers = {str(name).lower(): value for name, value in answer.headers.items()}
    try:
        told = parsedate_to_datetime(str(headers["date"])).timestamp()
    except (KeyError, ValueError):
        return f"{start:.6f}"
    return f"{min(max(start, told - seconds), told + 1):.6f}"
