"""The weekly digest in a real browser: a chart or its figures in words, on a desk and on a phone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, async_playwright, expect

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.test_digest_in_workspace import LAST_WEEK, posted_digest, voted
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path, digest={"timezone": "UTC"}) as harness:
        for number in range(20):
            at = LAST_WEEK - timedelta(weeks=number // 10)
            await voted(harness, number, "down" if number in (1, 2, 3, 12) else "up", at)
        yield harness


async def digest_on_page(harness: BotInWorkspace, browser: Browser, width: int) -> Locator:
    """The digest as a person sees it; nothing of it is wider than the page."""
    digest = await posted_digest(harness)
    page = await browser.new_page(viewport={"width": width, "height": 1000})
    await page.goto(harness.slack.url)
    shown = page.locator(f'[data-ts="{digest.ts}"]').first
    await expect(shown.get_by_text("70% agreement")).to_be_visible()
    await expect(shown.get_by_text("20 points on the week before (could be chance)")).to_be_visible()
    await expect(shown.get_by_text("2 replies")).to_be_visible()
    box = await shown.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    return shown


@pytest.mark.parametrize("width", [1400, 420])
async def test_a_digest_shows_its_chart_and_links_to_the_overruled_cards(
    harness: BotInWorkspace, browser: Browser, width: int
) -> None:
    shown = await digest_on_page(harness, browser, width)
    await expect(shown.get_by_role("img", name="Line chart, Agreement by week")).to_be_visible()
    await expect(shown.get_by_role("link", name="Question 1?")).to_be_visible()
    await expect(shown.get_by_text("judge says pass, 1 person says fail").first).to_be_visible()


async def test_where_the_chart_is_refused_its_figures_stand_in_words(
    harness: BotInWorkspace, browser: Browser
) -> None:
    harness.slack.faults.refuse_blocks("data_visualization")
    shown = await digest_on_page(harness, browser, 420)
    await expect(shown.get_by_role("img", name="Line chart")).to_have_count(0)
    await expect(shown.get_by_text("90%")).to_be_visible()
