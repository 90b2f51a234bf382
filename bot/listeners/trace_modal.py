"""The button "Show everything", and the switch between the two views of the modal that it opens."""

from collections.abc import Callable, Mapping, Sequence

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.card import SHOW_ALL
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.primitives import Block
from bot.blocks.thread import card_gone, not_in_channel
from bot.blocks.trace_modal import SHOW_RENDERED, SHOW_TEXT, rendered_trace_view, trace_gone, trace_view
from bot.listeners.after_ack import AfterAck
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import Body, ClickedCard, ClickedCards
from bot.listeners.responses import open_view, respond_ephemeral, update_view
from memalign.judge_memory import JudgeMemory
from memalign.records import Trace
from storage.database import Database

Render = Callable[[Sequence[CardVerdict], Trace], Block]


class TraceModal:
    """Shows traces in full to members of the channels where their cards are."""

    def __init__(
        self,
        cards: ClickedCards,
        access: CardAccess,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        titles: Mapping[str, str],
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        """`titles` are those of the judges, by name."""
        self._cards = cards
        self._access = access
        self._database = database
        self._memories = memories
        self._titles = titles
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        app.action(SHOW_ALL)(self.show_all)
        app.action(SHOW_TEXT)(self.show_text)
        app.action(SHOW_RENDERED)(self.show_rendered)

    async def show_all(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show the trace in full, in a modal."""
        await ack()
        self._after_ack.run(self._open(body, respond))

    async def show_text(self, ack: AsyncAck, body: Body) -> None:
        """Show the texts as they were sent, in place of the other view."""
        await ack()
        self._after_ack.run(self._switch(body, trace_view))

    async def show_rendered(self, ack: AsyncAck, body: Body) -> None:
        """Show the texts as the user saw them, in place of the other view."""
        await ack()
        self._after_ack.run(self._switch(body, rendered_trace_view))

    async def _open(self, body: Body, respond: AsyncRespond) -> None:
        card = await self._cards.of_click(body)
        if card is None:
            await respond_ephemeral(respond, [card_gone()])
        elif not await self._access.may_see(card):
            await respond_ephemeral(respond, [not_in_channel()])
        else:
            await open_view(self._client, body["trigger_id"], await self._view(card, trace_view))

    async def _switch(self, body: Body, render: Render) -> None:
        card = await self._cards.of_modal(body, str(body["actions"][0].get("value") or ""), "")
        is_visible = card is not None and await self._access.may_see(card)
        view = await self._view(card, render) if card and is_visible else trace_gone()
        await update_view(self._client, body["view"]["id"], view)

    async def _view(self, card: ClickedCard, render: Render) -> Block:
        stored = card.verdict
        trace = await self._database.traces.get(stored.verdict.trace_id)
        memory = self._memories.get(stored.verdict.judge)
        if trace is None or memory is None:
            return trace_gone()
        judge = memory.definition
        return render([CardVerdict(stored=stored, judge=judge, title=self._titles[judge.name])], trace)
