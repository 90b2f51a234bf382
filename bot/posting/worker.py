"""Paced posting that never posts twice: what the store wants said -> messages in Slack.

A post is marked as being sent before the call and as sent after it. Where the answer was lost in between
(a crash, a broken connection), the channel is searched for the post's own mark before it is sent again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import Message
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.wake_event import WakeEvent
from bot.slack.errors import (
    LOST,
    NOBODY_THERE,
    OF_THE_POST,
    UNREACHABLE,
    asked_pause_ms,
    code_of,
    is_undecided,
    remedy,
)
from bot.slack.message_search import PostSearch
from memalign.records import Json
from storage.database import Database
from storage.records import CardContent, Post

log = logging.getLogger(__name__)

Render = Callable[[Post], Awaitable[Message | None]]
"""Makes a post's message when it is about to be sent; None when there is nothing left to say."""


class Outbox:
    """Posts what is due, one channel after its own pace."""

    def __init__(
        self, client: AsyncWebClient, database: Database, render: Render, pace_seconds: float
    ) -> None:
        """Use `client` without retry handlers of its own: a repeated call could post twice."""
        self._client = client
        self._database = database
        self._render = render
        self._pace = pace_seconds
        self._search = PostSearch(client, database)
        self._wake_event = WakeEvent()
        self._busy: set[str] = set()
        self._last: dict[str, float] = {}
        self.trouble: dict[str, str] = {}
        """Channel -> why the last post to it failed."""

    def wake(self) -> None:
        """There is something new to post."""
        self._wake_event.set()

    async def run(self) -> None:
        """Post until cancelled; begin with what an earlier run left unsettled."""
        async with asyncio.TaskGroup() as channels:
            for post in await self._database.outbox.in_flight():
                self._busy.add(post.channel)
                channels.create_task(self._settle_then_free(post))
            while True:
                for post in await self._database.outbox.next_due(now_ms()):
                    if post.channel not in self._busy:
                        self._busy.add(post.channel)
                        channels.create_task(self._send_then_free(post))
                await self._calm_down()
                await self._wake_event.wait(1)

    async def _calm_down(self) -> None:
        """Where nothing waits any more, as after a forget, nothing is wrong."""
        if self.trouble:
            expecting = await self._database.outbox.expecting(tuple(self.trouble))
            for channel in self.trouble.keys() - expecting:
                del self.trouble[channel]

    async def _send_then_free(self, post: Post) -> None:
        try:
            await asyncio.sleep(self._last.get(post.channel, 0.0) + self._pace - time.monotonic())
            await self.send(post)
        except Exception:  # a bug of ours must not stop the other channels
            log.exception("posting %s failed", post.post_id)
            reason = "an unexpected error; see the log"
            self.trouble[post.channel] = reason
            await self._database.outbox.retry(post.post_id, now_ms() + backoff_ms(post.attempts), reason)
        finally:
            self._free(post)

    async def _settle_then_free(self, post: Post) -> None:
        try:
            await self._settle(post)
        finally:
            self._free(post)

    def _free(self, post: Post) -> None:
        self._last[post.channel] = time.monotonic()
        self._busy.discard(post.channel)
        self._wake_event.set()

    async def send(self, post: Post) -> None:
        """Send one post; whatever happens, the store knows what to do next."""
        message = await self._render(post)
        if message is None:
            await self._drop(post)
            return
        if not await self._database.outbox.start(post.post_id):
            return  # forgotten meanwhile
        try:
            answer = await self._client.chat_postMessage(**arguments(post, message))
        except SlackApiError as error:
            await self._refused(post, error)
        except LOST as error:
            log.warning(
                "the answer to post %s was lost (%s); looking for it in the channel", post.post_id, error
            )
            await self._settle(post)
        else:
            await self._done(post, str(answer["ts"]))

    async def _done(self, post: Post, ts: str) -> None:
        self.trouble.pop(post.channel, None)
        if not await self._database.outbox.done(post.post_id, ts):
            await self._take_down(post, ts)

    async def _drop(self, post: Post) -> None:
        self.trouble.pop(post.channel, None)
        await self._database.outbox.drop(post.post_id)

    async def _take_down(self, post: Post, ts: str) -> None:
        """It was forgotten while the post was on its way; what fails here is tried again by `Covering`."""
        try:
            await self._client.chat_delete(channel=post.channel, ts=ts)
        except (SlackApiError, *LOST) as error:
            log.warning("the message at %s shows what was forgotten and is deleted later: %s", ts, error)

    async def _refused(self, post: Post, error: SlackApiError) -> None:
        if is_undecided(error):
            log.warning("Slack failed over post %s (%s); looking for it in the channel", post.post_id, error)
            await self._settle(post)
            return
        code = code_of(error)
        if code in NOBODY_THERE:
            await self._give_up(post)
            return
        self._note_trouble(post, remedy(error))
        not_before_ms = now_ms() + (asked_pause_ms(error) or backoff_ms(post.attempts))
        outbox = self._database.outbox
        put_back = outbox.retry if code in OF_THE_POST else outbox.hold
        await put_back(post.post_id, not_before_ms, remedy(error))

    async def _give_up(self, post: Post) -> None:
        log.info("post %s is dropped: its thread is gone", post.post_id)
        await self._drop(post)

    def _note_trouble(self, post: Post, reason: str) -> None:
        self.trouble[post.channel] = reason
        log.warning("post %s to %s waits: %s", post.post_id, post.channel, reason)

    async def _settle(self, post: Post) -> None:
        """Find out whether a post whose answer was lost is in the channel, however long Slack does not say."""
        oldest = await self._search.oldest(
            post
        )  # once: the verdict may be forgotten while Slack is waited for
        attempt = 0
        while pause := await self._look_for(post, oldest, attempt):
            attempt += 1
            await asyncio.sleep(pause / 1000)

    async def _look_for(self, post: Post, oldest: str, attempt: int) -> int:
        """Look once; the milliseconds after which to look again, 0 when the post is settled."""
        try:
            ts = await self._search.find(post, oldest)
        except SlackApiError as error:
            if code_of(error) in NOBODY_THERE:
                await self._give_up(post)
                return 0
            self._note_trouble(post, remedy(error))
            return asked_pause_ms(error) or backoff_ms(attempt)
        except LOST as error:
            log.warning("the channel of post %s cannot be read: %s", post.post_id, type(error).__name__)
            self._note_trouble(post, UNREACHABLE)
            return backoff_ms(attempt)
        if ts is not None:
            await self._done(post, ts)
        else:
            await self._database.outbox.hold(post.post_id, now_ms() + backoff_ms(0), "its answer was lost")
        return 0


def arguments(post: Post, message: Message) -> dict[str, Json]:
    """The arguments of `chat.postMessage` for a post, its mark in the metadata included."""
    return {
        "channel": post.channel,
        "text": message.text,
        "blocks": list(message.blocks),
        "thread_ts": post.thread_ts,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": _event_type(post),
            "event_payload": {**_mark(post), "post_id": post.post_id},
        },
    }


def _event_type(post: Post) -> str:
    kind = "verdict" if post.content is None or post.content.kind == "card" else post.content.kind
    return f"memalign_{kind}"


def _mark(post: Post) -> Mapping[str, Json]:
    if not isinstance(post.content, CardContent):
        return {}
    return {
        "trace_id": post.content.trace_id,
        "judge": post.content.judge,
        "verdict_id": post.verdict_id,
    }
