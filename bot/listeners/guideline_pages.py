"""`/memalign guidelines`, and the buttons that turn its pages."""

import re
from collections.abc import Iterable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import no_judges
from bot.blocks.guideline_answers import outcome_blocks
from bot.blocks.guideline_list import SHOW_GUIDELINES, TURN_PAGE, guidelines_message, overview_message
from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import SlackMessage
from bot.guideline_decision import DecisionOutcome
from bot.guideline_page import GuidelineQuery
from bot.judge_names import JudgeNames
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.guideline_press import read_query
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.judge_words import name_by_word, split_judge
from bot.listeners.responses import or_error_message, replace_original, respond_ephemeral
from bot.plain_text import nearest
from bot.reports.guideline_reader import GuidelineReader


class GuidelinePages:
    """Shows people the guidelines of the judges in whose channels they are."""

    def __init__(
        self, reader: GuidelineReader, names: JudgeNames, access: JudgeAccess, after_ack: AfterAck
    ) -> None:
        self._reader = reader
        self._names = names
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener of the buttons."""
        app.action(re.compile(f"^{TURN_PAGE}:"))(self.turn)
        app.action(SHOW_GUIDELINES)(self.show)

    async def command(self, person: str, channel: str, text: str) -> list[SlackMessage]:
        """Answer `/memalign guidelines`, `text` being what follows: perhaps a judge, perhaps words."""
        judges = await self._access.judges_of(person)
        names = name_by_word(judges)
        word, words = split_judge(text, names)
        here = [judge.name for judge in judges if judge.channel == channel]
        named = [names[word]] if word else (here if len(here) == 1 else [judge.name for judge in judges])
        if not named:
            return [no_judges()]
        pages = [await self._reader.page(GuidelineQuery.of(each, words)) for each in named]
        if len(pages) > 1:
            return [overview_message(pages)]
        hint = _hint(words, names) if words and not pages[0].matches else ""
        return [guidelines_message(pages[0], hint=hint)]

    async def turn(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show the page of the button that was pressed, in the place of the present one."""
        query = read_query(str(body["actions"][0].get("value")), self._names)
        await ack()
        self._after_ack.run(self._turn(str(body["user"]["id"]), query, respond))

    async def _turn(self, person: str, query: GuidelineQuery, respond: AsyncRespond) -> None:
        for message in await or_error_message(self.page(person, query), "turning a page of guidelines"):
            await replace_original(respond, message)

    async def show(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Show the guidelines of the button's judge to the person who pressed it, and to nobody else."""
        query = read_query(str(body["actions"][0].get("value")), self._names)
        await ack()
        self._after_ack.run(self._show(str(body["user"]["id"]), query, respond))

    async def _show(self, person: str, query: GuidelineQuery, respond: AsyncRespond) -> None:
        await respond_ephemeral(
            respond, await or_error_message(self.page(person, query), "listing guidelines")
        )

    async def page(
        self, person: str, query: GuidelineQuery, outcome: DecisionOutcome | None = None
    ) -> list[SlackMessage]:
        """Return a page as it is now, below what was just decided.

        Raises:
            SettingsError: the person may see no such judge.
            StorageError: the store failed.
        """
        [judge] = await self._access.judges_named(query.judge, person)
        page = await self._reader.page(
            GuidelineQuery(judge=judge.name, words=query.words, offset=query.offset)
        )
        return [guidelines_message(page, outcome_blocks(outcome, page.query) if outcome else ())]


def _hint(words: str, judges: Iterable[str]) -> str:
    guess = nearest(words, judges)
    return f"Did you mean the judge “{escape_name(guess, 150)}”?" if guess else ""
