"""People of the workspace: their names, and which of them are programs."""

import logging
from collections.abc import Iterable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import CONNECTION_ERRORS, field_of
from memalign.records import Json

log = logging.getLogger(__name__)


class People:
    """Looks people up in the workspace, each once.

    A name is shown as plain text and never as a mention: nobody is pinged for having taught the judge.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: dict[str, str] = {}
        self._bots: set[str] = set()

    async def name(self, person: str) -> str:
        """Return the name others see; the id itself while Slack does not answer."""
        if person not in self._names:
            await self._look_up(person)
        return self._names.get(person, person)

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        """Return the names of several people, by id."""
        return {person: await self.name(person) for person in people}

    async def is_bot(self, person: str) -> bool:
        """Return whether a user is a program; its reactions teach nothing."""
        await self.name(person)
        return person in self._bots

    async def _look_up(self, person: str) -> None:
        try:
            user = field_of(await self._client.users_info(user=person), "user", dict)
        except (SlackApiError, *CONNECTION_ERRORS) as error:
            log.info("the name of %s could not be looked up: %s", person, error)
            return
        self._names[person] = _name_of(user) or person
        if user.get("is_bot"):
            self._bots.add(person)


def _name_of(user: Json) -> str | None:
    profile = user.get("profile") or {}
    shown = profile.get("display_name") or profile.get("real_name")
    name = shown or user.get("real_name") or user.get("name")
    return str(name) if name else None
