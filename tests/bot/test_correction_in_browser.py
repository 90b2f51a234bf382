"""Correcting a verdict by clicking, in a real browser: a judge of pass and fail, one of numbers, one of categories."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from memalign.records import Json
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
RULE = "The answer should never send people away."
WIDE: ViewportSize = {"width": 1280, "height": 860}
NARROW: ViewportSize = {"width": 390, "height": 844}


@asynccontextmanager
async def page_of(folder: Path, judge: Json) -> AsyncIterator[tuple[BotInWorkspace, Page]]:
    """Ana's page, with the cards of two traces."""
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    async with bot_in_workspace(folder, judge=judge) as harness, async_playwright() as playwright:
        await harness.show("tr-1")
        await harness.show("tr-2", "Go away, please.")
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport=WIDE)
        page.set_default_timeout(60_000)
        await page.goto(f"{harness.slack.url}/?user={harness.ana.id}")
        yield harness, page
        await browser.close()


async def opened(page: Page, trace_id: str) -> Locator:
    """Press 👎 on a trace's card; the modal."""
    card = (
        page.get_by_test_id("channel")
        .locator("[data-ts]:not([data-ephemeral=true])")
        .filter(has_text=f"Trace {trace_id}")
    )
    await card.get_by_role("button", name=re.compile("^👎 ")).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Correct the verdict")
    return dialog


async def picture(page: Page, name: str) -> None:
    """Keep screenshots, wide and narrow, where somebody asked for them."""
    if folder := os.environ.get("MEMALIGN_SCREENSHOTS"):
        for width, size in (("wide", WIDE), ("narrow", NARROW)):
            await page.set_viewport_size(size)
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png")
        await page.set_viewport_size(WIDE)


async def test_a_verdict_of_pass_or_fail_is_corrected_with_a_reason_and_later_by_a_guideline(
    tmp_path: Path,
) -> None:
    async with page_of(tmp_path, {}) as (harness, page):
        dialog = await opened(page, "tr-1")
        await expect(dialog).to_contain_text("Can you help me?")
        await expect(dialog).to_contain_text("What did it miss?")
        await expect(dialog.get_by_role("radio")).to_have_count(0)
        await expect(dialog.get_by_role("button", name="Skip the reason")).to_be_visible()
        await dialog.get_by_role("textbox").fill(RULE)
        await picture(page, "correction-bool")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
        memory = harness.bot.memories[JUDGE]
        await harness.until(lambda: memory.guidelines or None)

        dialog = await opened(page, "tr-2")
        await dialog.get_by_role("checkbox").check()
        await picture(page, "correction-covered")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
        await harness.until(lambda: memory.guidelines[0].source_trace_ids == ("tr-1", "tr-2") or None)


async def test_a_number_is_typed_and_kept_within_the_judges_range(tmp_path: Path) -> None:
    async with page_of(tmp_path, {"feedback_value_type": "int", "range": [0, 100]}) as (harness, page):
        dialog = await opened(page, "tr-1")
        number = dialog.get_by_role("spinbutton")
        await number.fill("101")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_contain_text("Please enter a whole number from 0 to 100.")
        await picture(page, "correction-int")
        await number.fill("73")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
        await harness.until(lambda: harness.labels() == {"tr-1": 73} or None)


async def test_a_category_is_picked_from_radio_buttons(tmp_path: Path) -> None:
    async with page_of(tmp_path, {"feedback_value_type": ["rude", "curt", "kind"]}) as (harness, page):
        dialog = await opened(page, "tr-1")
        await expect(dialog.get_by_role("button", name="Not now")).to_be_visible()
        choice = dialog.get_by_role("radio").last
        await choice.check()
        await picture(page, "correction-category")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
        await harness.until(lambda: harness.labels().get("tr-1") == "kind" or None)
