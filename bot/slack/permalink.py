"""Links to messages."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

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


MAX_LINK_TRIES = 3
"""Messages of a channel that are asked for before it is given up: those deleted since have no address."""
LINK_SECONDS = 5.0


async def permalinks(client: AsyncWebClient, channel: str, timestamps: Sequence[str]) -> Mapping[str, str]:
    """Return the addresses of a channel's messages by their time; one call tells all, since they differ by it alone.

    Args:
        client: Slack.
        channel: the channel.
        timestamps: the messages' times.

    Returns:
        The addresses; none where Slack gives none, and one where it does not tell how they differ.
    """
    for ts in timestamps[:MAX_LINK_TRIES]:
        link = await permalink(client, channel, ts, seconds=LINK_SECONDS)
        if link is not None and _in_address(ts) not in link:
            return {ts: link}
        if link is not None:
            return {each: link.replace(_in_address(ts), _in_address(each)) for each in timestamps}
    return {}


def _in_address(ts: str) -> str:
    """Return a message's time as it stands in its address, such as `p1700000000000100`."""
    return f"p{ts.replace('.', '')}"
