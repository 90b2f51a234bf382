"""Sending one post, in three steps the store knows of: being sent, sent, or to be looked for.

A post is marked as being sent before the call and as sent after it. If the answer was lost in between (a
crash, a broken connection), the channel is searched for the post's own id before it is sent again.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.posting.chart_fallback import send_with_charts
from bot.runtime.activity_log import log_activity
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry
from bot.slack.chart_support import ChartSupport
from bot.slack.errors import (
    POST_REFUSED,
    THREAD_GONE,
    SlackCallError,
    SlackRefusedError,
    SlackUnreachableError,
    field_of,
)
from bot.slack.identity import IdentityLookup
from bot.slack.message_search import PostMark, find_message
from memalign.records import Json
from storage.database import Database
from storage.records import CardContent, DigestContent, Post, WorseningContent

log = logging.getLogger(__name__)

COMPONENT = "posting"
CLOCK_TOLERANCE_MS = 10 * 60_000
"""Largest difference between Slack's clock and ours."""
ANSWER_LOST = "the answer to a message was lost"

Render = Callable[[Post], Awaitable[SlackMessage | None]]
"""Makes the message of a post that is about to be sent; None if there is nothing left to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPost:
    """A post of which nobody knows whether it has arrived."""

    post: Post
    oldest: str
    """Slack's time before which it cannot have arrived."""
    reason: str
    """The failure, for people; reported unless the post has arrived."""


class PostSender:
    """Sends single posts, each at most once."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        render: Render,
        health: HealthRegistry,
        charts: ChartSupport,
    ) -> None:
        """Use `client` without retry handlers of its own: a repeated call could post twice."""
        self._client = client
        self._identity = IdentityLookup(client)
        self._database = database
        self._render = render
        self._health = health
        self._charts = charts

    async def begin(self, post: Post) -> SlackMessage | None:
        """Mark the post as being sent. Raises `StorageError`.

        Returns:
            The message to deliver; None when the post was dropped, or forgotten meanwhile.
        """
        message = await self._render(post)
        if message is None:
            await self._drop(post)
            return None
        return message if await self._database.outbox.start(post.post_id) else None

    async def deliver(self, post: Post, message: SlackMessage) -> LostPost | None:
        """Hand the message to Slack, and store the outcome. Raises `StorageError`.

        Returns:
            The post if Slack's answer leaves open whether it has arrived, else None.
        """
        try:
            ts = await send_with_charts(partial(self._post_message, post), message, self._charts)
        except SlackRefusedError as error:
            if not error.is_undecided:
                await self._refused(post, error)
                return None
            log.warning("Slack failed over post %s (%s); looking for it", post.post_id, error.detail)
            return await self.lost(post, str(error))
        except SlackUnreachableError as error:
            log.warning("the answer to post %s was lost (%s); looking for it", post.post_id, error.detail)
            return await self.lost(post, str(error))
        await self._done(post, ts)
        return None

    async def _post_message(self, post: Post, message: SlackMessage) -> str:
        return field_of(await self._client.chat_postMessage(**arguments(post, message)), "ts", str)

    async def lost(self, post: Post, reason: str = ANSWER_LOST) -> LostPost:
        """Return what is needed to look for a post later, when its verdict may be forgotten."""
        stored = await self._database.verdicts.get(post.verdict_id) if post.verdict_id else None
        since_ms = _due_ms(post) if stored is None else stored.judged_ms
        oldest = "0" if since_ms is None else f"{(since_ms - CLOCK_TOLERANCE_MS) / 1000:.6f}"
        return LostPost(post=post, oldest=oldest, reason=reason)

    async def settle(self, lost: LostPost) -> None:
        """Look for a lost post in its channel, and store whether it has arrived.

        Raises:
            SlackRefusedError: Slack refuses to be searched.
            SlackUnreachableError: Slack cannot be reached.
            StorageError: the outcome cannot be stored.
        """
        post = lost.post
        try:
            mark = PostMark(author=await self._identity.read(), post_id=post.post_id, nonce=post.nonce)
            ts = await find_message(
                self._client, mark, channel=post.channel, thread_ts=post.thread_ts, oldest=lost.oldest
            )
        except SlackRefusedError as error:
            if error.code not in THREAD_GONE:
                raise
            await self._give_up(post)
            return
        if ts is not None:
            await self._done(post, ts)
        else:
            self._health.report(COMPONENT, post.channel, lost.reason)
            not_before_ms = now_ms() + backoff_ms(post.attempts)
            await self._database.outbox.hold(post.post_id, not_before_ms, lost.reason)

    async def _done(self, post: Post, ts: str) -> None:
        self._health.report(COMPONENT, post.channel, None)
        if await self._database.outbox.done(post.post_id, ts):
            log_activity(
                log, f"{_kind(post)} posted", post_id=post.post_id, channel=post.channel, message_ts=ts
            )
        else:
            await self._take_down(post, ts)

    async def _take_down(self, post: Post, ts: str) -> None:
        """Delete a message whose trace was forgotten on its way; `MessageRedactor` retries what fails here."""
        try:
            await self._client.chat_delete(channel=post.channel, ts=ts)
        except SlackCallError as error:
            log.warning(
                "the message at %s shows what was forgotten and is deleted later: %s", ts, error.detail
            )

    async def _refused(self, post: Post, error: SlackRefusedError) -> None:
        if error.code in THREAD_GONE:
            await self._give_up(post)
            return
        reason = str(error)
        self._health.report(COMPONENT, post.channel, reason)
        log.warning("post %s to %s waits: %s", post.post_id, post.channel, reason)
        not_before_ms = now_ms() + (error.pause_ms or backoff_ms(post.attempts))
        outbox = self._database.outbox
        put_back = outbox.retry if error.code in POST_REFUSED else outbox.hold
        await put_back(post.post_id, not_before_ms, reason)

    async def _give_up(self, post: Post) -> None:
        log.info("post %s is dropped: its thread is gone", post.post_id)
        await self._drop(post)

    async def _drop(self, post: Post) -> None:
        self._health.report(COMPONENT, post.channel, None)
        await self._database.outbox.drop(post.post_id)


def arguments(post: Post, message: SlackMessage) -> dict[str, Json]:
    """Return the arguments of `chat.postMessage`; the metadata names the post."""
    return {
        "channel": post.channel,
        **message.arguments(),
        "thread_ts": post.thread_ts,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": _event_type(post),
            "event_payload": {**_subject(post), "post_id": post.post_id, **_nonce(post)},
        },
    }


def _nonce(post: Post) -> Mapping[str, Json]:
    return {"nonce": post.nonce} if post.nonce else {}


def _kind(post: Post) -> str:
    return "card" if post.content is None else post.content.kind


def _event_type(post: Post) -> str:
    kind = _kind(post)
    return f"memalign_{'verdict' if kind == 'card' else kind}"


def _subject(post: Post) -> Mapping[str, Json]:
    if not isinstance(post.content, CardContent):
        return {}
    card = post.content
    return {"trace_id": card.trace_id, "judge": card.judge, "verdict_id": post.verdict_id}


def _due_ms(post: Post) -> int | None:
    match post.content:
        case DigestContent(due_ms=due_ms):
            return due_ms
        case WorseningContent():
            return post.created_ms
    return None
