"""Search for a posted message in its channel, by the mark that it carries."""

import hmac
from collections.abc import Awaitable
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import field_of
from bot.slack.identity import BotIdentity
from memalign.records import Json

MESSAGES_PER_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMark:
    """The author of a post's message, and what its metadata says; nobody else can have both."""

    author: BotIdentity
    post_id: str
    nonce: str
    """Empty for a post of an earlier version, which carried none."""

    def is_on(self, message: Json) -> bool:
        """Return whether a message of Slack's history carries the mark."""
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        nonce = str(payload.get("nonce") or "").encode()
        is_same = payload.get("post_id") == self.post_id and hmac.compare_digest(nonce, self.nonce.encode())
        return is_same and self.author.wrote(message)


async def find_message(
    client: AsyncWebClient, mark: PostMark, *, channel: str, thread_ts: str | None, oldest: str
) -> str | None:
    """Find the message that carries a post's mark; all pages are read.

    Args:
        client: a Web API client.
        mark: the mark of the post.
        channel: the channel to search.
        thread_ts: the thread to search, None for the channel itself.
        oldest: ts before which the message cannot have arrived; used for a channel.

    Returns:
        The message's ts, None when it is not there.

    Raises:
        SlackRefusedError: Slack refuses, or an answer has no messages.
        SlackUnreachableError: Slack cannot be reached.
    """
    async for page in await _first_page(client, channel, thread_ts, oldest):
        for message in field_of(page, "messages", list):
            if mark.is_on(message):
                return str(message["ts"])
    return None


def _first_page(
    client: AsyncWebClient, channel: str, thread_ts: str | None, oldest: str
) -> Awaitable[AsyncSlackResponse]:
    if thread_ts:
        return client.conversations_replies(
            channel=channel, ts=thread_ts, include_all_metadata=True, limit=MESSAGES_PER_PAGE
        )
    return client.conversations_history(
        channel=channel, oldest=oldest, include_all_metadata=True, limit=MESSAGES_PER_PAGE
    )
