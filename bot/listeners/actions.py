"""Buttons and menus on cards and in threads, and the modal that asks why."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot import blocks
from bot.clock import now_ms
from bot.feedback import feedback_of, votes_of
from bot.listeners.bench import Bench
from bot.tidings import likely_values
from memalign.errors import InputError
from memalign.records import Json, Label, Vote
from storage.records import PersonFacts, StoredVerdict

Body = dict[str, Json]
NOTHING = PersonFacts()
VOTES: Mapping[str, Vote] = {blocks.UP: "up", blocks.DOWN: "down", blocks.UNSURE: "unsure"}


def listen(app: AsyncApp, bench: Bench) -> None:
    """Store what a click says before its ack; open modals and answer after it."""
    clicks = Clicks(bench)
    for action_id in VOTES:
        app.action(action_id)(clicks.vote)
    app.action(blocks.SHOW_ALL)(clicks.show_all)
    app.action(blocks.CORRECT)(clicks.correct)
    app.view(blocks.REASON_VIEW)(clicks.reason)
    app.shortcut(blocks.CORRECT_SHORTCUT)(clicks.correct_verdict)


class Clicks:
    """What people press and submit."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def vote(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """A vote button: pressed once it counts, pressed again it is taken back."""
        stored = await self._clicked(body)
        if stored is None:
            await ack()
            self._bench.later(self._say(respond, blocks.gone()))
            return
        action, user = body["actions"][0], body["user"]["id"]
        held = (await self._facts(stored, user)).button
        pressed = VOTES[action["action_id"]]
        vote = None if held and held.value == pressed else pressed
        await self._note_button(stored, user, vote, at_of(action))
        await ack()
        self._bench.later(self._after_vote(body, respond, stored, vote))

    async def _after_vote(
        self, body: Body, respond: AsyncRespond, stored: StoredVerdict, vote: Vote | None
    ) -> None:
        held = votes_of(await self._facts(stored, body["user"]["id"]))
        if vote == "down" and len(held) == 1:
            await self._ask_reason(body, stored)
        await self._say(respond, blocks.vote_counted(vote, torn=len(held) > 1))

    async def show_all(self, ack: AsyncAck, body: Body) -> None:
        """The trace in full, in a modal."""
        await ack()
        stored = await self._clicked(body)
        trace = await self._bench.database.traces.get(stored.verdict.trace_id) if stored else None
        if stored and trace:
            self._bench.later(self._bench.open_view(body["trigger_id"], blocks.trace_view(stored, trace)))

    async def correct(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """The right value, chosen from the menu in the thread."""
        stored = await self._clicked(body)
        if stored is not None:
            action = body["actions"][0]
            value = cast("Label", json.loads(action["selected_option"]["value"]))
            await self._note_value(stored, body["user"]["id"], value, at_of(action))
            self._bench.later(self._say(respond, blocks.value_counted(value)))
        await ack()

    async def correct_verdict(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """The message shortcut: asks why, wherever in the thread it was chosen."""
        await ack()
        stored = await self._clicked(body)
        if stored is None:
            self._bench.later(self._say(respond, blocks.no_card()))
        else:
            self._bench.later(self._ask_reason(body, stored))

    async def reason(self, ack: AsyncAck, body: Body) -> None:
        """The submitted modal: a reason, and the right value where 👎 leaves it open."""
        view, user = body["view"], body["user"]["id"]
        stored = await self._bench.database.verdicts.get(json.loads(view["private_metadata"])["verdict_id"])
        memory = self._bench.memories.get(stored.verdict.judge) if stored else None
        if stored is None or memory is None:
            await ack()
            return
        at = f"{Decimal(now_ms()) / 1000:.6f}"
        fields = view["state"]["values"]
        try:
            value = memory.definition.value_type.parse(field(fields, "value")) if "value" in fields else None
        except InputError as error:
            await ack(response_action="errors", errors={"value": str(error)})
            return
        if value is not None:
            await self._note_value(stored, user, value, at)
        elif not votes_of(await self._facts(stored, user)):
            await self._note_button(stored, user, "down", at)
        feedback = self._bench.database.feedback
        await feedback.note_reply(*place(stored), user, modal_key(stored), field(fields, "reason") or "", at)
        self._bench.learning.wake()
        await ack()

    async def _ask_reason(self, body: Body, stored: StoredVerdict) -> None:
        memory = self._bench.memories.get(stored.verdict.judge)
        if memory is None:
            return
        user = body["user"]["id"]
        facts = await self._facts(stored, user)
        values = memory.definition.value_type
        known = feedback_of(stored, user, facts, values).value is not None
        earlier = facts.replies.get(modal_key(stored))
        view = blocks.reason_view(
            stored,
            choices=likely_values(stored, memory),
            ask_value=values.opposite(stored.verdict.value) is None and not known,
            earlier=(earlier.text or "") if earlier else "",
        )
        await self._bench.open_view(body["trigger_id"], view)

    async def _note_value(self, stored: StoredVerdict, user: str, value: Label, at: str) -> None:
        """Keep the right value; whoever gives one without a thumb says by it whether the judge was right."""
        without_thumb = not votes_of(await self._facts(stored, user))
        await self._bench.database.feedback.note_correction(*place(stored), user, value, at)
        if without_thumb:
            await self._note_button(stored, user, "up" if value == stored.verdict.value else "down", at)
        self._bench.learning.wake()

    async def _note_button(self, stored: StoredVerdict, user: str, vote: Vote | None, at: str) -> None:
        await self._bench.database.feedback.note_button(*place(stored), user, vote, at)
        self._bench.learning.wake()

    async def _facts(self, stored: StoredVerdict, user: str) -> PersonFacts:
        return (await self._bench.database.feedback.of(stored.verdict_id)).get(user, NOTHING)

    async def _clicked(self, body: Body) -> StoredVerdict | None:
        """The verdict whose card, or whose thread, was clicked in."""
        container, message = body.get("container") or {}, body.get("message") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id")
        for ts in (message.get("thread_ts"), message.get("ts"), container.get("message_ts")):
            if channel and ts:
                stored = await self._bench.database.verdicts.by_card(channel, ts)
                if stored:
                    return stored
        return None

    @staticmethod
    async def _say(respond: AsyncRespond, message: blocks.Message) -> None:
        await respond(
            text=message.text, blocks=list(message.blocks), response_type="ephemeral", replace_original=False
        )


def place(stored: StoredVerdict) -> tuple[str, str]:
    """Channel and time of a verdict's card."""
    return stored.channel, stored.message_ts or ""


def modal_key(stored: StoredVerdict) -> str:
    """Where a modal's reason stands among a person's replies: at the card's own time, which no reply has."""
    return stored.message_ts or ""


def at_of(action: Body) -> str:
    """When something was pressed."""
    return str(action.get("action_ts") or f"{Decimal(now_ms()) / 1000:.6f}")


def field(fields: Body, block_id: str) -> str | None:
    """What was entered in one field of a modal, typed or chosen."""
    for entered in (fields.get(block_id) or {}).values():
        chosen = entered.get("selected_option")
        return str(json.loads(chosen["value"])) if chosen else entered.get("value")
    return None
