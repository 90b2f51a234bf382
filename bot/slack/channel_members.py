"""Membership of channels, as Slack tells it."""

import asyncio
import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import CONNECTION_ERRORS, field_of

log = logging.getLogger(__name__)

MEMBERS_PER_PAGE = 1000
"""The most that `conversations.members` returns at once."""
MEMBERS_SECONDS = 10.0
"""Time limit of a look-up, all its pages together."""


class ChannelMembers:
    """Looks up who is in a channel; asked anew each time, since people come and go."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def includes(self, channel: str, person: str) -> bool:
        """Return True if the person is in the channel; False also while Slack does not answer."""
        try:
            async with asyncio.timeout(MEMBERS_SECONDS):
                return await self._lists(channel, person)
        except (SlackApiError, *CONNECTION_ERRORS) as error:
            log.warning("the members of %s cannot be listed: %s", channel, error)
        return False

    async def _lists(self, channel: str, person: str) -> bool:
        async for page in await self._client.conversations_members(channel=channel, limit=MEMBERS_PER_PAGE):
            if person in field_of(page, "members", list):
                return True
        return False
