"""Membership of channels, as Slack tells it."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import SlackCallError, field_of, translated_errors

log = logging.getLogger(__name__)

MEMBERS_PER_PAGE = 1000
"""The most that `conversations.members` returns at once."""
MEMBER_SECONDS = 60.0
"""Longest time that somebody who left a channel still counts as a member."""
NON_MEMBER_SECONDS = 5.0
"""Longest time that somebody who joined a channel does not count as a member yet."""
MEMBERS_SECONDS = 10.0
"""Time limit of a look-up, all its pages together."""
ACK_SECONDS = 1.5
"""Longest time that an acknowledgement, for which Slack waits three seconds, waits for a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberList:
    """The members of a channel at one moment."""

    people: frozenset[str] | None
    """None where Slack did not say."""
    listed_at: float
    """By the monotonic clock, in seconds."""

    def covers(self, person: str, now: float) -> bool:
        """Return whether the list is new enough to say if the person is a member."""
        return now - self.listed_at < (MEMBER_SECONDS if self.includes(person) else NON_MEMBER_SECONDS)

    def includes(self, person: str) -> bool:
        """Return True if the person is on the list; False also where Slack did not say."""
        return self.people is not None and person in self.people

    def excludes(self, person: str) -> bool:
        """Return True if Slack said that the person is no member."""
        return self.people is not None and person not in self.people


class ChannelMembers:
    """Looks up who is in a channel; many questions at a time about one channel are one call."""

    def __init__(self, client: AsyncWebClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lists: dict[str, MemberList] = {}
        self._lookups: dict[str, asyncio.Task[MemberList]] = {}

    async def includes(self, channel: str, person: str) -> bool:
        """Return True if the person is, or was a minute ago, in the channel; False while Slack does not answer."""
        return (await self._recent(channel, person)).includes(person)

    async def excludes(self, channel: str, person: str) -> bool:
        """Return True if Slack says that the person is not in the channel; False while it does not answer."""
        return (await self._recent(channel, person)).excludes(person)

    async def includes_by_now(self, channel: str, person: str) -> bool | None:
        """Return whether the person is in the channel, having joined just now included; None if Slack does not say.

        Somebody who left still counts as a member for a minute.
        """
        known = self._lists.get(channel)
        if known is None or (known.excludes(person) or not known.covers(person, self._clock())):
            known = await self._look_up(channel)
        return None if known.people is None else known.includes(person)

    async def includes_now(self, channel: str, person: str) -> bool:
        """Return True if the person is in the channel at this moment, for what cannot be undone.

        Where Slack does not answer before an acknowledgement is due, the list of the last minute decides.
        """
        try:
            async with asyncio.timeout(ACK_SECONDS):
                return (await self._look_up(channel)).includes(person)
        except TimeoutError:
            known = self._lists.get(channel)
            return known is not None and known.includes(person) and known.covers(person, self._clock())

    async def _recent(self, channel: str, person: str) -> MemberList:
        known = self._lists.get(channel)
        if known is None or not known.covers(person, self._clock()):
            known = await self._look_up(channel)
        return known

    async def _look_up(self, channel: str) -> MemberList:
        lookup = self._lookups.get(channel)
        if lookup is None:
            lookup = self._lookups[channel] = asyncio.create_task(self._list(channel))
            lookup.add_done_callback(lambda _: self._lookups.pop(channel, None))
        # whoever waits no longer must not end the call for the others
        return await asyncio.shield(lookup)

    async def _list(self, channel: str) -> MemberList:
        try:
            with translated_errors():
                async with asyncio.timeout(MEMBERS_SECONDS):
                    people: frozenset[str] | None = await self._all_pages(channel)
        except SlackCallError as error:
            log.warning("the members of %s cannot be listed: %s", channel, error.detail)
            people = None
        members = MemberList(people=people, listed_at=self._clock())
        self._lists[channel] = members
        return members

    async def _all_pages(self, channel: str) -> frozenset[str]:
        people: set[str] = set()
        async for page in await self._client.conversations_members(channel=channel, limit=MEMBERS_PER_PAGE):
            people.update(field_of(page, "members", list))
        return frozenset(people)
