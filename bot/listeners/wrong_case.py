"""The button "This one is wrong" on a similar case: it asks for the right value, and why."""

from collections.abc import Mapping

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import Block
from bot.blocks.why import WRONG_CASE, may_not_correct, nothing_to_explain
from bot.blocks.wrong_case import wrong_case_view
from bot.learning.likely_values import values_to_choose
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.responses import open_view_from
from bot.reports.verdict_evidence import question_of
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from storage.database import Database


class WrongCases:
    """Opens the modal on top of the evidence; what is submitted is stored as in the modal of a card."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        access: JudgeAccess,
        card_access: CardAccess,
        cards: ClickedCards,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._database = database
        self._memories = memories
        self._access = access
        self._card_access = card_access
        self._cards = cards
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener."""
        app.action(WRONG_CASE)(self.wrong_case)

    async def wrong_case(self, ack: AsyncAck, body: Body) -> None:
        """Ask for the right value of the button's case."""
        await ack()
        self._after_ack.run(self._ask(body))

    async def _ask(self, body: Body) -> None:
        card = await self._card(body)
        if card is None:
            view = nothing_to_explain()
        elif await self._card_access.refusal(card):
            view = may_not_correct()
        else:
            view = await self._question(card)
            await self._database.open_modals.opened(card.person, card.verdict.verdict_id, now_ms())
        await open_view_from(self._client, body, view)

    async def _card(self, body: Body) -> ClickedCard | None:
        """Return the card of the case; None if it is gone, or the person may not see it."""
        stored = await self._database.verdicts.get(str(body["actions"][0].get("value") or ""))
        if stored is None or stored.message_ts is None or stored.verdict.judge not in self._memories:
            return None
        if not await self._access.may_see(str(body["user"]["id"]), stored):
            return None
        return await self._cards.of_modal(body, stored.verdict_id, stored.message_ts)

    async def _question(self, card: ClickedCard) -> Block:
        verdict = card.verdict.verdict
        memory = self._memories[verdict.judge]
        trace = await self._database.traces.get(verdict.trace_id)
        episode = memory.episodes.get(verdict.trace_id)
        label = episode.label if episode else None
        choices = values_to_choose(card.verdict, memory)
        reply = (await self._cards.feedback_on(card)).replies.get(card.ts)
        return wrong_case_view(
            card.verdict,
            question=question_of(trace) if trace else "",
            label=label,
            choices=[each for each in choices.values if each != label] if choices.is_complete else (),
            earlier=(reply.text or "") if reply else "",
        )
