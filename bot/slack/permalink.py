"""Links to messages."""

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import SlackCallError, field_of

log = logging.getLogger(__name__)


async def permalink(
    client: AsyncWebClient, channel: str, ts: str, *, seconds: float | None = None
) -> str | None:
    """Ask Slack for the address of a message.

    Args:
        client: Slack.
        channel: the message's channel.
        ts: its time.
        seconds: time for the answer; None for as long as calls may take.

    Returns:
        The address; None where Slack has none, as for a deleted message, or takes too long.
    """
    try:
        async with asyncio.timeout(seconds):
            answer = await client.chat_getPermalink(channel=channel, message_ts=ts)
        return field_of(answer, "permalink", str)
    except SlackCallError as error:
        log.info("no link to the message at %s: %s", ts, error.detail)
    except TimeoutError:
        log.info("no link to the message at %s within %s s", ts, seconds)
    return None
