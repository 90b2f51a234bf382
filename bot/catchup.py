"""What people did while the bot was away: asked of Slack card by card, and taken in as if it had been told.

Slack repeats an event for some minutes only. A later event always wins: what is read counts as known at the
moment of reading, by Slack's clock.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import now_ms, pause_ms
from bot.config import Settings
from bot.feedback import vote_of_reaction
from bot.listeners.rationales import WRITTEN
from bot.slack_errors import LOST, UNREACHABLE, remedy
from memalign.records import Json
from storage.database import Database
from storage.records import PersonFacts, Post, StoredVerdict

log = logging.getLogger(__name__)

DAYS = 7
"""How old a card may be."""
MOST_CARDS = 1000
"""Of one judge."""
PACE_SECONDS = 1.3
"""Between two cards: Slack allows each of the two methods about 50 times a minute."""
LOOK_SECONDS = 0.2
"""Between two looks at whether the connection stands."""
GONE = {"message_not_found", "thread_not_found", "channel_not_found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A card and its thread as Slack shows them."""

    reactions: Mapping[str, frozenset[str]]
    """Our emoji names -> who put them there."""
    partial: frozenset[str]
    """Emoji of which Slack did not name all people."""
    replies: Mapping[tuple[str, str], Mapping[str, Json]]
    """(person, ts) -> the message."""
    at: str
    """When, by Slack's clock."""


class CatchUp:
    """Asks after each start, and after each gap in the connection."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: AsyncWebClient,
        connected: Callable[[], Awaitable[bool]],
        wake_learning: Callable[[], None],
        *,
        pace_seconds: float = PACE_SECONDS,
    ) -> None:
        self._settings = settings
        self._database = database
        self._client = client
        self._connected = connected
        self._wake_learning = wake_learning
        self._pace = pace_seconds
        self.trouble: dict[str, str] = {}
        """Channel -> why what people did there cannot be asked."""
        self.rounds = 0
        """How often all cards were gone through since the start."""

    async def run(self) -> None:
        """Catch up whenever the connection stands again, until cancelled."""
        was_up = False
        while True:
            is_up = await self._connected()
            if is_up and not was_up:
                await self.round()
            was_up = is_up
            await asyncio.sleep(LOOK_SECONDS)

    async def round(self) -> None:
        """Go through the cards of the last days, the newest first."""
        unsettled = [post for post in await self._database.outbox.in_flight() if post.kind == "card"]
        since = now_ms() - DAYS * 24 * 3600 * 1000
        for judge in self._settings.judges:
            for stored in await self._database.verdicts.recent(judge.name, MOST_CARDS):
                if stored.judged_ms < since:
                    break
                if stored.message_ts is not None:
                    await self._patiently(stored)
        for post in unsettled:
            await self._once_settled(post)
        self.rounds += 1

    async def _once_settled(self, post: Post) -> None:
        """A card of which an earlier run did not hear whether it arrived may have been answered since."""
        outbox = self._database.outbox
        while post.post_id in {one.post_id for one in await outbox.in_flight()}:  # noqa: ASYNC110 - Slack is asked
            await asyncio.sleep(LOOK_SECONDS)
        stored = await self._database.verdicts.get(post.verdict_id or "")
        if stored is not None and stored.message_ts is not None:
            await self._patiently(stored)

    async def _patiently(self, stored: StoredVerdict) -> None:
        attempt = 0
        while reason := await self._card(stored):
            attempt += 1
            self.trouble[stored.channel] = f"what people did meanwhile cannot be asked: {reason}"
            log.warning("catching up in %s waits: %s", stored.channel, reason)
            await asyncio.sleep(pause_ms(attempt) / 1000)
        self.trouble.pop(stored.channel, None)
        await asyncio.sleep(self._pace)

    async def _card(self, stored: StoredVerdict) -> str | None:
        """Take in what is new on a card; why that failed, or None."""
        # a card may be forgotten while Slack is waited for
        current = await self._database.verdicts.get(stored.verdict_id)
        if current is None:
            return None
        try:
            seen = await self._look(current)
        except SlackApiError as error:
            return None if error.response.get("error") in GONE else remedy(error)
        except LOST as error:
            log.warning("the card at %s cannot be read yet: %s", current.message_ts, type(error).__name__)
            return UNREACHABLE
        if seen is not None:
            await self._take_in(current, seen)
        return None

    async def _look(self, stored: StoredVerdict) -> Seen | None:
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
        return Seen(
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

    async def _take_in(self, stored: StoredVerdict, seen: Seen) -> None:
        known = await self._database.feedback.of(stored.verdict_id)
        before = stored.revision
        await self._reactions(stored, seen, known)
        await self._replies(stored, seen, known)
        after = await self._database.verdicts.get(stored.verdict_id)
        if after is not None and after.revision != before:
            log.info("caught up with what people did on %s", stored.verdict_id)
            self._wake_learning()

    async def _reactions(self, stored: StoredVerdict, seen: Seen, known: Mapping[str, PersonFacts]) -> None:
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

    async def _replies(self, stored: StoredVerdict, seen: Seen, known: Mapping[str, PersonFacts]) -> None:
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
