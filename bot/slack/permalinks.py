"""Links to messages."""

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import SlackCallError, field_of

log = logging.getLogger(__name__)

LINK_SECONDS = 1.0
"""Time for a link. What it is wanted for is a modal, which Slack takes within three seconds of the click."""


class Permalinks:
    """Asks Slack for the addresses of messages."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def of(self, channel: str, ts: str) -> str | None:
        """Return a message's address; None where Slack has none, as for a deleted one, or takes too long."""
        try:
            async with asyncio.timeout(LINK_SECONDS):
                answer = await self._client.chat_getPermalink(channel=channel, message_ts=ts)
            return field_of(answer, "permalink", str)
        except SlackCallError as error:
            log.info("no link to the message at %s: %s", ts, error.detail)
        except TimeoutError:
            log.info("no link to the message at %s within %s s", ts, LINK_SECONDS)
        return None
