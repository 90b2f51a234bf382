"""Buttons and menus on cards and in threads, and the modal that asks why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.card import (
    CORRECT_SHORTCUT,
    REASON_VIEW,
    SHOW_ALL,
    VOTE_DOWN,
    VOTE_UNSURE,
    VOTE_UP,
    reason_view,
    trace_view,
)
from bot.blocks.thread import CORRECT_VALUE, card_gone, not_a_card, two_votes, value_counted, vote_counted
from bot.feedback import Vote, feedback_of, votes_of
from bot.learning.right_values import likely_values
from bot.listeners.context import ListenerContext
from bot.listeners.responses import tell
from bot.runtime.clock import now_ms
from memalign.errors import InputError
from memalign.records import Json, Label
from storage.records import PersonFeedback, StoredVerdict

Body = dict[str, Json]
NOTHING = PersonFeedback()
VOTES: Mapping[str, Vote] = {VOTE_UP: "up", VOTE_DOWN: "down", VOTE_UNSURE: "unsure"}


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Store what a click says before its ack; open modals and answer after it."""
    clicks = Clicks(context)
    for action_id in VOTES:
        app.action(action_id)(clicks.vote)
    app.action(SHOW_ALL)(clicks.show_all)
    app.action(CORRECT_VALUE)(clicks.correct)
    app.view(REASON_VIEW)(clicks.reason)
    app.shortcut(CORRECT_SHORTCUT)(clicks.correct_verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """A card somebody clicked on, or in whose thread they did."""

    stored: StoredVerdict
    channel: str
    ts: str
    """The card's own time; a click may come before the store has been told of it."""
    user: str

    @property
    def place(self) -> tuple[str, str]:
        """Where the card is."""
        return self.channel, self.ts


class Clicks:
    """What people press and submit."""

    def __init__(self, context: ListenerContext) -> None:
        self._bench = context

    async def vote(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """A vote button: pressed once it counts, pressed again it is taken back."""
        card = await self._clicked(body)
        if card is None:
            await ack()
            self._bench.run_after_ack(tell(respond, [card_gone()]))
            return
        action = body["actions"][0]
        held = (await self._facts(card)).button
        pressed = VOTES[action["action_id"]]
        vote = None if held and held.value == pressed else pressed
        await self._note_button(card, vote, at_of(action))
        await ack()
        self._bench.run_after_ack(self._after_vote(body, respond, card, vote))

    async def _after_vote(self, body: Body, respond: AsyncRespond, card: Clicked, vote: Vote | None) -> None:
        held = votes_of(await self._facts(card)) or {vote}
        if held == {"down"}:
            await self._ask_reason(body, card)
        await tell(respond, [vote_counted(vote, torn=len(held) > 1)])

    async def show_all(self, ack: AsyncAck, body: Body) -> None:
        """The trace in full, in a modal."""
        await ack()
        card = await self._clicked(body)
        trace = await self._bench.database.traces.get(card.stored.verdict.trace_id) if card else None
        if card and trace:
            self._bench.run_after_ack(
                self._bench.open_view(body["trigger_id"], trace_view(card.stored, trace))
            )

    async def correct(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """The right value, chosen from the menu in the thread."""
        card = await self._clicked(body)
        if card is None:
            self._bench.run_after_ack(tell(respond, [card_gone()]))
        else:
            action = body["actions"][0]
            value = cast("Label", json.loads(action["selected_option"]["value"]))
            torn = await self._note_value(card, value, at_of(action))
            self._bench.run_after_ack(tell(respond, [value_counted(value, torn=torn)]))
        await ack()

    async def correct_verdict(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """The message shortcut: asks why, wherever in the thread it was chosen."""
        await ack()
        card = await self._clicked(body)
        if card is None:
            self._bench.run_after_ack(tell(respond, [not_a_card()]))
        else:
            self._bench.run_after_ack(self._ask_reason(body, card))

    async def reason(self, ack: AsyncAck, body: Body) -> None:
        """The submitted modal: a reason, and the right value where 👎 leaves it open."""
        card = await self._of_modal(body)
        memory = self._bench.memories.get(card.stored.verdict.judge) if card else None
        if card is None or memory is None:
            await ack()
            return
        at = f"{Decimal(now_ms()) / 1000:.6f}"
        fields = body["view"]["state"]["values"]
        try:
            value = memory.definition.value_type.parse(field(fields, "value")) if "value" in fields else None
        except InputError as error:
            await ack(response_action="errors", errors={"value": str(error)})
            return
        if value is not None:
            torn = await self._note_value(card, value, at)
        else:
            torn = await self._hold(card, "down", at)
        # under the card's own time, which no reply has
        feedback = self._bench.database.feedback
        await feedback.note_reply(*card.place, card.user, card.ts, field(fields, "reason") or "", at)
        self._bench.learning.wake()
        await ack()
        if torn:
            self._bench.run_after_ack(self._bench.post_ephemeral(card.channel, card.user, two_votes()))

    async def _of_modal(self, body: Body) -> Clicked | None:
        about = json.loads(body["view"]["private_metadata"])
        stored = await self._bench.database.verdicts.get(about["verdict_id"])
        if stored is None:
            return None
        return Clicked(stored=stored, channel=stored.channel, ts=about["card_ts"], user=body["user"]["id"])

    async def _ask_reason(self, body: Body, card: Clicked) -> None:
        memory = self._bench.memories.get(card.stored.verdict.judge)
        if memory is None:
            return
        facts = await self._facts(card)
        values = memory.definition.value_type
        said = feedback_of(card.stored, card.user, facts, values)
        corrected = said.vote == "down" and said.value is not None
        earlier = facts.replies.get(card.ts)
        view = reason_view(
            card.stored,
            card.ts,
            choices=likely_values(card.stored, memory),
            ask_value=values.opposite(card.stored.verdict.value) is None and not corrected,
            earlier=(earlier.text or "") if earlier else "",
        )
        await self._bench.open_view(body["trigger_id"], view)

    async def _note_value(self, card: Clicked, value: Label, at: str) -> bool:
        """Keep the right value, which also says whether the judge was right; see `_hold` for the answer."""
        await self._bench.database.feedback.note_correction(*card.place, card.user, value, at)
        return await self._hold(card, "up" if value == card.stored.verdict.value else "down", at)

    async def _hold(self, card: Clicked, vote: Vote, at: str) -> bool:
        """Let the person hold this vote; True where a reaction of theirs says something else."""
        if votes_of(await self._facts(card)) != {vote}:
            await self._note_button(card, vote, at)
        self._bench.learning.wake()
        return len(votes_of(await self._facts(card))) > 1

    async def _note_button(self, card: Clicked, vote: Vote | None, at: str) -> None:
        await self._bench.database.feedback.note_button(*card.place, card.user, vote, at)
        self._bench.learning.wake()

    async def _facts(self, card: Clicked) -> PersonFeedback:
        return (await self._bench.database.feedback.of(card.stored.verdict_id)).get(card.user, NOTHING)

    async def _clicked(self, body: Body) -> Clicked | None:
        """The card that was clicked, or in whose thread; None when it shows no verdict, or no more."""
        container, message = body.get("container") or {}, body.get("message") or {}
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id"))
        places = (message.get("thread_ts"), message.get("ts"), container.get("message_ts"))
        verdicts = self._bench.database.verdicts
        for ts in places:
            if ts and (stored := await verdicts.by_card(channel, ts)):
                return Clicked(stored=stored, channel=channel, ts=ts, user=body["user"]["id"])
        # a button knows its verdict, also while Slack's answer to the card's posting is on its way
        pressed = str((body.get("actions") or [{}])[0].get("value") or "")
        stored = await verdicts.get(pressed)
        if stored is None or stored.message_ts is not None or not places[2]:
            return None
        return Clicked(stored=stored, channel=channel, ts=places[2], user=body["user"]["id"])


def at_of(action: Body) -> str:
    """When something was pressed."""
    return str(action.get("action_ts") or f"{Decimal(now_ms()) / 1000:.6f}")


def field(fields: Body, block_id: str) -> str | None:
    """What was entered in one field of a modal, typed or chosen."""
    for entered in (fields.get(block_id) or {}).values():
        chosen = entered.get("selected_option")
        return str(json.loads(chosen["value"])) if chosen else entered.get("value")
    return None
