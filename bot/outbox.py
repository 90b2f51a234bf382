"""Paced posting that never posts twice: what the store wants said -> messages in Slack.

A post is marked as being sent before the call and as sent after it. Where the answer was lost in between
(a crash, a broken connection), the channel is searched for the post's own mark before it is sent again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import Message
from bot.clock import now_ms, pause_ms
from memalign.records import Json
from storage.database import Database
from storage.records import Post

log = logging.getLogger(__name__)

Render = Callable[[Post], Awaitable[Message | None]]
"""Makes a post's message when it is about to be sent; None when there is nothing left to say."""

REMEDIES = {
    "not_in_channel": "the bot is not in the channel; invite it with /invite",
    "channel_not_found": "the channel does not exist, or the bot is not in it; check its id and invite the bot",
    "is_archived": "the channel is archived; unarchive it or choose another in memalign.toml",
    "invalid_auth": "Slack does not know the bot token; check SLACK_BOT_TOKEN",
    "not_authed": "the bot token is missing; set SLACK_BOT_TOKEN",
    "token_revoked": "the bot token was revoked; install the app again and set SLACK_BOT_TOKEN",
    "account_inactive": "the bot's account is inactive; install the app again and set SLACK_BOT_TOKEN",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the app's bot token (xoxb-…)",
    "missing_scope": "the app lacks a scope; create it from manifest.yml and install it again",
    "ratelimited": "Slack asks to slow down",
}
NOBODY_THERE = {"thread_not_found", "message_not_found", "cannot_reply_to_message"}
"""The thread was deleted: there is nobody to tell any more."""
APP_TOKEN_REMEDIES = {
    "invalid_auth": "Slack does not know the app-level token; check SLACK_APP_TOKEN",
    "not_authed": "the app-level token is missing; set SLACK_APP_TOKEN",
    "not_allowed_token_type": "SLACK_APP_TOKEN must be an app-level token (xapp-…)",
    "missing_scope": "the app-level token lacks connections:write; make one that has it",
}
LOST = (ClientError, TimeoutError, OSError)
"""The call may or may not have taken effect."""


def remedy(error: SlackApiError) -> str:
    """What Slack's error means and what to do, in words."""
    code = str(error.response.get("error", "unknown"))
    return REMEDIES.get(code, f"Slack answered {code}")


def app_token_remedy(error: SlackApiError) -> str:
    """What Slack's answer about the app-level token means and what to do, in words."""
    return APP_TOKEN_REMEDIES.get(str(error.response.get("error", "unknown"))) or remedy(error)


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
        self._wake = asyncio.Event()
        self._busy: set[str] = set()
        self._last: dict[str, float] = {}
        self.trouble: dict[str, str] = {}
        """Channel -> why the last post to it failed."""

    def wake(self) -> None:
        """There is something new to post."""
        self._wake.set()

    async def run(self) -> None:
        """Post until cancelled; begin with what an earlier run left unsettled."""
        async with asyncio.TaskGroup() as channels:
            for post in await self._database.outbox.in_flight():
                self._busy.add(post.channel)
                channels.create_task(self._settle_then_free(post))
            while True:
                self._wake.clear()
                for post in await self._database.outbox.next_due(now_ms()):
                    if post.channel not in self._busy:
                        self._busy.add(post.channel)
                        channels.create_task(self._send_then_free(post))
                await self._nap()

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_then_free(self, post: Post) -> None:
        try:
            await asyncio.sleep(self._last.get(post.channel, 0.0) + self._pace - time.monotonic())
            await self.send(post)
        except Exception:  # a bug of ours must not stop the other channels
            log.exception("posting %s failed", post.post_id)
            reason = "an unexpected error; see the log"
            self.trouble[post.channel] = reason
            await self._database.outbox.retry(post.post_id, now_ms() + pause_ms(post.attempts), reason)
        finally:
            self._free(post)

    async def _settle_then_free(self, post: Post) -> None:
        try:
            while not await self._settle(post):  # noqa: ASYNC110 - it is Slack that is asked again
                await asyncio.sleep(pause_ms(3) / 1000)
        finally:
            self._free(post)

    def _free(self, post: Post) -> None:
        self._last[post.channel] = time.monotonic()
        self._busy.discard(post.channel)
        self._wake.set()

    async def send(self, post: Post) -> None:
        """Send one post; whatever happens, the store knows what to do next."""
        message = await self._render(post)
        if message is None:
            await self._database.outbox.drop(post.post_id)
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
            await self._settle_patiently(post)
        else:
            self.trouble.pop(post.channel, None)
            await self._done(post, str(answer["ts"]))

    async def _done(self, post: Post, ts: str) -> None:
        if not await self._database.outbox.done(post.post_id, ts):
            await self._take_down(post, ts)

    async def _take_down(self, post: Post, ts: str) -> None:
        """It was forgotten while the post was on its way; what fails here is tried again by `Covering`."""
        try:
            await self._client.chat_delete(channel=post.channel, ts=ts)
        except (SlackApiError, *LOST) as error:
            log.warning("the message at %s shows what was forgotten and is deleted later: %s", ts, error)

    async def _settle_patiently(self, post: Post) -> None:
        attempt = 0
        while not await self._settle(post):
            attempt += 1
            await asyncio.sleep(pause_ms(attempt) / 1000)

    async def _refused(self, post: Post, error: SlackApiError) -> None:
        if error.response.status_code >= 500:  # the message may still have been taken
            await self._settle_patiently(post)
            return
        reason = remedy(error)
        if error.response.get("error") in NOBODY_THERE:
            log.info("post %s is dropped: its thread is gone", post.post_id)
            await self._database.outbox.drop(post.post_id)
            return
        self.trouble[post.channel] = reason
        log.warning("post %s waits: %s", post.post_id, reason)
        wait = error.response.headers.get("Retry-After") if error.response.status_code == 429 else None
        pause = int(float(wait) * 1000) if wait else pause_ms(post.attempts)
        await self._database.outbox.retry(post.post_id, now_ms() + pause, reason)

    async def _settle(self, post: Post) -> bool:
        """Find out whether a post whose answer was lost is in the channel; False while Slack does not say."""
        try:
            ts = await self._find(post)
        except (SlackApiError, *LOST) as error:
            if isinstance(error, SlackApiError) and error.response.get("error") in NOBODY_THERE:
                await self._database.outbox.drop(post.post_id)
                return True
            reason = remedy(error) if isinstance(error, SlackApiError) else "Slack cannot be reached"
            self.trouble[post.channel] = reason
            log.warning("post %s cannot be looked for yet: %s", post.post_id, reason)
            return False
        if ts is not None:
            await self._done(post, ts)
        else:
            await self._database.outbox.retry(post.post_id, now_ms() + pause_ms(0), "its answer was lost")
        return True

    async def _find(self, post: Post) -> str | None:
        cursor = ""
        for _ in range(10):
            if post.thread_ts:
                page = await self._client.conversations_replies(
                    channel=post.channel,
                    ts=post.thread_ts,
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor,
                )
            else:
                page = await self._client.conversations_history(
                    channel=post.channel, include_all_metadata=True, limit=200, cursor=cursor
                )
            for message in page.get("messages") or []:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("post_id") == post.post_id:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        return None


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
    return "memalign_verdict" if post.kind == "card" else f"memalign_{post.kind}"


def _mark(post: Post) -> Mapping[str, Json]:
    if post.kind != "card":
        return {}
    return {key: post.payload[key] for key in ("trace_id", "judge")} | {"verdict_id": post.verdict_id}
