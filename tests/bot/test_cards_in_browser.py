"""Cards and their modal in a real browser: short enough to be read, and whole where somebody asks for all."""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright, expect

from bot.sandbox.demo.recordings import recordings
from memalign.records import Json, TraceTarget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
WIDE, NARROW = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)
Scheme = Literal["light", "dark"]
MAX_MEDIAN_HEIGHT = 320
CODE = (
    'Use:\n\n```python\nwith open("a.txt") as f:\n    for x in f:\n        print(x > 1)\n```\n\nThat is all.'
)
TABLE = "| City | People |\n|---|---|\n| Cairo | 10 |\n| Giza | 4 |\n\nThey are **large**; see [this](https://a.example)."
SAMPLES: dict[str, dict[str, Json]] = {
    "x-code": {"inputs": "Read a file?", "outputs": CODE},
    "x-json": {
        "inputs": {"question": "Who?", "k": 3},
        "outputs": {"user": {"id": 7, "tags": ["a", "b"]}, "ok": True, "more": [1, 2, 3]},
    },
    "x-records": {"inputs": "Where?", "outputs": [{"city": f"C{n}", "people": n} for n in range(40)]},
    "x-table": {"inputs": "How large?", "outputs": TABLE},
    "x-long": {"inputs": "Tell me all of it. " * 40, "outputs": "A sentence of many words. " * 400},
    "x-lines": {"inputs": "Steps?", "outputs": "\n".join(f"{n}. step" for n in range(200))},
    "x-chat": {
        "inputs": [
            {"role": "user", "content": "Hello there"},
            {"role": "assistant", "content": "Hi! How can I help? " * 30},
            {"role": "user", "content": "Where are you?"},
        ],
        "outputs": "Here.",
    },
    "x-arabic": {"inputs": "ما هي عاصمة مصر؟", "outputs": "القاهرة هي عاصمة مصر. " * 60},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """The demo's first answers and the samples, as cards in a workspace."""

    harness: BotInWorkspace
    browser: Browser
    demo: Sequence[str]

    async def open(self, size: ViewportSize, scheme: Scheme = "light") -> Page:
        """Open the page in a window of some size."""
        page = await self.browser.new_page(viewport=size, color_scheme=scheme)
        page.set_default_timeout(60_000)
        await page.goto(f"{self.harness.slack.url}/?user={self.harness.ana.id}")
        return page

    async def heights(self, page: Page, trace_ids: Sequence[str]) -> dict[str, float]:
        """Measure the cards of traces, in pixels."""
        heights = {}
        for trace_id in trace_ids:
            box = await card_of(page, trace_id).bounding_box()
            assert box is not None
            heights[trace_id] = box["height"]
        return heights


def card_of(page: Page, trace_id: str) -> Locator:
    return page.get_by_test_id("channel").locator("[data-ts]").filter(has_text=f"Trace {trace_id}").first


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cards(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cards]:
    folder: Path = tmp_path_factory.mktemp("cards")
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    demo = [recording.as_trace() for recording in recordings()[:12]]
    samples = [{"trace_id": trace_id, **sample} for trace_id, sample in SAMPLES.items()]
    async with bot_in_workspace(folder) as harness, async_playwright() as playwright:
        await harness.send(*demo, *samples)
        await harness.until(lambda: all(harness.shown(trace["trace_id"]) for trace in [*demo, *samples]))
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        yield Cards(harness=harness, browser=browser, demo=[trace["trace_id"] for trace in demo])
        await browser.close()


async def test_half_of_the_cards_take_a_third_of_a_screen_at_most(cards: Cards) -> None:
    heights = await cards.heights(await cards.open(WIDE), cards.demo)
    assert median(heights.values()) <= MAX_MEDIAN_HEIGHT, heights


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_card_fits_the_screen_of_a_phone(cards: Cards, scheme: Scheme) -> None:
    page = await cards.open(NARROW, scheme)
    heights = await cards.heights(page, [*cards.demo, *SAMPLES])
    assert max(heights.values()) <= NARROW["height"], heights
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"]


async def test_show_everything_switches_between_what_was_sent_and_what_the_user_saw(cards: Cards) -> None:
    page = await cards.open(WIDE)
    await card_of(page, "x-table").get_by_role("button", name="Show everything").click()
    modal = page.get_by_role("dialog")
    await expect(modal).to_contain_text("They are **large**; see [this](https://a.example).")
    await modal.get_by_role("button", name="As the user saw it").click()
    await expect(modal).to_contain_text("They are large; see this (https://a.example).")
    await expect(modal).not_to_contain_text("|---|")
    await expect(modal.get_by_role("link")).to_have_count(0)
    await modal.get_by_role("button", name="As it was sent").click()
    await expect(modal).to_contain_text("|---|---|")
    await modal.get_by_role("button", name="Close", exact=True).last.click()


async def test_after_a_forget_the_switch_shows_nothing_of_the_trace(cards: Cards) -> None:
    page = await cards.open(WIDE)
    await card_of(page, "x-lines").get_by_role("button", name="Show everything").click()
    modal = page.get_by_role("dialog")
    await expect(modal).to_contain_text("7. step")
    await cards.harness.bot.forgetting.forget(TraceTarget(trace_id="x-lines"), None)
    await modal.get_by_role("button", name="As the user saw it").click()
    await expect(modal).to_contain_text("This trace was forgotten; I keep nothing of it.")
    await expect(modal).not_to_contain_text("step")
