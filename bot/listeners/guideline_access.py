"""The rule of who may manage guidelines."""

from bot.config import Settings
from bot.slack.channel_members import ChannelMembers
from bot.slack.users import People


class GuidelineAccess:
    """Decides by `[access] manage`, and by who is in the judge's channel where nobody is named there."""

    def __init__(self, settings: Settings, members: ChannelMembers, people: People) -> None:
        self._access = settings.access
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._members = members
        self._people = people

    async def named(self) -> list[str]:
        """Return the names of those whom the settings name; none where all members of the channel may."""
        return list((await self._people.names(self._access.manage)).values())

    async def decide(self, person: str, judge: str) -> bool | None:
        """Decide the same as `allows` without a hurry; None while Slack does not say."""
        if judge not in self._channels or self._access.manage:
            return await self.allows(person, judge)
        if self._access.teach != "everybody":
            standing = await self._people.standing(person)
            if standing != "member":
                return None if standing is None else False
        return await self._members.includes_by_now(self._channels[judge], person)

    async def allows(self, person: str, judge: str) -> bool:
        """Decide whether somebody may manage a judge's guidelines.

        Args:
            person: Slack id of who asks.
            judge: the judge's name; of an unknown one nobody may.

        Returns:
            True if it is allowed; False also while Slack does not answer.
        """
        if judge not in self._channels:
            return False
        if self._access.manage:
            return person in self._access.manage
        if self._access.teach != "everybody" and await self._people.standing_soon(person) != "member":
            return False
        return await self._members.includes_now(self._channels[judge], person)
