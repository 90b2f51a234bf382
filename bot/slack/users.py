"""Who people are: their names, and whether they are people at all."""

import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import LOST

log = logging.getLogger(__name__)


class People:
    """Looks people up in the workspace, each once.

    A name is shown as plain text and never as a mention: nobody is pinged for having taught the judge.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: dict[str, str] = {}
        self._bots: set[str] = set()

    async def name(self, user: str) -> str:
        """The name others see; the id itself while Slack does not answer."""
        if user not in self._names:
            await self._look_up(user)
        return self._names.get(user, user)

    async def names(self, users: "list[str] | tuple[str, ...] | set[str]") -> dict[str, str]:
        """The names of several people."""
        return {user: await self.name(user) for user in users}

    async def is_bot(self, user: str) -> bool:
        """Whether the user is a program; its reactions teach nothing."""
        await self.name(user)
        return user in self._bots

    async def _look_up(self, user: str) -> None:
        try:
            answer = await self._client.users_info(user=user)
        except (SlackApiError, *LOST) as error:
            log.info("the name of %s could not be looked up: %s", user, error)
            return
        found = answer.get("user") or {}
        profile = found.get("profile") or {}
        shown = profile.get("display_name") or profile.get("real_name") or found.get("real_name")
        self._names[user] = shown or found.get("name") or user
        if found.get("is_bot"):
            self._bots.add(user)
