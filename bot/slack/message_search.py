"""Looks for a message in its channel by the mark of its post."""

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from storage.database import Database
from storage.records import DigestContent, Post

CLOCKS_MS = 10 * 60_000
"""How far Slack's clock may differ from ours."""


class PostSearch:
    """Finds out whether a post has arrived."""

    def __init__(self, client: AsyncWebClient, database: Database) -> None:
        self._client = client
        self._database = database

    async def oldest(self, post: Post) -> str:
        """The time in the channel before which a post cannot have arrived. Raises `StorageError`."""
        stored = await self._database.verdicts.get(post.verdict_id) if post.verdict_id else None
        since_ms = _due_ms(post) if stored is None else stored.judged_ms
        return "0" if since_ms is None else f"{(since_ms - CLOCKS_MS) / 1000:.6f}"

    async def find(self, post: Post, oldest: str) -> str | None:
        """The time of the message that carries the post's mark; it is read on until there is no more.

        Raises `SlackApiError` or one of `LOST`.
        """
        cursor = ""
        while True:
            page = await self._page(post, oldest, cursor)
            for message in page.get("messages") or []:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("post_id") == post.post_id:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def _page(self, post: Post, oldest: str, cursor: str) -> AsyncSlackResponse:
        if post.thread_ts:
            return await self._client.conversations_replies(
                channel=post.channel, ts=post.thread_ts, include_all_metadata=True, limit=200, cursor=cursor
            )
        return await self._client.conversations_history(
            channel=post.channel, oldest=oldest, include_all_metadata=True, limit=200, cursor=cursor
        )


def _due_ms(post: Post) -> int | None:
    return post.content.due_ms if isinstance(post.content, DigestContent) else None
