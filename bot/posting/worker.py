"""Paced posting that never posts twice: posts of the outbox become messages in Slack, channel by channel."""

import asyncio
import logging
import time

from bot.blocks.primitives import SlackMessage
from bot.posting.sending import COMPONENT, LostPost, PostSender
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.wake_event import WakeEvent
from bot.slack.errors import SlackCallError, SlackRefusedError
from memalign.errors import StorageError
from storage.database import Database
from storage.records import CardContent, Post

log = logging.getLogger(__name__)

LONGEST_SEARCH_PAUSE_MS = 300_000
PAUSED = "the judge is paused"
PAUSED_CARD_MS = 15_000
"""Time until the card of a paused judge is looked at again."""


class PostingWorker:
    """Posts what is due; each channel has its own pace, and none waits for another."""

    def __init__(
        self,
        database: Database,
        sender: PostSender,
        health: HealthRegistry,
        *,
        pace_seconds: float,
        settle_seconds: float = 0.0,
    ) -> None:
        """Keep `pace_seconds` between two posts in a channel.

        What an earlier run, or a replica that is gone, left on its way is looked for after `settle_seconds`: Slack may
        still be taking it in.
        """
        self._database = database
        self._sender = sender
        self._health = health
        self._pace_seconds = pace_seconds
        self._settle_seconds = settle_seconds
        self._wake_event = WakeEvent()
        self._breaker = CircuitBreaker(LONGEST_SEARCH_PAUSE_MS)
        self._lost: dict[str, LostPost] = {}
        self._busy: set[str] = set()
        self._posted_at: dict[str, float] = {}

    def wake(self) -> None:
        """Look for new posts now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Post until cancelled; begin with what an earlier run left on its way."""
        self._busy.clear()
        in_flight = await self._database.outbox.in_flight()
        self._lost = {post.post_id: await self._sender.lost(post) for post in in_flight}
        settled_at = time.monotonic() + self._settle_seconds
        async with asyncio.TaskGroup() as tasks:
            while True:
                for lost in self._lost.values() if time.monotonic() >= settled_at else ():
                    if self._is_free(lost.post.channel) and not self._breaker.is_open(lost.post.channel):
                        self._busy.add(lost.post.channel)
                        tasks.create_task(self._search(lost))
                for post in await self._database.outbox.next_due(now_ms()):
                    if self._is_free(post.channel) and not self._health.work.is_closed:
                        self._busy.add(post.channel)
                        tasks.create_task(self._post(post))
                await self._report_idle_channels()
                await self._wake_event.wait(1)

    def _is_free(self, channel: str) -> bool:
        return channel not in self._busy

    async def _report_idle_channels(self) -> None:
        """Report channels well for which nothing waits any more, as after a forget."""
        troubled = self._health.subjects(COMPONENT)
        if troubled:
            for channel in troubled - await self._database.outbox.expecting(tuple(troubled)):
                self._health.report(COMPONENT, channel, None)

    async def _post(self, post: Post) -> None:
        try:
            await asyncio.sleep(self._pause(post.channel))
            with self._health.work.doing(COMPONENT, post.channel, "posting a message"):
                message = await self._begin(post)
                if message is not None:
                    await self._deliver(post, message)
        finally:
            self._free(post.channel)

    async def _is_paused(self, post: Post) -> bool:
        """Return True for the card of a judge that was paused after its verdict."""
        return (
            isinstance(post.content, CardContent)
            and post.content.judge in await self._database.preferences.pauses()
        )

    def _pause(self, channel: str) -> float:
        """Return the seconds until the channel may get its next post."""
        return self._posted_at.get(channel, 0.0) + self._pace_seconds - time.monotonic()

    async def _begin(self, post: Post) -> SlackMessage | None:
        if await self._is_paused(post):
            await self._database.outbox.retry(post.post_id, now_ms() + PAUSED_CARD_MS, PAUSED)
            return None
        try:
            return await self._sender.begin(post)
        except StorageError:
            raise
        except Exception:  # a bug on one post must not stop the others; it was not sent yet
            reason = unexpected(f"preparing post {post.post_id}")
            self._health.report(COMPONENT, post.channel, reason)
            await self._database.outbox.retry(post.post_id, now_ms() + backoff_ms(post.attempts), reason)
            return None

    async def _deliver(self, post: Post, message: SlackMessage) -> None:
        try:
            lost = await self._sender.deliver(post, message)
        except StorageError:  # the next run looks for what is in flight
            raise
        except Exception:  # it may have arrived, so it is looked for
            lost = await self._sender.lost(post, unexpected(f"sending post {post.post_id}"))
            self._health.report(COMPONENT, post.channel, lost.reason)
        if lost is not None:
            self._lost[post.post_id] = lost

    async def _search(self, lost: LostPost) -> None:
        try:
            with self._health.work.doing(COMPONENT, lost.post.channel, "looking for a message"):
                await self._sender.settle(lost)
        except SlackCallError as error:
            self._search_failed(lost, str(error), _asked_pause_ms(error))
        except StorageError:
            raise
        except Exception:
            self._search_failed(lost, unexpected(f"looking for post {lost.post.post_id}"))
        else:
            self._breaker.record_success(lost.post.channel)
            del self._lost[lost.post.post_id]
        finally:
            self._free(lost.post.channel)

    def _search_failed(self, lost: LostPost, reason: str, at_least_ms: int = 0) -> None:
        self._breaker.record_failure(lost.post.channel, at_least_ms)
        self._health.report(COMPONENT, lost.post.channel, reason)
        log.warning("post %s cannot be looked for: %s", lost.post.post_id, reason)

    def _free(self, channel: str) -> None:
        self._posted_at[channel] = time.monotonic()
        self._busy.discard(channel)
        self._wake_event.set()


def _asked_pause_ms(error: SlackCallError) -> int:
    return (error.pause_ms or 0) if isinstance(error, SlackRefusedError) else 0
