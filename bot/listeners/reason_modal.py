"""The modal that corrects a verdict, and the shortcut "Correct this verdict" that opens it."""

from collections.abc import Collection, Mapping

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.card import CORRECT_SHORTCUT
from bot.blocks.correction import (
    COVERED_BY,
    MAX_GUIDELINES_OFFERED,
    REASON,
    REASON_VIEW,
    VALUE,
    Correction,
    correction_view,
)
from bot.blocks.thread import not_a_card, not_counted
from bot.blocks.votes import which_vote
from bot.feedback import feedback_of, new_reason, reasons_of
from bot.learning.active_thread import active_thread
from bot.listeners.after_ack import AfterAck
from bot.listeners.answer_form import AnswerForm
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.form_fields import NOT_A_MEMBER, QUESTION_IN_MODAL, entered, ticked, time_now
from bot.listeners.own_values import ModalSubject
from bot.listeners.responses import open_view, respond_ephemeral, show_ephemeral
from bot.replies.reading import asks_only
from bot.runtime.clock import now_ms
from bot.vote_marks import votes_of
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Guideline, Trace
from storage.database import Database


class ReasonModal:
    """Opens the modal, and stores what is submitted before its ack."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        client: AsyncWebClient,
        answer_form: AnswerForm,
        after_ack: AfterAck,
    ) -> None:
        """Open `answer_form` in its place for somebody who is to answer before they see the verdict."""
        self._cards = cards
        self._access = access
        self._database = database
        self._memories = memories
        self._client = client
        self._answer_form = answer_form
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.view(REASON_VIEW)(self.submit)
        app.view_closed(REASON_VIEW)(self.close)
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
        if card.verdict.is_hidden and feedback.value is None:
            await self._answer_form.open(trigger_id, card)
            return
        trace = await self._database.traces.get(card.verdict.verdict.trace_id)
        view = correction_view(
            card.verdict,
            card.ts,
            trace,
            value_type=value_type,
            correction=Correction(
                vote=feedback.vote,
                value=feedback.value if feedback.vote == "down" else None,
                reason="\n".join(reasons_of(events, value_type, card.ts).all),
                covered_by=frozenset(feedback.supports),
            ),
            guidelines=await _guidelines_to_offer(memory, trace, feedback.supports),
        )
        await self._database.open_modals.opened(card.person, card.verdict.verdict_id, now_ms())
        await open_view(self._client, trigger_id, view)

    async def close(self, ack: AsyncAck, body: Body) -> None:
        """Note that the modal was closed, so that its thread may be asked."""
        subject = ModalSubject.read(body["view"]["private_metadata"])
        await self._note_closed(body["user"]["id"], subject.verdict_id)
        await ack()

    async def submit(self, ack: AsyncAck, body: Body) -> None:
        """Store the reason, the guidelines that cover the case, and the right value if it was asked for."""
        subject = ModalSubject.read(body["view"]["private_metadata"])
        card = await self._cards.of_modal(body, subject.verdict_id, subject.card_ts)
        memory = self._memories.get(card.verdict.verdict.judge) if card else None
        if card is None or memory is None:
            await ack()
            return
        if not await self._access.may_submit(card):
            await ack(response_action="errors", errors={REASON: NOT_A_MEMBER})
            return
        at = time_now()
        fields = body["view"]["state"]["values"]
        try:
            value = memory.definition.value_type.parse(entered(fields, VALUE)) if VALUE in fields else None
        except InputError as error:
            await ack(response_action="errors", errors={VALUE: str(error)})
            return
        typed = entered(fields, REASON) or ""
        if asks_only(typed):
            await ack(response_action="errors", errors={REASON: QUESTION_IN_MODAL})
            return
        if value is not None:
            has_two_votes = await self._cards.set_value(card, value, at)
        else:
            has_two_votes = await self._cards.hold(card, "down", at)
        standing = reasons_of(await self._cards.feedback_on(card), memory.definition.value_type, card.ts)
        reason = new_reason(typed, standing.replies)
        await self._cards.set_reason(card, reason, at)
        if COVERED_BY in fields:
            await self._cards.set_supports(card, ticked(fields, COVERED_BY), at)
        await self._note_closed(card.person, card.verdict.verdict_id)
        await ack()
        if has_two_votes:
            self._after_ack.run(self.ask_which_vote(card))

    async def _note_closed(self, person: str, verdict_id: str) -> None:
        """Let the thread be asked what waited for the modal."""
        if await self._database.open_modals.closed(person, verdict_id):
            await self._database.thread_statuses.wake(verdict_id)

    async def ask_which_vote(self, card: ClickedCard) -> None:
        """Ask somebody who holds several votes on a card which one they keep."""
        question = which_vote(
            card.verdict, card.ts, votes_of(card.verdict, await self._cards.feedback_on(card))
        )
        thread_ts = await active_thread(self._database, card.verdict.verdict_id, card.ts)
        await show_ephemeral(self._client, card.channel, card.person, question, thread_ts)


async def _guidelines_to_offer(
    memory: JudgeMemory, trace: Trace | None, ticked_ids: Collection[str]
) -> list[Guideline]:
    """Return the guidelines that the person ticked before, then those most relevant to the trace."""
    ticked_before = [rule for rule in memory.guidelines if rule.id in ticked_ids and rule.stands]
    try:
        relevant = await memory.relevant_guidelines(trace, MAX_GUIDELINES_OFFERED) if trace else ()
    except InputError:  # the trace is of an earlier version of the judge, which asked for less
        relevant = ()
    return list({rule.id: rule for rule in (*ticked_before, *relevant)}.values())
