"""Buttons by which a person answers, in a card's thread, what was asked privately about their reply."""

import re
from collections.abc import Mapping

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.primitives import SlackMessage
from bot.blocks.private_replies import REPLY_VALUE, REPLY_VOTE, down_noted, unsure_noted, value_noted
from bot.blocks.thread import card_gone, not_counted, not_in_channel, two_votes
from bot.feedback import feedback_of
from bot.listeners.actions import click_time
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.own_values import chosen_value, label_of
from bot.listeners.responses import replace_original
from bot.slack.payload import MalformedPayloadError
from bot.vote_marks import Vote, votes_of
from memalign.judge_memory import JudgeMemory
from storage.records import PersonFeedback

VOTES: Mapping[str, Vote] = {"up": "up", "down": "down", "unsure": "unsure"}


class ReplyButtons:
    """Stores what a press says before its ack; the question is replaced after it."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        memories: Mapping[str, JudgeMemory],
        after_ack: AfterAck,
    ) -> None:
        self._memories = memories
        self._cards = cards
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.action(re.compile(rf"^{REPLY_VALUE}(:\d+)?$"))(self.value)
        app.action(re.compile(rf"^{REPLY_VOTE}:"))(self.vote)

    async def value(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Count the value of a button, or of the menu."""
        action = body["actions"][0]
        value = chosen_value(action) if "selected_option" in action else label_of(str(action.get("value")))
        card = await self._card(body)
        if card is not None:
            await self._cards.set_value(card, value, click_time(action))
        await ack()
        self._after_ack.run(self._confirm(body, respond, card))

    async def vote(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Count the vote of a button."""
        action = body["actions"][0]
        vote = VOTES.get(str(action.get("value")))
        if vote is None:
            raise MalformedPayloadError("The value of the button is no vote.")
        card = await self._card(body)
        if card is not None:
            await self._cards.hold(card, vote, click_time(action))
        await ack()
        self._after_ack.run(self._confirm(body, respond, card))

    async def _card(self, body: Body) -> ClickedCard | None:
        """Return the card; Slack does not send private messages back, so that the row of buttons names the verdict."""
        return await self._cards.of_verdict(body, str(body["actions"][0].get("block_id")).partition(":")[2])

    async def _confirm(self, body: Body, respond: AsyncRespond, card: ClickedCard | None) -> None:
        await replace_original(respond, card_gone() if card is None else await self._outcome(body, card))

    async def _outcome(self, body: Body, card: ClickedCard) -> SlackMessage:
        """Say what counts now; the vote of somebody who has left the channel is taken back."""
        match await self._access.refusal(card):
            case "not in the channel":
                await self._cards.set_vote(card, None, click_time(body["actions"][0]))
                return not_in_channel()
            case "not a member of the workspace":
                return not_counted()
        return self._standing(card, await self._cards.feedback_on(card))

    def _standing(self, card: ClickedCard, events: PersonFeedback) -> SlackMessage:
        if len(votes_of(card.verdict, events)) > 1:
            return two_votes()
        value_type = self._memories[card.verdict.verdict.judge].definition.value_type
        feedback = feedback_of(card.verdict, card.person, events, value_type)
        if feedback.value is not None:
            return value_noted(feedback.value, has_reason=bool(feedback.rationale))
        return unsure_noted() if feedback.vote == "unsure" else down_noted()
