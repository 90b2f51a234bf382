"""What people did while the bot was away: asked of Slack card by card, and taken in as if it had been told.

Slack repeats an event for some minutes only.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.learning.card_snapshot import CardReader
from bot.runtime.clock import backoff_ms, now_ms
from bot.slack.errors import LOST, UNREACHABLE, remedy
from storage.database import Database
from storage.records import CardContent, Post, StoredVerdict

log = logging.getLogger(__name__)

DAYS = 7
"""How old a card may be."""
MOST_CARDS = 1000
"""Of one judge."""
PACE_SECONDS = 1.3
"""Between two cards: Slack allows each of the two methods about 50 times a minute."""
LOOK_SECONDS = 0.2
"""Between two looks at whether the connection is still the same."""
GONE = {"message_not_found", "thread_not_found"}
SHUT_OUT = {"not_in_channel", "channel_not_found"}
"""The bot is not in the channel; of a private one Slack does not even say that it is there."""


@dataclass(kw_only=True, slots=True)
class Backlog:
    """What is still to be asked for one judge."""

    cards: deque[StoredVerdict]
    unsettled: list[Post]
    """Cards of which an earlier run did not hear whether they arrived: they may have been answered since."""
    vain: int = 0
    """How often in a row asking failed."""
    due: float = 0.0
    """When to ask next, by the loop's clock."""


class CardReconciler:
    """Asks after each start, and after each gap in the connection."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: AsyncWebClient,
        session: Callable[[], Awaitable[object | None]],
        wake_learning: Callable[[], None],
        *,
        pace_seconds: float = PACE_SECONDS,
    ) -> None:
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._database = database
        self._reader = CardReader(client, database)
        self._session = session
        self._wake_learning = wake_learning
        self._pace = pace_seconds
        self._backlogs: dict[str, Backlog] = {}
        self.trouble: dict[str, str] = {}
        """Judge -> why what people did on its cards cannot be asked."""
        self.rounds = 0
        """How often all cards were gone through since the start."""

    async def run(self) -> None:
        """Catch up whenever the connection stands again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._work())

    async def _watch(self) -> None:
        known: object | None = None
        while True:
            session = await self._session()
            if session is not None and session is not known:
                await self._fall_behind()
            known = session
            await asyncio.sleep(LOOK_SECONDS)

    async def _fall_behind(self) -> None:
        """Nothing is known of any card any more; what was being gone through is begun anew."""
        # before the cards are read, so that one that arrives in between is in either
        unsettled = await self._database.outbox.in_flight()
        self._backlogs = {
            judge: Backlog(
                cards=deque(await self._cards(judge)),
                unsettled=[post for post in unsettled if _judge_of_card(post) == judge],
            )
            for judge in self._channels
        }

    async def _cards(self, judge: str) -> list[StoredVerdict]:
        """A judge's cards of the last days, the newest first."""
        recent = await self._database.verdicts.recent(judge, MOST_CARDS)
        return [one for one in recent if one.message_ts is not None and one.judged_ms >= oldest_ms()]

    async def _work(self) -> None:
        """Go through the cards of those that are behind; whoever has to wait holds up nobody else."""
        clock = asyncio.get_running_loop().time
        while True:
            for judge, behind in list(self._backlogs.items()):
                if behind.due <= clock():
                    await self._go_through(judge, behind)
            await asyncio.sleep(LOOK_SECONDS)

    async def _go_through(self, judge: str, behind: Backlog) -> None:
        await self._add_settled(behind)
        while behind.cards:
            reason = await self._card(behind.cards[0])
            if self._backlogs.get(judge) is not behind:
                return  # there was another gap meanwhile
            if reason is not None:
                self._wait(judge, behind, reason)
                return
            behind.cards.popleft()
            behind.vain = 0
            await asyncio.sleep(self._pace)
        if not behind.unsettled and self._backlogs.get(judge) is behind:
            self._catch_up_with(judge)

    async def _add_settled(self, behind: Backlog) -> None:
        in_flight = {post.post_id for post in await self._database.outbox.in_flight()}
        settled = [post for post in behind.unsettled if post.post_id not in in_flight]
        behind.unsettled = [post for post in behind.unsettled if post.post_id in in_flight]
        for post in settled:
            stored = await self._database.verdicts.get(post.verdict_id or "")
            if stored is not None and stored.message_ts is not None:
                behind.cards.append(stored)

    def _wait(self, judge: str, behind: Backlog, reason: str) -> None:
        """Ask again later, and of another card first: what is wrong may be wrong with this one alone."""
        behind.cards.rotate(-1)
        behind.vain += 1
        behind.due = asyncio.get_running_loop().time() + backoff_ms(behind.vain) / 1000
        self.trouble[judge] = f"what people did meanwhile cannot be asked: {reason}"
        log.warning("catching up with the cards of %s waits: %s", judge, reason)

    def _catch_up_with(self, judge: str) -> None:
        del self._backlogs[judge]
        self.trouble.pop(judge, None)
        self.rounds += not self._backlogs

    async def _card(self, stored: StoredVerdict) -> str | None:
        """Take in what is new on a card; why that failed, or None."""
        # a card may be forgotten while Slack is waited for
        current = await self._database.verdicts.get(stored.verdict_id)
        if current is None or current.judged_ms < oldest_ms():
            return None
        try:
            is_new = await self._reader.read(current)
        except SlackApiError as error:
            return None if self._is_gone(current, error) else remedy(error)
        except LOST as error:
            log.warning("the card at %s cannot be read yet: %s", current.message_ts, type(error).__name__)
            return UNREACHABLE
        if is_new:
            log.info("caught up with what people did on %s", current.verdict_id)
            self._wake_learning()
        return None

    def _is_gone(self, stored: StoredVerdict, error: SlackApiError) -> bool:
        """Whether there is nothing to ask any more.

        Where the bot is not in the channel it may be invited again, but hardly to one that its judge has left.
        """
        code = error.response.get("error")
        left = stored.channel != self._channels.get(stored.verdict.judge)
        return code in GONE or (left and code in SHUT_OUT)


def oldest_ms() -> int:
    """When the oldest card that is asked for was judged, in milliseconds since 1970."""
    return now_ms() - DAYS * 24 * 3600 * 1000


def _judge_of_card(post: Post) -> str | None:
    return post.content.judge if isinstance(post.content, CardContent) else None
