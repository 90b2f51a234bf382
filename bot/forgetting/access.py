"""The rule of who may forget what."""

from bot.config import Settings
from bot.forgetting.scope import ForgetScope
from bot.slack.channel_members import ChannelMembers
from memalign.records import PersonTarget, TraceTarget


class ForgetAccess:
    """Decides by `[access] forget`, and by who is in the judges' channels where nobody is named there."""

    def __init__(self, settings: Settings, members: ChannelMembers) -> None:
        self._named = settings.access.forget
        self._judge_channels = {judge.channel for judge in settings.judges}
        self._members = members

    async def allows(self, person: str, channel: str, scope: ForgetScope) -> bool:
        """Decide whether somebody may forget a trace, or another person's words.

        A person may forget what they said themselves. All else is for those named in the settings; where
        nobody is named, a trace is for the members of any channel that showed it, and a person's words for
        those who are in every channel where they were said.

        Args:
            person: Slack id of who asks.
            channel: where they ask; they are a member of it.
            scope: what is to be forgotten.
        """
        if scope.target == PersonTarget(person=person):
            return True
        if self._named:
            return person in self._named
        channels = scope.channels or self._judge_channels
        if isinstance(scope.target, TraceTarget) and channel in channels:
            return True
        memberships = [
            place == channel or await self._members.includes(place, person) for place in sorted(channels)
        ]
        return any(memberships) if isinstance(scope.target, TraceTarget) else all(memberships)
