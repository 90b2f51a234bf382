"""People of the workspace: their names, and which of them are programs."""

import asyncio
import logging
import time
from collections.abc import Iterable

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import CONNECTION_ERRORS, field_of, is_undecided, status_of
from memalign.records import Json

log = logging.getLogger(__name__)

LOOKUP_SECONDS = 5.0
"""Time that a message or a lesson waits for a name; it goes on with the person's id."""
LOOKUP_PAUSE_SECONDS = 60.0
"""Pause after a look-up to which Slack gave no answer, or a rate limit."""


class People:
    """Looks people up in the workspace, each once.

    A name is shown as plain text and never as a mention: nobody is pinged for having taught the judge. While
    Slack gives no names, nobody waits for one: it is not asked again before a pause is over.
    """

    def __init__(self, client: AsyncWebClient, *, lookup_seconds: float = LOOKUP_SECONDS) -> None:
        self._client = client
        self._lookup_seconds = lookup_seconds
        self._asks_again_at = 0.0
        """By the monotonic clock; before it all look-ups fail at once."""
        self._names: dict[str, str] = {}
        self._bots: set[str] = set()

    async def name(self, person: str) -> str:
        """Return the name others see; the id itself while Slack does not answer."""
        if person not in self._names and time.monotonic() >= self._asks_again_at:
            await self._look_up(person)
        return self._names.get(person, person)

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        """Return the names of several people, by id."""
        return {person: await self.name(person) for person in people}

    async def is_bot(self, person: str) -> bool:
        """Return whether a user is a program; its reactions teach nothing. False while Slack does not answer."""
        await self.name(person)
        return person in self._bots

    async def _look_up(self, person: str) -> None:
        try:
            async with asyncio.timeout(self._lookup_seconds):
                user = field_of(await self._client.users_info(user=person), "user", dict)
        except (SlackApiError, *CONNECTION_ERRORS) as error:
            log.info("the name of %s could not be looked up: %s", person, error)
            if not isinstance(error, SlackApiError) or status_of(error) == 429 or is_undecided(error):
                self._asks_again_at = time.monotonic() + LOOKUP_PAUSE_SECONDS
            return
        self._names[person] = _name_of(user) or person
        if user.get("is_bot"):
            self._bots.add(person)


def _name_of(user: Json) -> str | None:
    profile = user.get("profile") or {}
    shown = profile.get("display_name") or profile.get("real_name")
    name = shown or user.get("real_name") or user.get("name")
    return str(name) if name else None
