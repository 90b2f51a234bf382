"""App Home: shown anew each time it is opened, and after each vote on it."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.home import home_two_votes, home_view, home_vote_counted
from bot.blocks.thread import card_gone
from bot.listeners.actions import VOTES, click_time
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.home_page import HomePages
from bot.listeners.reason_modal import ReasonModal
from bot.listeners.refused_click import refusal_of_click
from bot.slack.errors import SlackCallError
from bot.vote_marks import votes_of
from memalign.records import Json

log = logging.getLogger(__name__)


class HomeTab:
    """Publishes the tab, and stores the votes on it as those on cards."""

    def __init__(
        self,
        pages: HomePages,
        cards: ClickedCards,
        access: CardAccess,
        reason_modal: ReasonModal,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._pages = pages
        self._cards = cards
        self._access = access
        self._reason_modal = reason_modal
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners, those of votes before the ones of cards, which have the same names."""
        app.event("app_home_opened")(self.opened)
        for action_id in VOTES:
            app.action(action_id, matchers=[is_on_home])(self.vote)

    async def opened(self, event: dict[str, Json]) -> None:
        """Publish the tab; the event also comes for the app's other tabs."""
        if event.get("tab", "home") == "home":
            self._after_ack.run(self.publish(str(event["user"])))

    async def vote(self, ack: AsyncAck, body: Body) -> None:
        """Count a vote; the tab then shows it among one's own."""
        card = await self._cards.of_home(body)
        action = body["actions"][0]
        if card is not None:
            await self._cards.set_vote(card, VOTES[action["action_id"]], click_time(action))
        await ack()
        self._after_ack.run(self._answer_vote(body, card))

    async def publish(self, person: str, note: str = "") -> None:
        """Show a person the tab; `note` answers what they pressed."""
        view = home_view(await self._pages.read(person), note)
        try:
            await self._client.views_publish(user_id=person, view=view)
        except SlackCallError as error:
            log.warning("the Home tab of %s could not be published: %s", person, error.detail)

    async def _answer_vote(self, body: Body, card: ClickedCard | None) -> None:
        person = str(body["user"]["id"])
        if card is None:
            await self.publish(person, card_gone().text)
            return
        at = click_time(body["actions"][0])
        if refusal := await refusal_of_click(self._access, self._cards, card, at):
            await self.publish(person, refusal.text)
            return
        if len(votes_of(card.verdict, await self._cards.feedback_on(card))) > 1:
            await self._reason_modal.ask_which_vote(card)
            await self.publish(person, home_two_votes())
            return
        vote = VOTES[body["actions"][0]["action_id"]]
        if vote == "down":
            await self._reason_modal.open(body["trigger_id"], card)
        await self.publish(person, home_vote_counted(vote))


async def is_on_home(body: Body) -> bool:
    """Return whether something was pressed on the Home tab."""
    return (body.get("view") or {}).get("type") == "home"
