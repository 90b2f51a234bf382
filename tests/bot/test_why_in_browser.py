"""The button *Why?*, clicked in a real browser: its modal, and the buttons there."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.model_server import ModelServer, running_model_server
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """Ben before the page: a judge with a language model, which Ana has taught three guidelines."""

    harness: BotInWorkspace
    page: Page

    async def picture(self, name: str) -> None:
        """Keep screenshots, wide, narrow and dark, where somebody asked for them."""
        folder = os.environ.get("MEMALIGN_SCREENSHOTS")
        if not folder:
            return
        for look, width, is_dark in (("wide", 1280, False), ("narrow", 390, False), ("dark", 1280, True)):
            await self.page.set_viewport_size({"width": width, "height": 860})
            await self.page.emulate_media(color_scheme="dark" if is_dark else "light")
            await self.page.wait_for_timeout(300)
            await self.page.screenshot(path=Path(folder) / f"{name}-{look}.png")
        await self.page.set_viewport_size({"width": 1280, "height": 860})
        await self.page.emulate_media(color_scheme="light")

    def card(self, trace_id: str) -> Locator:
        channel = self.page.get_by_test_id("channel")
        return channel.locator("[data-ts]:not([data-ephemeral=true])").filter(has_text=f"Trace {trace_id}")

    @property
    def dialog(self) -> Locator:
        """The uppermost modal."""
        return self.page.get_by_role("dialog").last


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with running_model_server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-test")
        patch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def session(tmp_path: Path, server: ModelServer) -> AsyncIterator[BrowserSession]:
    assert server.url
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    memory = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
    judge = {"model": "openai:/gpt-5-mini"}
    async with (
        bot_in_workspace(tmp_path, judge=judge, memory=memory) as harness,
        async_playwright() as playwright,
    ):
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
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        await page.goto(f"{harness.slack.url}/?user={harness.ben.id}")
        yield BrowserSession(harness=harness, page=page)
        await browser.close()


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
