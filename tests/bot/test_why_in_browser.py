"""The button *Why?*, clicked in a real browser: its modal, and the buttons there."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.browser_session import BrowserSession, browsing, served_models
from tests.model_server import ModelServer
from tests.sandbox.browser import CHROMIUM, MISSING

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
RULES = {
    "Can you help me with my account?": "The answer should never send people away.",
    "Where is the parcel that I ordered last week?": "The answer should name the next step, and when it happens.",
    "Why was my card charged twice this month?": "An answer about money should say what the person gets back.",
}
REASON = "It says sorry and gives a date."


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with served_models() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def session(tmp_path: Path, server: ModelServer) -> AsyncIterator[BrowserSession]:
    assert server.url
    memory = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
    judge = {"model": "openai:/gpt-5-mini"}
    async with bot_in_workspace(tmp_path, judge=judge, memory=memory) as harness:
        for number, (question, rule) in enumerate(RULES.items(), start=1):
            await harness.send(
                {"trace_id": f"tr-{number}", "inputs": {"question": question}, "outputs": "Go away."}
            )
            card = await harness.card(f"tr-{number}")
            harness.react(card, "+1")
            harness.reply(card, rule)
            await harness.learned()
        await harness.send(
            {
                "trace_id": "tr-9",
                "inputs": {"question": "My parcel is late, and nobody answers the phone. What can I do?"},
                "outputs": "I'm sorry. It arrives on Friday; if it does not, we refund it.",
            }
        )
        await harness.card("tr-9")
        async with browsing(harness, harness.ben, tmp_path) as opened:
            yield opened


async def test_a_person_asks_why_and_corrects_a_case_by_clicking(session: BrowserSession) -> None:
    page, dialog = session.page, session.dialog
    await session.card("tr-9").get_by_role("button", name="Why?").click()
    await expect(dialog).to_contain_text("Why this verdict?")
    await expect(dialog).to_contain_text("by gpt-5-mini, with 3 guidelines and 3 cases in memory")
    for rule in RULES.values():
        await expect(dialog).to_contain_text(rule)
    await expect(dialog).to_contain_text("from Ana Ruiz · 1 case")
    await session.picture("1-why")

    await dialog.get_by_role("button", name="This one is wrong").last.click()
    await expect(dialog).to_contain_text("What should it be?")
    await expect(dialog.get_by_role("radio", name="pass")).to_be_checked()
    await session.picture("2-correct")
    await dialog.get_by_role("textbox").fill(REASON)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_contain_text("Why this verdict?")
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await session.harness.learned()
    said = [
        (await session.harness.feedback(await session.harness.card(f"tr-{n}"))).get("ben") for n in (1, 2, 3)
    ]
    assert [(each.value, each.rationale) for each in said if each] == [(True, REASON)]


async def test_a_person_asks_by_command_and_opens_the_whole(session: BrowserSession) -> None:
    page = session.page
    box = page.get_by_label("Message #politeness", exact=True)
    await box.fill("/memalign why tr-9")
    await box.press("Enter")
    answer = page.locator("[data-ephemeral=true]").last
    await expect(answer).to_contain_text("Guidelines that led it")
    await expect(answer).to_contain_text("… and 2 more guidelines it was shown.")
    await session.picture("3-command")
    await answer.get_by_role("button", name="Show all").click()
    await expect(session.dialog).to_contain_text("Why this verdict?")


async def test_a_person_takes_a_guideline_out_of_use_by_clicking(session: BrowserSession) -> None:
    dialog, rules = session.dialog, list(RULES.values())
    await session.card("tr-9").get_by_role("button", name="Why?").click()
    await dialog.get_by_role("button", name="This one is wrong").first.click()
    await expect(dialog.get_by_role("textbox")).to_have_value(rules[0])
    await session.picture("4-guideline")
    await dialog.get_by_role("button", name="Don't use").click()
    await expect(dialog).to_contain_text("I no longer use")
    await session.picture("5-guideline-retired")
    memory = session.harness.bot.memories["politeness"]
    assert [rule.text for rule in memory.guidelines if rule.retired] == [rules[0]]
