"""Reconciliation: after a start or a gap in the connection, Slack is asked card by card what people did meanwhile.

Slack repeats an event for some minutes only.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.config import Settings
from bot.learning.card_reader import CardReader
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.slack.errors import SlackCallError, SlackRefusedError
from memalign.errors import StorageError
from storage.database import Database
from storage.records import CardContent, Post, StoredVerdict

log = logging.getLogger(__name__)

COMPONENT = "reading cards"
MAX_CARD_AGE_DAYS = 7
MAX_CARDS_PER_JUDGE = 1000
"""Newest cards of a judge that are read again after a gap."""
CARD_SECONDS = 1.3
"""Pause between two cards: Slack allows each of the two methods about 50 calls a minute."""
POLL_SECONDS = 0.2
"""Pause between two looks at whether the connection is still the same."""
LONGEST_PAUSE_MS = 300_000
CARD_GONE = {"message_not_found", "thread_not_found"}
NO_ACCESS = {"not_in_channel", "channel_not_found"}
"""The bot is not in the channel; of a private one Slack does not even say that it exists."""


@dataclass(kw_only=True, slots=True)
class Backlog:
    """Cards of one judge that are still to be read."""

    cards: deque[StoredVerdict]
    unsettled: list[Post]
    """Cards of which an earlier run did not hear whether they arrived: they may have been answered since."""


class CardReconciler:
    """Reads the cards again after each start, and after each gap in the connection."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        reader: CardReader,
        session: Callable[[], Awaitable[object | None]],
        health: HealthRegistry,
        wake_learning: Callable[[], None],
        *,
        card_seconds: float = CARD_SECONDS,
    ) -> None:
        """`session` returns the present connection to Slack, another object after each gap; None in a gap."""
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._database = database
        self._reader = reader
        self._session = session
        self._health = health
        self._wake_learning = wake_learning
        self._card_seconds = card_seconds
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._known_session: object | None = None
        self._backlogs: dict[str, Backlog] = {}

    async def is_up_to_date(self) -> bool:
        """Return whether all cards were read since the present connection stands."""
        session = await self._session()
        return session is not None and session is self._known_session and not self._backlogs

    async def read_missed(self, verdict: StoredVerdict) -> None:
        """Read one card now, unless all were read since the present connection stands.

        A card that Slack does not let the bot read is passed over.

        Raises:
            SlackCallError: Slack does not answer now.
            StorageError: the store fails.
        """
        if await self.is_up_to_date():
            return
        try:
            await self._reader.read(verdict)
        except SlackRefusedError as error:
            if error.is_undecided or error.pause_ms:
                raise
            log.warning("the card at %s cannot be read again: %s", verdict.message_ts, error)

    async def run(self) -> None:
        """Read cards whenever the connection stands again, until cancelled."""
        self._known_session = None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._work())

    async def _watch(self) -> None:
        while True:
            session = await self._session()
            if session is not None and session is not self._known_session:
                await self._begin_anew()
            self._known_session = session
            await asyncio.sleep(POLL_SECONDS)

    async def _begin_anew(self) -> None:
        """Put all cards on the backlog: any of them may have changed in the gap."""
        # before the cards are read, so that one that arrives in between is in either
        unsettled = await self._database.outbox.in_flight()
        self._backlogs = {
            judge: Backlog(
                cards=deque(await self._cards(judge)),
                unsettled=[post for post in unsettled if _judge_of_card(post) == judge],
            )
            for judge in self._channels
        }
        for judge in self._channels:
            self._breaker.record_success(judge)

    async def _cards(self, judge: str) -> list[StoredVerdict]:
        """Return a judge's recent cards, the newest first."""
        recent = await self._database.verdicts.recent(judge, MAX_CARDS_PER_JUDGE)
        return [verdict for verdict in recent if verdict.message_ts is not None and _is_recent(verdict)]

    async def _work(self) -> None:
        """Work off the backlogs; a judge that has to wait holds up no other."""
        while True:
            for judge, backlog in list(self._backlogs.items()):
                if not self._breaker.is_open(judge):
                    with self._health.work.doing(COMPONENT, judge, "reading what people did meanwhile"):
                        await self._work_off(judge, backlog)
            await asyncio.sleep(POLL_SECONDS)

    async def _work_off(self, judge: str, backlog: Backlog) -> None:
        await self._add_settled(backlog)
        while backlog.cards:
            reason = await self._read(backlog.cards[0])
            if self._backlogs.get(judge) is not backlog:
                return  # there was another gap meanwhile
            if reason is not None:
                self._wait(judge, backlog, reason)
                return
            backlog.cards.popleft()
            self._breaker.record_success(judge)
            await asyncio.sleep(self._card_seconds)
        if not backlog.unsettled and self._backlogs.get(judge) is backlog:
            del self._backlogs[judge]
            self._health.report(COMPONENT, judge, None)

    async def _add_settled(self, backlog: Backlog) -> None:
        in_flight = {post.post_id for post in await self._database.outbox.in_flight()}
        settled = [post for post in backlog.unsettled if post.post_id not in in_flight]
        backlog.unsettled = [post for post in backlog.unsettled if post.post_id in in_flight]
        for post in settled:
            verdict = await self._database.verdicts.get(post.verdict_id or "")
            if verdict is not None and verdict.message_ts is not None:
                backlog.cards.append(verdict)

    def _wait(self, judge: str, backlog: Backlog, reason: str) -> None:
        """Read again later, another card first: this one alone may be the reason."""
        backlog.cards.rotate(-1)
        self._breaker.record_failure(judge)
        self._health.report(COMPONENT, judge, f"what people did meanwhile cannot be asked: {reason}")
        log.warning("reading the cards of %s waits: %s", judge, reason)

    async def _read(self, verdict: StoredVerdict) -> str | None:
        """Read a card; return why that failed, None if it did not."""
        # a card may be forgotten while Slack is waited for
        current = await self._database.verdicts.get(verdict.verdict_id)
        if current is None or not _is_recent(current):
            return None
        try:
            is_new = await self._reader.read(current)
        except SlackCallError as error:
            is_gone = isinstance(error, SlackRefusedError) and self._is_gone(current, error)
            return None if is_gone else str(error)
        except StorageError:
            raise
        except Exception:  # a bug on one card must not stop the others
            return unexpected(f"reading the card at {current.message_ts}")
        if is_new:
            log.info("reconciled what people did on %s", current.verdict_id)
            self._wake_learning()
        return None

    def _is_gone(self, verdict: StoredVerdict, error: SlackRefusedError) -> bool:
        """Return whether there is nothing to ask any more.

        Where the bot is not in the channel it may be invited again, but hardly to one that its judge has left.
        """
        has_left = verdict.channel != self._channels.get(verdict.verdict.judge)
        return error.code in CARD_GONE or (has_left and error.code in NO_ACCESS)


def _is_recent(verdict: StoredVerdict) -> bool:
    return verdict.judged_ms >= now_ms() - MAX_CARD_AGE_DAYS * 24 * 3600 * 1000


def _judge_of_card(post: Post) -> str | None:
    return post.content.judge if isinstance(post.content, CardContent) else None
