"""The button under a digest that shows a person the open cards which teach most."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.digest import ANSWER_OPEN_CARDS
from bot.blocks.open_cards import open_cards_message
from bot.blocks.primitives import SlackMessage
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.responses import or_error_message, respond_ephemeral
from bot.reports.open_cards import OpenCardReader

MAX_CARDS_OFFERED = 3


class OpenCards:
    """Offers people cards to answer, those of judges that they may see."""

    def __init__(self, reader: OpenCardReader, access: JudgeAccess, after_ack: AfterAck) -> None:
        self._reader = reader
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener of the button."""
        app.action(ANSWER_OPEN_CARDS)(self.offer)

    async def offer(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show the open cards to the person who pressed, and to nobody else."""
        await ack()
        judge = str(body["actions"][0].get("value") or "")
        self._after_ack.run(self._answer(str(body["user"]["id"]), judge, respond))

    async def _answer(self, person: str, judge: str, respond: AsyncRespond) -> None:
        messages = await or_error_message(self._messages(person, judge), "offering open cards")
        await respond_ephemeral(respond, messages)

    async def _messages(self, person: str, name: str) -> list[SlackMessage]:
        """Return the answer. Raises `SettingsError` for a judge that the person may not see."""
        [judge] = await self._access.judges_named(name, person)
        cards = await self._reader.read(judge, person, MAX_CARDS_OFFERED)
        return [open_cards_message(cards, judge.title)]
