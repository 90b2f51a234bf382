"""The rule of whose feedback counts: that of members of the card's channel who belong to the workspace far enough
for `[access] teach`.
"""

import asyncio
import logging
from typing import Literal

from bot.annotators import is_annotator
from bot.runtime.clock import now_ms
from bot.slack.channel_members import ChannelMembers
from bot.slack.errors import SlackUnavailableError
from bot.slack.users import People, Standing
from storage.database import Database

log = logging.getLogger(__name__)

PEOPLE_PER_PAGE = 100
PERSON_SECONDS = 1.0
"""Pause between two people: Slack allows some 100 look-ups a minute."""
REVIEW_SECONDS = 24 * 3600.0


class TeachAccess:
    """Keeps in the store whose feedback counts. The feedback of all others is kept as well, but not counted."""

    def __init__(
        self,
        teach: Literal["members", "everybody"],
        people: People,
        members: ChannelMembers,
        database: Database,
    ) -> None:
        self._teach = teach
        self._people = people
        self._members = members
        self._database = database

    def allows(self, standing: Standing) -> bool:
        """Return whether people of that standing may teach."""
        return standing == "member" or (self._teach == "everybody" and standing != "program")

    async def update(self, person: str) -> Standing:
        """Look a person up, and let their feedback count or not count from now on.

        Raises:
            SlackUnavailableError: Slack does not say who the person is.
            StorageError: the store failed.
        """
        standing = await self._people.standing(person)
        if standing is None:
            raise SlackUnavailableError(
                "Slack does not say who gave feedback; I'll ask again before I learn from it"
            )
        if standing == "program":  # what it did is removed instead, see `FeedbackGatherer`
            return standing
        feedback = self._database.feedback
        changed = await (feedback.include if self.allows(standing) else feedback.exclude)(person, now_ms())
        if changed:
            log.info("the feedback of a %s counts from now on, or no more; it is learned again", standing)
        return standing

    async def is_in_channel(self, channel: str, person: str) -> bool:
        """Return whether the person is in the card's channel: who previews a public one can react, too.

        Raises `SlackUnavailableError` while Slack does not say.
        """
        if is_annotator(person):  # nobody is in a channel from there
            return True
        is_member = await self._members.includes_by_now(channel, person)
        if is_member is None:
            raise SlackUnavailableError(
                "Slack does not say who is in the channel; I'll ask again before I learn from what was said there"
            )
        return is_member

    async def run(self) -> None:
        """Review everybody who ever gave feedback, after each start and then once a day. Raises `StorageError`."""
        while True:
            await self.review()
            await asyncio.sleep(REVIEW_SECONDS)

    async def review(self, *, pause_seconds: float = PERSON_SECONDS) -> None:
        """Look everybody up again: the setting may be another one, and guests become members. Raises `StorageError`."""
        last = ""
        while people := await self._database.feedback.people(last, PEOPLE_PER_PAGE):
            for person in people:
                try:
                    await self.update(person)
                except SlackUnavailableError as error:
                    log.info("the standing of %s is not reviewed: %s", person, error)
                await asyncio.sleep(pause_seconds)
            last = people[-1]
