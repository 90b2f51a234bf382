"""Buttons by which a person keeps one of several votes of theirs, or takes one back."""

import json
import re

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.thread import card_gone, not_in_channel, vote_counted
from bot.blocks.votes import KEEP_VOTE, TAKE_BACK_VOTE, vote_receipt, which_vote
from bot.listeners.actions import VOTES_BY_NAME, click_time
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.own_values import ModalSubject
from bot.listeners.responses import replace_original
from bot.vote_marks import votes_of


class VoteChoices:
    """Stores what a press says before its ack; the question is replaced after it."""

    def __init__(self, cards: ClickedCards, access: CardAccess, after_ack: AfterAck) -> None:
        self._cards = cards
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.action(re.compile(rf"^{KEEP_VOTE}:"))(self.choose)
        app.action(TAKE_BACK_VOTE)(self.choose)

    async def choose(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Keep the vote that the button names, or take the buttons' vote back."""
        action = body["actions"][0]
        subject = ModalSubject.read(str(action.get("value")))
        card = await self._cards.of_modal(body, subject.verdict_id, subject.card_ts)
        may_vote = card is not None and await self._access.may_submit(card)
        if card is not None and may_vote:
            vote = VOTES_BY_NAME.get(str(json.loads(action["value"]).get("vote")))
            if vote is None:
                await self._cards.set_vote(card, None, click_time(action))
            else:
                await self._cards.keep_vote(card, vote, click_time(action))
        await ack()
        self._after_ack.run(self._answer(respond, card, may_vote=may_vote))

    async def _answer(self, respond: AsyncRespond, card: ClickedCard | None, *, may_vote: bool) -> None:
        if card is None or not may_vote:
            await replace_original(respond, card_gone() if card is None else not_in_channel())
            return
        votes = votes_of(card.verdict, await self._cards.feedback_on(card))
        if len(votes) > 1:
            await replace_original(respond, which_vote(card.verdict, card.ts, votes))
            return
        vote = next(iter(votes), None)
        answer = vote_receipt(vote, card.verdict.verdict.value) if vote else None
        await replace_original(respond, answer or vote_counted(None, has_two_votes=False))
