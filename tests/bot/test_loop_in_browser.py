"""The whole loop, clicked by a person in a real browser: the real bot, the embedded workspace, its page."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
RULE = "The answer should never send people away."
BETTER_RULE = "The answer should always offer some help."


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """Ana before the page, with one card on it."""

    harness: BotInWorkspace
    page: Page
    card: Locator

    async def picture(self, name: str) -> None:
        """Keep a screenshot where somebody asked for them."""
        if folder := os.environ.get("MEMALIGN_SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_test_id("thread")

    async def type_in(self, label: str, text: str) -> None:
        box = self.page.get_by_label(label, exact=True)
        await box.fill(text)
        await box.press("Enter")

    async def ask(self, text: str) -> Locator:
        """Type a slash command; the last message in the channel that only Ana sees."""
        answers = self.page.get_by_test_id("channel").locator("[data-ephemeral=true]")
        before = await answers.count()
        await self.type_in("Message #politeness", text)
        await expect(answers).not_to_have_count(before)
        return answers.last


@pytest_asyncio.fixture(loop_scope="module")
async def session(tmp_path: Path) -> AsyncIterator[BrowserSession]:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    async with bot_in_workspace(tmp_path) as harness, async_playwright() as playwright:
        await harness.show("tr-1")
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        await page.goto(f"{harness.slack.url}/?user={harness.ana.id}")
        card = (
            page.get_by_test_id("channel")
            .locator("[data-ts]:not([data-ephemeral=true])")
            .filter(has_text="Trace tr-1")
        )
        await expect(card).to_be_visible()
        yield BrowserSession(harness=harness, page=page, card=card)
        await browser.close()


async def test_a_person_teaches_and_takes_back_by_clicking(session: BrowserSession) -> None:
    page, card = session.page, session.card
    await session.picture("1-card")

    await card.hover()
    await card.get_by_role("button", name="React with 👎").click()
    await expect(card.get_by_test_id("reaction")).to_have_attribute("data-name", "-1")
    await card.hover()
    await card.get_by_role("button", name="Reply in thread").click()
    await session.type_in("Reply", RULE)
    await expect(session.thread).to_contain_text(f"Learned: “{RULE}”")
    await expect(session.thread).to_contain_text("from Ana Ruiz")
    await session.picture("2-learned")

    reply = session.thread.locator(f"[data-user='{session.harness.ana.id}']").filter(has_text=RULE)
    await reply.hover()
    await reply.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Edit message").click()
    await session.type_in("Edit message", BETTER_RULE)
    await expect(session.thread).to_contain_text(f"Now: “{BETTER_RULE}” (was: “{RULE}”)")
    await session.picture("3-edited")

    answer = await session.ask("/memalign guidelines")
    await expect(answer).to_contain_text(BETTER_RULE)
    await expect(answer).not_to_contain_text(RULE)

    await card.get_by_test_id("reaction").click()
    await expect(card.get_by_test_id("reaction")).to_have_count(0)
    memory = session.harness.bot.memories["politeness"]
    await session.harness.until(lambda: not memory.episodes)
    await expect(session.thread.get_by_text("taken back")).to_have_count(1)
    await expect(await session.ask("/memalign guidelines")).to_contain_text("no guidelines yet")
    await session.picture("4-taken-back")

    await card.get_by_role("button", name="👎 No, it fails").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill(RULE)
    await session.picture("5-modal")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await session.harness.until(lambda: any(RULE in rule.sources[0].quote for rule in memory.guidelines))
    await expect(await session.ask("/memalign guidelines")).to_contain_text("1 case · Ana Ruiz")

    await expect(await session.ask("/memalign digest")).to_contain_text("right on 0 of 1 verdict")
    await expect(await session.ask("/memalign status")).to_contain_text("All is well")

    preview = await session.ask("/memalign forget tr-1")
    await expect(preview).to_contain_text("can't be undone")
    await expect(preview).to_contain_text("the guideline “The answer should")
    await session.picture("6-forget")
    await preview.get_by_role("button", name="Forget", exact=True).click()
    await expect(page.get_by_test_id("channel")).to_contain_text("Trace tr-1 is forgotten")
    await expect(card).to_have_count(0)
    await expect(await session.ask("/memalign guidelines")).to_contain_text("no guidelines yet")
    await session.picture("7-forgotten")

    await page.locator("[data-place=home]").click()
    await expect(page.get_by_test_id("home")).to_contain_text("all caught up")
    await session.picture("8-home")


async def test_a_person_votes_on_home_by_clicking(session: BrowserSession) -> None:
    page, home = session.page, session.page.get_by_test_id("home")
    await page.locator("[data-place=home]").click()
    await expect(home).to_contain_text("Waiting for your vote (1)")
    await expect(home).to_contain_text("Can you help me?")
    await session.picture("9-home-waiting")
    for name, width, scheme in (("narrow", 390, "light"), ("dark", 1280, "dark")):
        await page.set_viewport_size({"width": width, "height": 860})
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await session.picture(f"9-home-{name}")
    await home.get_by_role("button", name="👍").click()
    await expect(home).to_contain_text("all caught up")
    await expect(home).to_contain_text("Your last votes")
    await session.picture("10-home-voted")
    memory = session.harness.bot.memories["politeness"]
    await session.harness.until(lambda: list(memory.episodes) == ["tr-1"])


async def test_a_person_handles_guidelines_by_clicking(session: BrowserSession) -> None:
    page, harness = session.page, session.harness
    for number in range(24):
        await harness.bot.guidelines.add(
            "politeness",
            f"An answer on topic {number} should name its source, and when it was last checked.",
            harness.ben.id,
        )
    await expect(await session.ask(f"/memalign teach {RULE}")).to_contain_text(f"Added: “{RULE}”")
    listed = await session.ask("/memalign guidelines")
    await expect(listed).to_contain_text("25 guidelines of Politeness (1–20 of 25)")
    await session.picture("11-guidelines")
    await listed.get_by_role("button", name="Next 5").click()
    await expect(listed).to_contain_text("(21–25 of 25)")

    found = await session.ask("/memalign guidelines send away")
    await expect(found).to_contain_text("1 of 25 guidelines of Politeness with “send away”")
    await found.get_by_role("button", name="More options").click()
    await session.picture("12-guideline-menu")
    await page.get_by_role("menuitem", name="Edit").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("textbox")).to_have_value(RULE)
    await session.picture("13-edit")
    await dialog.get_by_role("textbox").fill(BETTER_RULE)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await expect(found).to_contain_text(f"Now it says: “{BETTER_RULE}”")
    await session.picture("14-edited-in-list")
    await found.get_by_role("button", name="Undo").click()
    await expect(found).to_contain_text(f"Undone: “{RULE}”")

    for row, (name, width) in enumerate((("narrow", 390), ("dark", 1280))):
        await page.set_viewport_size({"width": width, "height": 860})
        await page.emulate_media(color_scheme="dark" if name == "dark" else "light")
        shown = await session.ask("/memalign guidelines")
        await expect(shown).to_contain_text("25 guidelines")
        await session.picture(f"15-guidelines-{name}")
        await shown.scroll_into_view_if_needed()
        await shown.get_by_role("button", name="More options").nth(row).click()
        await page.get_by_role("menuitem", name="Don't use").click()
        await expect(shown).to_contain_text("I no longer use")
        await shown.evaluate("shown => shown.scrollIntoView({block: 'start'})")
        await session.picture(f"16-retired-{name}")
    assert sum(rule.retired for rule in harness.bot.memories["politeness"].guidelines) == 2
