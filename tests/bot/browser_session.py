"""A person before the page of the embedded workspace, in a real browser."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright

from bot.sandbox import User
from tests.bot.bot_in_workspace import BotInWorkspace
from tests.model_server import ModelServer, running_model_server
from tests.sandbox.browser import CHROMIUM, QUIET

LOOKS = (("wide", 1280, False), ("narrow", 390, False), ("dark", 1280, True))
HEIGHT = 860


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """The page as one person sees it."""

    harness: BotInWorkspace
    page: Page

    async def picture(self, name: str) -> None:
        """Keep screenshots, wide, narrow and dark, where somebody asked for them."""
        folder = os.environ.get("MEMALIGN_SCREENSHOTS")
        if not folder:
            return
        for look, width, is_dark in LOOKS:
            await self.page.set_viewport_size({"width": width, "height": HEIGHT})
            await self.page.emulate_media(color_scheme="dark" if is_dark else "light")
            await self.page.wait_for_timeout(300)
            await self.page.screenshot(path=Path(folder) / f"{name}-{look}.png")
        await self.page.set_viewport_size({"width": 1280, "height": HEIGHT})
        await self.page.emulate_media(color_scheme="light")

    def card(self, trace_id: str) -> Locator:
        """A trace's card in the channel."""
        channel = self.page.get_by_test_id("channel")
        return channel.locator("[data-ts]:not([data-ephemeral=true])").filter(has_text=f"Trace {trace_id}")

    @property
    def dialog(self) -> Locator:
        """The uppermost modal."""
        return self.page.get_by_role("dialog").last


@asynccontextmanager
async def browsing(harness: BotInWorkspace, person: User, folder: Path) -> AsyncIterator[BrowserSession]:
    """Open the page for a person; the browser keeps its files in a folder."""
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport={"width": 1280, "height": HEIGHT})
        page.set_default_timeout(60_000)
        await page.goto(f"{harness.slack.url}/?user={person.id}")
        yield BrowserSession(harness=harness, page=page)
        await browser.close()


@contextmanager
def served_models() -> Iterator[ModelServer]:
    """Serve models to the real clients in this process."""
    with running_model_server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-test")
        patch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running
