"""A card that asks before it shows the verdict, answered in a real browser."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.bot.blind_cards import blind_bot
from tests.bot.bot_in_workspace import BotInWorkspace
from tests.model_server import ModelServer, running_model_server
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
QUESTION = "My parcel is late, and nobody answers the phone. What can I do?"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """Ana before the page, whose judge's cards ask first."""

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


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with running_model_server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-test")
        patch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def session(tmp_path: Path, server: ModelServer) -> AsyncIterator[BrowserSession]:
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    async with blind_bot(tmp_path, server, False) as harness, async_playwright() as playwright:
        for number, outputs in enumerate(("I'm sorry. It arrives on Friday.", "Go away."), start=1):
            await harness.send(
                {"trace_id": f"tr-{number}", "inputs": {"question": QUESTION}, "outputs": outputs}
            )
            await harness.card(f"tr-{number}")
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        await page.goto(f"{harness.slack.url}/?user={harness.ana.id}")
        yield BrowserSession(harness=harness, page=page)
        await browser.close()


async def test_a_value_is_pressed_the_reason_is_asked_for_and_the_card_shows_its_verdict(
    session: BrowserSession,
) -> None:
    page, card = session.page, session.card("tr-1")
    await expect(card).to_contain_text("Your view first · Polite")
    await expect(card).not_to_contain_text("simulated")
    await session.picture("blind-before")
    await card.get_by_role("button", name="Show everything").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Your view first")
    await session.picture("blind-everything")
    await page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()

    await card.get_by_role("button", name="Pass").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("The judge said fail. What did it miss?")
    await session.picture("blind-differs")
    await dialog.get_by_role("button", name="Skip the reason").click()
    await expect(card).to_contain_text("Fail · Polite")
    await expect(card).to_contain_text("Asked before showing: Ana Ruiz said pass")
    await session.picture("blind-after")

    agreed = session.card("tr-2")
    await agreed.get_by_role("button", name="Fail").click()
    await expect(agreed).to_contain_text("Asked before showing: Ana Ruiz said fail")
    await expect(page.get_by_test_id("channel")).to_contain_text("You and the judge agree: fail.")
    await session.picture("blind-agreed")
