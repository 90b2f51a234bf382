"""The modal in which a person answers a card that asks before it shows the verdict."""

from collections.abc import Mapping

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.answer_form import ANSWER_VIEW, answer_view
from bot.blocks.blind_card import answer_receipt
from bot.blocks.correction import REASON, VALUE
from bot.feedback import feedback_of, new_reason, reasons_of
from bot.learning.active_thread import active_thread
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.form_fields import NOT_A_MEMBER, QUESTION_IN_MODAL, entered, time_now
from bot.listeners.own_values import ModalSubject
from bot.listeners.responses import open_view, show_ephemeral
from bot.replies.reading import asks_only
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Label
from storage.database import Database


class AnswerForm:
    """Opens the modal, and stores what is submitted before its ack."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._cards = cards
        self._access = access
        self._database = database
        self._memories = memories
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener of what is submitted."""
        app.view(ANSWER_VIEW)(self.submit)

    async def open(self, trigger_id: str, card: ClickedCard) -> None:
        """Ask a person for the value, and perhaps a reason."""
        memory = self._memories.get(card.verdict.verdict.judge)
        if memory is None:
            return
        events, value_type = await self._cards.feedback_on(card), memory.definition.value_type
        view = answer_view(
            card.verdict,
            card.ts,
            await self._database.traces.get(card.verdict.verdict.trace_id),
            value_type=value_type,
            value=feedback_of(card.verdict, card.person, events, value_type).value,
            reason="\n".join(reasons_of(events, value_type, card.ts).all),
        )
        await open_view(self._client, trigger_id, view)

    async def submit(self, ack: AsyncAck, body: Body) -> None:
        """Store the value and the reason."""
        subject = ModalSubject.read(body["view"]["private_metadata"])
        card = await self._cards.of_modal(body, subject.verdict_id, subject.card_ts)
        memory = self._memories.get(card.verdict.verdict.judge) if card else None
        if card is None or memory is None:
            await ack()
            return
        if not await self._access.may_submit(card):
            await ack(response_action="errors", errors={REASON: NOT_A_MEMBER})
            return
        fields, at = body["view"]["state"]["values"], time_now()
        typed = entered(fields, REASON) or ""
        if asks_only(typed):
            await ack(response_action="errors", errors={REASON: QUESTION_IN_MODAL})
            return
        value_type = memory.definition.value_type
        try:
            value = value_type.parse(entered(fields, VALUE))
        except InputError as error:
            await ack(response_action="errors", errors={VALUE: str(error)})
            return
        await self._cards.set_value(card, value, at)
        standing = reasons_of(await self._cards.feedback_on(card), value_type, card.ts)
        reason = new_reason(typed, standing.replies)
        await self._cards.set_reason(card, reason, at)
        await ack()
        self._after_ack.run(self._tell_outcome(card, value, has_reason=bool(typed)))

    async def _tell_outcome(self, card: ClickedCard, value: Label, *, has_reason: bool) -> None:
        receipt = answer_receipt(value, card.verdict.verdict.value, asks_reason=not has_reason)
        thread_ts = await active_thread(self._database, card.verdict.verdict_id, card.ts)
        await show_ephemeral(self._client, card.channel, card.person, receipt, thread_ts)
