"""The modal that asks why, and the shortcut "Correct this verdict" that opens it."""

from collections.abc import Mapping
from decimal import Decimal

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.card import CORRECT_SHORTCUT
from bot.blocks.correction import REASON_VIEW, reason_view
from bot.blocks.thread import not_a_card, not_counted
from bot.blocks.votes import which_vote
from bot.feedback import feedback_of, new_reason, reasons_of, votes_of
from bot.learning.likely_values import likely_values
from bot.learning.open_modals import OpenModals
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.own_values import ModalSubject, label_of
from bot.listeners.responses import open_view, respond_ephemeral, show_ephemeral
from bot.runtime.clock import now_ms
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory

NOT_A_MEMBER = (
    "I can't see that you are in the card's channel, so this is not stored. "
    "If you are, submit it again in a minute."
)


class ReasonModal:
    """Opens the modal, and stores what is submitted before its ack."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        memories: Mapping[str, JudgeMemory],
        client: AsyncWebClient,
        modals: OpenModals,
        after_ack: AfterAck,
    ) -> None:
        self._cards = cards
        self._access = access
        self._memories = memories
        self._client = client
        self._modals = modals
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.view(REASON_VIEW)(self.submit)
        app.shortcut(CORRECT_SHORTCUT)(self.shortcut)

    async def shortcut(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Ask why, wherever in the thread the shortcut was chosen."""
        await ack()
        self._after_ack.run(self._answer_shortcut(body, respond))

    async def _answer_shortcut(self, body: Body, respond: AsyncRespond) -> None:
        card = await self._cards.of_click(body)
        if card is None:
            await respond_ephemeral(respond, [not_a_card()])
            return
        match await self._access.refusal(card):
            case "not in the channel":
                await respond_ephemeral(respond, [not_a_card()])
            case "not a member of the workspace":
                await respond_ephemeral(respond, [not_counted()])
            case _:
                await self.open(body["trigger_id"], card)

    async def open(self, trigger_id: str, card: ClickedCard) -> None:
        """Ask a person why, and for the right value where 👎 leaves it open."""
        memory = self._memories.get(card.verdict.verdict.judge)
        if memory is None:
            return
        events = await self._cards.feedback_on(card)
        value_type = memory.definition.value_type
        feedback = feedback_of(card.verdict, card.person, events, value_type)
        is_corrected = feedback.vote == "down" and feedback.value is not None
        reasons = reasons_of(events, value_type, card.ts)
        view = reason_view(
            card.verdict,
            card.ts,
            choices=likely_values(card.verdict, memory),
            ask_value=value_type.opposite(card.verdict.verdict.value) is None and not is_corrected,
            earlier="\n".join(reasons.all),
        )
        self._modals.opened(card.person, card.verdict.verdict_id)
        await open_view(self._client, trigger_id, view)

    async def submit(self, ack: AsyncAck, body: Body) -> None:
        """Store the reason, and the right value if it was asked for."""
        subject = ModalSubject.read(body["view"]["private_metadata"])
        card = await self._cards.of_modal(body, subject.verdict_id, subject.card_ts)
        memory = self._memories.get(card.verdict.verdict.judge) if card else None
        if card is None or memory is None:
            await ack()
            return
        if not await self._access.may_submit(card):
            await ack(response_action="errors", errors={"reason": NOT_A_MEMBER})
            return
        at = f"{Decimal(now_ms()) / 1000:.6f}"
        fields = body["view"]["state"]["values"]
        try:
            value = (
                memory.definition.value_type.parse(entered(fields, "value")) if "value" in fields else None
            )
        except InputError as error:
            await ack(response_action="errors", errors={"value": str(error)})
            return
        if value is not None:
            has_two_votes = await self._cards.set_value(card, value, at)
        else:
            has_two_votes = await self._cards.hold(card, "down", at)
        standing = reasons_of(await self._cards.feedback_on(card), memory.definition.value_type, card.ts)
        reason = new_reason(entered(fields, "reason") or "", standing.replies)
        await self._cards.set_reason(card, reason, at)
        self._modals.closed(card.person, card.verdict.verdict_id)
        await ack()
        if has_two_votes:
            self._after_ack.run(self._ask_which_vote(card))

    async def _ask_which_vote(self, card: ClickedCard) -> None:
        question = which_vote(card.verdict, card.ts, votes_of(await self._cards.feedback_on(card)))
        await show_ephemeral(self._client, card.channel, card.person, question, card.ts)


def entered(fields: Body, block_id: str) -> str | None:
    """Return the text of one field of a modal, typed or chosen; None if it is empty."""
    for element in (fields.get(block_id) or {}).values():
        option = element.get("selected_option")
        return str(label_of(option["value"])) if option else element.get("value")
    return None
