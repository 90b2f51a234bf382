"""The rule of whose clicks on a card count: members of its channel who may teach."""

import asyncio
from typing import Literal

from bot.config import Settings
from bot.listeners.clicked_card import ClickedCard
from bot.slack.channel_members import ChannelMembers
from bot.slack.users import People

Refusal = Literal["not in the channel", "not a member of the workspace"]


class CardAccess:
    """Decides what is shown, and said, to a person who clicked."""

    def __init__(self, settings: Settings, members: ChannelMembers, people: People) -> None:
        self._teach = settings.access.teach
        self._members = members
        self._people = people

    async def may_see(self, card: ClickedCard) -> bool:
        """Return whether the person is in the card's channel; False also while Slack does not answer."""
        return await self._members.includes(card.channel, card.person)

    async def may_submit(self, card: ClickedCard) -> bool:
        """Return whether the person still is in the card's channel, before an acknowledgement is due."""
        return await self._members.includes_now(card.channel, card.person)

    async def refusal(self, card: ClickedCard) -> Refusal | None:
        """Return why what the person says of the card does not count; None while Slack does not say."""
        has_left, counts = await asyncio.gather(
            self._members.excludes(card.channel, card.person), self._may_teach(card.person)
        )
        if has_left:
            return "not in the channel"
        return None if counts else "not a member of the workspace"

    async def _may_teach(self, person: str) -> bool:
        # of somebody whom Slack does not know yet nothing is learned either; see `FeedbackGatherer`
        return self._teach == "everybody" or await self._people.standing(person) in ("member", None)
