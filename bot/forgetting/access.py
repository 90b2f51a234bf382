"""The rule of who may forget what."""

import asyncio
from collections.abc import Collection

from bot.config import Settings
from bot.forgetting.scope import ForgetScope
from bot.slack.channel_members import ChannelMembers
from bot.slack.users import People
from memalign.records import PersonTarget, TraceTarget


class ForgetAccess:
    """Decides by `[access] forget`, and by who is in the judges' channels where nobody is named there."""

    def __init__(self, settings: Settings, members: ChannelMembers, people: People) -> None:
        self._access = settings.access
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._members = members
        self._people = people

    async def allows(self, person: str, scope: ForgetScope) -> bool:
        """Decide whether somebody may forget a trace, or a person's words.

        A person may forget what they said themselves. All else is for those named in the settings. Where nobody is
        named, a trace is for members of the workspace who are in every channel that shows it; whether guests and
        people of connected workspaces count as such, `[access] teach` says.

        Args:
            person: Slack id of who asks.
            scope: what is to be forgotten.

        Returns:
            True if it is allowed; False also while Slack does not answer.
        """
        if scope.target == PersonTarget(person=person):
            return True
        if self._access.forget:
            return self._is_named(person)
        if not isinstance(scope.target, TraceTarget):
            return False
        answers = [self._belongs(person)]
        answers += [self._members.includes_now(channel, person) for channel in self._channels_of(scope)]
        return all(await asyncio.gather(*answers))

    async def may_know(self, person: str, scope: ForgetScope) -> bool:
        """Return whether somebody may know that the trace exists: they are named, or in a channel that shows it."""
        return self._is_named(person) or any(await self._are_members(person, self._shown_in(scope)))

    async def may_know_all(self, person: str) -> bool:
        """Return whether somebody may know of every trace: they are named, or in all judges' channels."""
        return self._is_named(person) or all(await self._are_members(person, set(self._channels.values())))

    def _is_named(self, person: str) -> bool:
        return person in self._access.forget

    async def _are_members(self, person: str, channels: Collection[str]) -> list[bool]:
        return await asyncio.gather(
            *(self._members.includes(channel, person) for channel in sorted(channels))
        )

    async def _belongs(self, person: str) -> bool:
        """Return whether a person counts as a member of the workspace."""
        if self._access.teach == "everybody":
            return True
        return await self._people.standing_soon(person) == "member"

    def _channels_of(self, scope: ForgetScope) -> set[str]:
        """Return the channels where something of the trace can be seen: its cards, or what its judges learned."""
        return self._shown_in(scope) | self._channels_of_judges(scope.judges)

    def _shown_in(self, scope: ForgetScope) -> set[str]:
        """Return the channels that show the trace, or will; of one that memories alone hold, all channels."""
        if scope.channels:
            return scope.channels
        return self._channels_of_judges(scope.trace.judges if scope.trace else ()) or set(
            self._channels.values()
        )

    def _channels_of_judges(self, judges: Collection[str]) -> set[str]:
        return {self._channels[name] for name in judges if name in self._channels}
