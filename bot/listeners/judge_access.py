"""The rule of who may see what a judge has learned: the members of its channel."""

import asyncio
from collections.abc import Sequence

from bot.config import JudgeSettings, Settings
from bot.judge_names import JudgeNames
from bot.plain_text import did_you_mean, nearest
from bot.slack.channel_members import ChannelMembers
from memalign.errors import SettingsError
from storage.records import StoredVerdict

NO_NAMES = JudgeNames(known=())


class JudgeAccess:
    """Finds the judges that a person may see; to all others it is as if these did not exist."""

    def __init__(self, settings: Settings, members: ChannelMembers, names: JudgeNames = NO_NAMES) -> None:
        """`names` tells which judge is meant by a former name."""
        self._names = names
        self._judges = settings.judges
        self._members = members

    async def judges_of(self, person: str) -> Sequence[JudgeSettings]:
        """Return the judges in whose channels the person is."""
        channels = await self.channels_of(person)
        return [judge for judge in self._judges if judge.channel in channels]

    async def channels_of(self, person: str) -> set[str]:
        """Return those of the judges' channels in which the person is."""
        channels = sorted({judge.channel for judge in self._judges})
        includes = await asyncio.gather(*(self._members.includes(channel, person) for channel in channels))
        return {channel for channel, is_member in zip(channels, includes, strict=True) if is_member}

    async def may_see(self, person: str, stored: StoredVerdict) -> bool:
        """Return whether the person is in the channel of a verdict's card, and in its judge's, if that is another."""
        judges = await self.judges_of(person)
        is_named = any(judge.name == stored.verdict.judge for judge in judges)
        return is_named and await self._members.includes(stored.channel, person)

    async def judges_named(self, name: str, person: str) -> Sequence[JudgeSettings]:
        """Return the judge of that name or title, or with an empty one all, as far as the person may see them.

        Raises:
            SettingsError: the person may see no judge of that name, be there one or not.
        """
        judges = await self.judges_of(person)
        if not name:
            return judges
        name = self._names.current(name)
        folded = name.casefold()
        named = [judge for judge in judges if folded in (judge.name.casefold(), judge.title.casefold())]
        named.sort(key=lambda judge: (judge.name != name, judge.name.casefold() != folded))
        if not named:
            known = ", ".join(judge.title for judge in judges)
            the_judges = f"the judges are: {known}" if known else "you are in no judge's channel"
            guess = nearest(name, [*(judge.title for judge in judges), *(judge.name for judge in judges)])
            raise SettingsError(f"There is no judge named “{name}”; {the_judges}.{did_you_mean(guess)}")
        return named[:1]
