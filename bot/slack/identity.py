"""The bot's own identity in Slack, by which its messages and its events are told from those of others."""

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import SlackCallError, field_of, translated_errors
from memalign.records import Json

log = logging.getLogger(__name__)

LOOKUP_SECONDS = 1.0
"""Longest time that an event waits for Slack to say who the bot is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotIdentity:
    """The ids of the bot, its app and the workspace where it is installed."""

    team_id: str
    bot_id: str
    app_id: str
    user_id: str = ""
    """The bot's as a member of channels, by which it is mentioned."""

    def wrote(self, message: Json) -> bool:
        """Return whether a message of Slack's history is the bot's own."""
        return (message.get("bot_id"), message.get("app_id")) == (self.bot_id, self.app_id)


class IdentityLookup:
    """Asks Slack who the bot is, until it says so; from then on the answer stands."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._identity: BotIdentity | None = None

    async def read(self) -> BotIdentity:
        """Return the identity.

        Raises:
            SlackRefusedError: Slack refuses, or an answer lacks an id.
            SlackUnreachableError: Slack cannot be reached.
        """
        if self._identity is None:
            account = await self._client.auth_test()
            bot_id = field_of(account, "bot_id", str)
            answer = await self._client.bots_info(bot=bot_id)
            app_id = str(field_of(answer, "bot", dict).get("app_id") or "")
            self._identity = BotIdentity(
                team_id=field_of(account, "team_id", str),
                bot_id=bot_id,
                app_id=app_id,
                user_id=str(account.get("user_id") or ""),
            )
        return self._identity

    async def read_soon(self) -> BotIdentity | None:
        """Return the identity; None where Slack does not say within `LOOKUP_SECONDS`."""
        try:
            with translated_errors():
                async with asyncio.timeout(LOOKUP_SECONDS):
                    return await self.read()
        except SlackCallError as error:
            log.info("Slack does not say who the bot is: %s", error.detail)
            return None
