"""People of the workspace: their names, and how far they belong to it."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from slack_sdk.web.async_client import AsyncWebClient

from bot.annotators import annotator_name, is_annotator
from bot.plain_text import NAMES_BESIDE_SLACK
from bot.slack.errors import SlackCallError, SlackRefusedError, field_of, translated_errors
from bot.slack.identity import IdentityLookup
from memalign.records import Json

log = logging.getLogger(__name__)

Standing = Literal["member", "guest", "stranger", "program"]
"""A member of the workspace; a guest of one or several channels; somebody of a connected workspace; an app."""

HIDDEN_FROM_US = {"user_not_found", "user_not_visible"}
"""Codes for somebody of whom Slack tells this workspace nothing."""
PROFILE_SECONDS = 60.0
"""Longest time that a guest who became a member still counts as a guest, or the other way round."""
LOOKUP_PAUSE_SECONDS = 5.0
"""Pause after a look-up to which Slack gave no answer, or a rate limit."""
LOOKUP_SECONDS = 5.0
"""Longest time that anything waits for one person's profile."""
ACK_SECONDS = 1.5
"""Longest time that an acknowledgement, for which Slack waits three seconds, waits for a profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person as Slack described them."""

    name: str
    standing: Standing | None
    """None where Slack did not say."""
    expires_at: float
    """By the monotonic clock, in seconds."""


class People:
    """Looks people up in the workspace; many questions at a time about one person are one call.

    A name is shown as plain text and never as a mention: nobody is pinged for having taught the judge. While
    Slack gives no names, nobody waits for one: none is asked for before a pause is over. Somebody's standing waits
    for a failed look-up of that person only, so that one unknown person keeps nobody else from teaching.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        identity: IdentityLookup,
        clock: Callable[[], float] = time.monotonic,
        *,
        lookup_seconds: float = LOOKUP_SECONDS,
    ) -> None:
        self._client = client
        self._identity = identity
        self._clock = clock
        self._lookup_seconds = lookup_seconds
        self._names_again_at = 0.0
        """By the clock; before it no name is asked for."""
        self._asks_again_at: dict[str, float] = {}
        """By person; before it that person's look-ups fail at once."""
        self._profiles: dict[str, Profile] = {}
        self._lookups: dict[str, asyncio.Task[Profile]] = {}

    async def name(self, person: str) -> str:
        """Return the name others see; the id itself while Slack does not answer."""
        if person in NAMES_BESIDE_SLACK:
            return NAMES_BESIDE_SLACK[person]
        if is_annotator(person):
            return annotator_name(person)
        known = self._profiles.get(person)
        if known is None and self._clock() < self._names_again_at:
            return person
        return (known or await self._profile(person)).name

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        """Return the names of several people, by id."""
        return {person: await self.name(person) for person in people}

    async def standing(self, person: str) -> Standing | None:
        """Return how far somebody belongs to the workspace; None while Slack does not answer."""
        # whoever may write in the team's own tool belongs to the team
        return "member" if is_annotator(person) else (await self._profile(person)).standing

    async def standing_soon(self, person: str) -> Standing | None:
        """Return the same before an acknowledgement is due; None where Slack does not answer in time."""
        try:
            async with asyncio.timeout(ACK_SECONDS):
                return await self.standing(person)
        except TimeoutError:
            return None

    async def _profile(self, person: str) -> Profile:
        known = self._profiles.get(person)
        if known is not None and self._clock() < known.expires_at:
            return known
        if self._clock() < self._asks_again_at.get(person, 0.0):
            return self._unknown(person)
        lookup = self._lookups.get(person)
        if lookup is None:
            lookup = self._lookups[person] = asyncio.create_task(self._look_up(person))
            lookup.add_done_callback(lambda _: self._lookups.pop(person, None))
        # whoever waits no longer must not end the call for the others
        return await asyncio.shield(lookup)

    async def _look_up(self, person: str) -> Profile:
        try:
            with translated_errors():
                async with asyncio.timeout(self._lookup_seconds):
                    user = field_of(await self._client.users_info(user=person), "user", dict)
                    standing = await self._standing_of(user)
        except SlackCallError as error:
            log.info("Slack does not say who %s is: %s", person, error.detail)
            return self._failed(person, error)
        return self._keep(person, _name_of(user) or person, standing)

    def _failed(self, person: str, error: SlackCallError) -> Profile:
        refusal = error if isinstance(error, SlackRefusedError) else None
        if refusal is not None and refusal.code in HIDDEN_FROM_US:
            return self._keep(person, person, "stranger")
        if refusal is None or refusal.is_rate_limit or refusal.is_undecided:
            self._names_again_at = self._asks_again_at[person] = self._clock() + LOOKUP_PAUSE_SECONDS
        return self._unknown(person)

    def _keep(self, person: str, name: str, standing: Standing) -> Profile:
        profile = Profile(name=name, standing=standing, expires_at=self._clock() + PROFILE_SECONDS)
        self._profiles[person] = profile
        self._asks_again_at.pop(person, None)
        return profile

    def _unknown(self, person: str) -> Profile:
        known = self._profiles.get(person)
        return Profile(name=known.name if known else person, standing=None, expires_at=0.0)

    async def _standing_of(self, user: Json) -> Standing:
        if user.get("is_bot"):
            return "program"
        if user.get("is_stranger") or await self._is_of_another_team(user):
            return "stranger"
        return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"

    async def _is_of_another_team(self, user: Json) -> bool:
        """Return whether a user's workspace is not the bot's; people of one organisation share theirs."""
        team_id = user.get("team_id")
        if not team_id:
            return False
        ours = (await self._identity.read()).team_id
        shared = (user.get("enterprise_user") or {}).get("teams") or []
        return team_id != ours and ours not in shared


def _name_of(user: Json) -> str | None:
    profile = user.get("profile") or {}
    shown = profile.get("display_name") or profile.get("real_name")
    name = shown or user.get("real_name") or user.get("name")
    return str(name) if name else None
