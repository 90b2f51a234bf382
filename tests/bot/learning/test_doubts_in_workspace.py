"""A guideline in doubt, from a language model's verdicts to the button that uses it again, in the workspace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.blocks.guideline_buttons import APPROVE_GUIDELINE
from bot.sandbox import Message
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.model_server import running_model_server

RULE = "The answer should never send people away."
TOLD = f"❓ In doubt: “{RULE}” – 5 of 5 votes were against verdicts that rested on it."
REMOTE = {"model": "openai:/m"}
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}


@pytest.fixture(autouse=True)
def language_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        yield


async def voted_against(harness: BotInWorkspace, trace_id: str) -> Message:
    card = await harness.show(trace_id)
    harness.react(card, "-1", by=harness.ben)
    await harness.learned()
    return card


def telling(harness: BotInWorkspace, card: Message) -> Message | None:
    """The message in a card's thread that tells of the guideline in doubt."""
    thread = harness.workspace.thread(card.channel, card.ts)
    return next((message for message in thread if TOLD in message.text), None)


async def test_votes_on_cards_leave_the_guideline_behind_them_in_doubt_until_somebody_uses_it_again(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        first = await harness.show("tr-1")
        harness.react(first, "-1")
        harness.reply(first, RULE)
        await harness.learned()
        cards = [await voted_against(harness, f"tr-{number}") for number in range(2, 7)]

        message = await harness.until(lambda: telling(harness, cards[-1]))
        assert [telling(harness, card) for card in cards[:-1]] == [None] * 4
        (rule,) = harness.bot.memories[JUDGE].guidelines
        assert (rule.state, rule.record.down) == ("pending", 5)
        await harness.show("tr-7")
        (verdict,) = [
            each
            for each in await harness.bot.database.verdicts.page(None, 10)
            if each.verdict.trace_id == "tr-7"
        ]
        assert verdict.verdict.shown_guideline_ids == ()

        await harness.press(message, APPROVE_GUIDELINE)
        await harness.until(lambda: harness.bot.memories[JUDGE].guidelines[0].in_use or None)
        await harness.until(lambda: telling(harness, cards[-1]) is None or None)
