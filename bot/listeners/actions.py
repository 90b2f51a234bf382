"""Buttons and menus on cards and in threads."""

import re
from collections.abc import Mapping
from decimal import Decimal

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.blind_card import unsure_before_verdict
from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import (
    CORRECT_VALUE,
    card_gone,
    value_counted,
)
from bot.blocks.vote_buttons import VOTE_DOWN, VOTE_UNSURE, VOTE_UP
from bot.blocks.votes import vote_receipt, vote_stands, which_vote
from bot.learning.active_thread import active_thread
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.own_values import chosen_value
from bot.listeners.reason_modal import ReasonModal
from bot.listeners.refused_click import refusal_of_click
from bot.listeners.responses import respond_ephemeral, show_ephemeral
from bot.runtime.clock import now_ms
from bot.vote_marks import Vote, is_pressed_again, votes_of
from storage.database import Database

VOTES: Mapping[str, Vote] = {VOTE_UP: "up", VOTE_DOWN: "down", VOTE_UNSURE: "unsure"}
VOTES_BY_NAME: Mapping[str, Vote] = {vote: vote for vote in VOTES.values()}


class CardActions:
    """Stores what a click says before its ack; opens modals and answers after it."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        database: Database,
        client: AsyncWebClient,
        reason_modal: ReasonModal,
        after_ack: AfterAck,
    ) -> None:
        self._cards = cards
        self._access = access
        self._database = database
        self._client = client
        self._reason_modal = reason_modal
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        for action_id in VOTES:
            app.action(action_id)(self.vote)
        app.action(re.compile(rf"^{CORRECT_VALUE}(:\d+)?$"))(self.correct)

    async def vote(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Count a vote button; the last one pressed is the vote. Pressed again, it takes nothing away."""
        card = await self._cards.of_click(body)
        if card is None:
            await ack()
            self._after_ack.run(respond_ephemeral(respond, [card_gone()]))
            return
        action = body["actions"][0]
        at, vote = click_time(action), VOTES[action["action_id"]]
        stands = is_pressed_again(card.verdict, await self._cards.feedback_on(card), vote, at)
        if not stands:
            await self._cards.set_vote(card, vote, at)
        await ack()
        answer = vote_stands(card.verdict, card.ts, vote) if stands else None
        self._after_ack.run(self._answer_vote(body, respond, card, answer))

    async def _answer_vote(
        self, body: Body, respond: AsyncRespond, card: ClickedCard, answer: SlackMessage | None
    ) -> None:
        if message := await self._refused(body, card):
            await respond_ephemeral(respond, [message])
            return
        votes = votes_of(card.verdict, await self._cards.feedback_on(card))
        pressed = VOTES[body["actions"][0]["action_id"]]
        if votes == {"down"} and answer is None:
            await self._reason_modal.open(body["trigger_id"], card)
        if len(votes) > 1:
            answer = which_vote(card.verdict, card.ts, votes)
        receipt = answer or (
            unsure_before_verdict()
            if card.verdict.is_hidden and pressed == "unsure"
            else vote_receipt(pressed, card.verdict.verdict.value)
        )
        thread_ts = await active_thread(self._database, card.verdict.verdict_id, card.ts)
        await show_ephemeral(self._client, card.channel, card.person, receipt, thread_ts)

    async def _refused(self, body: Body, card: ClickedCard) -> SlackMessage | None:
        return await refusal_of_click(self._access, self._cards, card, click_time(body["actions"][0]))

    async def correct(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Store the right value, chosen from the menu in the thread."""
        card = await self._cards.of_click(body)
        if card is None:
            await ack()
            self._after_ack.run(respond_ephemeral(respond, [card_gone()]))
            return
        action = body["actions"][0]
        value = chosen_value(action)
        has_two_votes = await self._cards.set_value(card, value, click_time(action))
        await ack()
        counted = value_counted(value, has_two_votes=has_two_votes)
        self._after_ack.run(self._answer_correction(body, respond, card, counted))

    async def _answer_correction(
        self, body: Body, respond: AsyncRespond, card: ClickedCard, counted: SlackMessage
    ) -> None:
        await respond_ephemeral(respond, [await self._refused(body, card) or counted])


def click_time(action: Body) -> str:
    """Return when something was pressed, as an event time."""
    return str(action.get("action_ts") or f"{Decimal(now_ms()) / 1000:.6f}")
