"""Links to messages."""

import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import SlackCallError, field_of

log = logging.getLogger(__name__)


async def permalink(client: AsyncWebClient, channel: str, ts: str) -> str | None:
    """Return a link to a message; None where Slack has none, as for a deleted one."""
    try:
        answer = await client.chat_getPermalink(channel=channel, message_ts=ts)
        return field_of(answer, "permalink", str)
    except SlackCallError as error:
        log.info("no link to the message at %s: %s", ts, error.detail)
        return None
