"""Why?: the button, the command, and what is said of evidence that changed meanwhile."""

from pathlib import Path

from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words

RULE = "The answer should never send people away."


async def taught(harness: BotInWorkspace, trace_id: str = "tr-1") -> None:
    """Let Ana teach the judge by one case."""
    card = await harness.show(trace_id)
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    assert harness.rules() == [RULE]


def modal_of(harness: BotInWorkspace) -> Json:
    modals = harness.workspace.person_views.modals(harness.ana.id)
    return modals[-1].content if modals else None


async def asked_why(harness: BotInWorkspace, trace_id: str) -> str:
    """Press Why? on a card; the words of the modal."""
    card = await harness.card(trace_id)
    await harness.press(card, "why")
    modal = await harness.until(lambda: modal_of(harness))
    return words(modal["blocks"])


async def test_the_button_shows_the_cases_that_decided(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        await harness.show("tr-2")
        text = await asked_why(harness, "tr-2")
        assert "Can you help me?" in text
        assert "people say fail ❌" in text
        assert "without a language model, from 1 labelled case." in text
