"""App Home: the judges' knowledge, and the cards that still wait for this person's thumb."""

import logging
from collections.abc import Mapping, Sequence

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.card import CardVerdict, card_line
from bot.blocks.home import home_view
from bot.config import JudgeSettings
from bot.feedback import votes_of
from bot.listeners.after_ack import AfterAck
from bot.listeners.judge_access import JudgeAccess
from bot.reports.status import StatusReport
from bot.slack.errors import SlackCallError, field_of
from memalign.judge_memory import JudgeMemory
from memalign.records import Json
from storage.database import Database
from storage.records import StoredVerdict

log = logging.getLogger(__name__)

MAX_OPEN_CARDS = 10
"""Cards shown as still waiting for a thumb."""
NEWEST_VERDICTS = 50
"""Newest verdicts of a judge that are searched for them."""


class HomeTab:
    """Publishes the tab anew each time it is opened."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        access: JudgeAccess,
        status: StatusReport,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._database = database
        self._memories = memories
        self._access = access
        self._status = status
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener."""
        app.event("app_home_opened")(self.opened)

    async def opened(self, event: dict[str, Json]) -> None:
        """Publish the tab; the event also comes for the app's other tabs."""
        if event.get("tab", "home") == "home":
            self._after_ack.run(self.publish(str(event["user"])))

    async def publish(self, person: str) -> None:
        """Show a person the judges in whose channels they are, the open cards and whether all is well."""
        judges = await self._access.judges_of(person)
        memories = [(judge.title, self._memories[judge.name]) for judge in judges]
        lessons = [(title, len(memory.episodes), memory.guidelines) for title, memory in memories]
        status = await self._status.read_about({judge.name for judge in judges})
        view = home_view(lessons, await self._open_cards(person, judges), status)
        try:
            await self._client.views_publish(user_id=person, view=view)
        except SlackCallError as error:
            log.warning("the Home tab of %s could not be published: %s", person, error.detail)

    async def _open_cards(self, person: str, judges: Sequence[JudgeSettings]) -> list[tuple[str, str]]:
        """Return the judges' cards without this person's vote: a line about each card, and its link."""
        cards: list[tuple[str, str]] = []
        for judge in judges:
            for verdict in await self._database.verdicts.recent(judge.name, NEWEST_VERDICTS):
                is_here = verdict.channel == judge.channel
                if is_here and await self._is_open(verdict, person) and (link := await self._link(verdict)):
                    definition = self._memories[judge.name].definition
                    shown = CardVerdict(stored=verdict, judge=definition, title=judge.title)
                    cards.append((card_line(shown), link))
                if len(cards) == MAX_OPEN_CARDS:
                    return cards
        return cards

    async def _is_open(self, verdict: StoredVerdict, person: str) -> bool:
        if verdict.message_ts is None:
            return False
        feedback = (await self._database.feedback.all_of(verdict.verdict_id)).get(person)
        return feedback is None or not votes_of(feedback)

    async def _link(self, verdict: StoredVerdict) -> str | None:
        """Return a link to the card; None where Slack has none, as for a deleted one."""
        ts = verdict.message_ts or ""
        try:
            answer = await self._client.chat_getPermalink(channel=verdict.channel, message_ts=ts)
            return field_of(answer, "permalink", str)
        except SlackCallError as error:
            log.info("no link to the card at %s: %s", ts, error.detail)
            return None
