"""Values that people choose, before they see the verdict, on cards and on the Home tab."""

import re
from collections.abc import Awaitable, Callable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.blind_card import ANSWER, ANSWER_FORM, answer_receipt
from bot.blocks.home import verdict_id_of_row
from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import card_gone
from bot.learning.active_thread import active_thread
from bot.listeners.actions import click_time
from bot.listeners.after_ack import AfterAck
from bot.listeners.answer_form import AnswerForm
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.home import is_on_home
from bot.listeners.own_values import chosen_value
from bot.listeners.reason_modal import ReasonModal
from bot.listeners.refused_click import refusal_of_click
from bot.listeners.responses import respond_ephemeral, show_ephemeral
from memalign.records import Label
from storage.database import Database

PublishHome = Callable[[str, str], Awaitable[None]]
"""Shows a person the Home tab, with a note."""


class BlindAnswers:
    """Stores a value before its ack; then tells the person what the judge said."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        database: Database,
        client: AsyncWebClient,
        form: AnswerForm,
        reason_modal: ReasonModal,
        publish_home: PublishHome,
        after_ack: AfterAck,
    ) -> None:
        self._cards = cards
        self._access = access
        self._database = database
        self._client = client
        self._form = form
        self._reason_modal = reason_modal
        self._publish_home = publish_home
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.action(re.compile(rf"^{ANSWER}(:\d+)?$"))(self.answer)
        app.action(ANSWER_FORM)(self.open_form)

    async def answer(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Store a value that was pressed, or chosen from the menu."""
        action = body["actions"][0]
        value, card = chosen_value(action), await self._card(body)
        if card is not None:
            await self._cards.set_value(card, value, click_time(action))
        await ack()
        self._after_ack.run(self._tell_outcome(body, respond, card, value))

    async def open_form(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Ask for a value that no button holds."""
        await ack()
        self._after_ack.run(self._open_form(body, respond))

    async def _card(self, body: Body) -> ClickedCard | None:
        """Return the card; the value of its buttons is a label, so that the row of buttons names the verdict."""
        verdict_id = verdict_id_of_row(str(body["actions"][0].get("block_id")))
        if await is_on_home(body):
            return await self._cards.of_verdict(body, verdict_id)
        return await self._cards.of_click(body, verdict_id)

    async def _tell_outcome(
        self, body: Body, respond: AsyncRespond, card: ClickedCard | None, value: Label
    ) -> None:
        refusal = await self._refusal(body, card)
        if card is None or refusal is not None:
            await self._tell(body, respond, refusal or card_gone())
            return
        judged = card.verdict.verdict.value
        if value != judged:
            await self._reason_modal.open(body["trigger_id"], card)
        receipt = answer_receipt(value, judged, asks_reason=False)
        if await is_on_home(body):
            await self._publish_home(card.person, receipt.text)
            return
        thread_ts = await active_thread(self._database, card.verdict.verdict_id, card.ts)
        await show_ephemeral(self._client, card.channel, card.person, receipt, thread_ts)

    async def _open_form(self, body: Body, respond: AsyncRespond) -> None:
        card = await self._card(body)
        refusal = await self._refusal(body, card)
        if card is None or refusal is not None:
            await self._tell(body, respond, refusal or card_gone())
        else:
            await self._form.open(body["trigger_id"], card)

    async def _refusal(self, body: Body, card: ClickedCard | None) -> SlackMessage | None:
        """Say why nothing counts; what somebody who has left the channel chose is taken back."""
        if card is None:
            return card_gone()
        return await refusal_of_click(self._access, self._cards, card, click_time(body["actions"][0]))

    async def _tell(self, body: Body, respond: AsyncRespond, message: SlackMessage) -> None:
        if await is_on_home(body):
            await self._publish_home(str(body["user"]["id"]), message.text)
        else:
            await respond_ephemeral(respond, [message])
