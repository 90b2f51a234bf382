"""Search for a posted message in its channel, by the id of its post."""

from collections.abc import Awaitable

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import field_of
from memalign.records import Json

MESSAGES_PER_PAGE = 200


async def find_message(
    client: AsyncWebClient, *, post_id: str, channel: str, thread_ts: str | None, oldest: str
) -> str | None:
    """Find the message whose metadata names a post; all pages are read.

    Args:
        client: a Web API client.
        post_id: the post's id in the message's metadata.
        channel: the channel to search.
        thread_ts: the thread to search, None for the channel itself.
        oldest: ts before which the message cannot have arrived; used for a channel.

    Returns:
        The message's ts, None when it is not there.

    Raises:
        SlackApiError: Slack refuses, or an answer has no messages.
        ClientError, TimeoutError, OSError: Slack cannot be reached.
    """
    async for page in await _first_page(client, channel, thread_ts, oldest):
        for message in field_of(page, "messages", list):
            if _post_id_of(message) == post_id:
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


def _post_id_of(message: Json) -> Json:
    return ((message.get("metadata") or {}).get("event_payload") or {}).get("post_id")
