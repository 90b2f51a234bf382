"""The demo's page as a newcomer uses it: whatever is forgotten, the recorded people go on, and failures are told."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.app import Bot, Timing, running_bot
from bot.config import Secrets
from bot.sandbox.demo.demo import COMMAND, SHORTCUTS
from bot.sandbox.demo.demo_page import DemoPage
from bot.sandbox.demo.folder import DemoWorkspace, open_demo_workspace, prepare_folder, write_settings
from bot.sandbox.demo.recordings import Recording, recordings
from bot.sandbox.demo.replay import Replay
from bot.sandbox.server import SlackServer
from memalign.records import TraceTarget
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
REPLAYED = recordings()[:20]
HELD_OUT = recordings()[-5:]
CARDS_AT_FIRST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo at work, and its page."""

    bot: Bot
    workspace: DemoWorkspace
    server: SlackServer
    presses: asyncio.Queue[str]

    async def forget(self, trace_id: str) -> None:
        await self.bot.forgetting.forget(TraceTarget(trace_id=trace_id), person=None)

    def start(self, replay: Replay, replayed: tuple[Recording, ...] = REPLAYED) -> asyncio.Task[None]:
        """Show the demo; cancel what is returned to end it."""
        page = DemoPage(self.bot, self.server, self.presses, replay, replayed)
        return asyncio.create_task(page.run(asyncio.Event(), browse=False))

    @property
    def words(self) -> list[tuple[str, str]]:
        """Author and text of every reply."""
        messages = self.workspace.workspace.messages(self.workspace.channel)
        return [(each.user, each.text) for each in messages if each.thread_ts not in (None, each.ts)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    folder = prepare_folder(tmp_path / "demo")
    workspace = open_demo_workspace(folder)
    settings = write_settings(folder, workspace)
    presses: asyncio.Queue[str] = asyncio.Queue()
    server = SlackServer(workspace.workspace, commands=[COMMAND], shortcuts=SHORTCUTS, on_demo=presses.put)
    await server.start()
    secrets = Secrets(bot_token=server.bot_token, app_token=server.app_token, api_url=server.api_url)
    try:
        async with running_bot(settings, secrets, Timing(post_seconds=0.0, quiet_seconds=0.1)) as bot:
            yield Demo(bot=bot, workspace=workspace, server=server, presses=presses)
    finally:
        await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(demo: Demo, browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(demo.server.url)
    yield page
    await page.close()


async def test_the_recorded_people_go_on_after_anything_is_forgotten_and_say_what_they_left_out(
    demo: Demo, page: Page
) -> None:
    running = demo.start(Replay(demo.bot, demo.workspace, HELD_OUT))
    try:
        cards = page.get_by_test_id("channel").get_by_test_id("message").filter(has=page.locator(".badge"))
        await expect(cards).to_have_count(CARDS_AT_FIRST)
        card = cards.last  # by clicking, as README says
        await card.hover()
        await card.get_by_label("More actions").click()
        await page.get_by_role("menuitem", name="Forget this trace").click()
        await page.get_by_role("button", name="Forget", exact=True).click()
        await expect(page.get_by_text("is forgotten")).to_be_visible()
        await demo.forget(REPLAYED[0].trace_id)
        await page.get_by_test_id("replay").click()
        await expect(page.get_by_test_id("replay-progress")).to_contain_text("10 of 20")
        composer = page.get_by_label("Message #answers-the-question")
        await composer.fill("/memalign forget --person @annotator_1 --yes")
        await composer.press("Enter")
        await expect(page.get_by_test_id("replay-finished")).to_have_text(
            "All the recorded people have answered"
        )
        await expect(page.get_by_test_id("replay-note")).to_have_text(
            "The recorded people left out 2 traces that were forgotten."
        )
        await expect(page.get_by_test_id("demo-table")).to_contain_text(
            "18 traces answered and 2 left out as forgotten"
        )
        await expect(page.get_by_test_id("replay-problem")).to_have_count(0)
    finally:
        running.cancel()


async def test_a_replay_that_fails_is_told_on_the_page_and_goes_on_without_saying_anything_twice(
    demo: Demo, page: Page
) -> None:
    impatient = demo.start(Replay(demo.bot, demo.workspace, HELD_OUT, timeout_seconds=0.0))
    await page.get_by_test_id("replay").click()
    await expect(page.get_by_test_id("replay-problem")).to_contain_text(
        "The recorded people stopped answering. The bot did not show its cards within 0 seconds; "
        "press the button to go on."
    )
    await expect(page.get_by_test_id("demo-table")).to_have_count(0)
    impatient.cancel()
    patient = Replay(demo.bot, demo.workspace, HELD_OUT)
    running = demo.start(patient)
    try:
        for _ in range(2):

            async def report(*_: object) -> None:
                return None

            await patient.run(REPLAYED[:10], report)
        people = {user.id for user in demo.workspace.annotators.values()}
        replies = [reply for reply in demo.words if reply[0] in people]
        assert len(replies) == sum(len(recording.feedback) for recording in REPLAYED[:10])
    finally:
        running.cancel()


async def test_a_person_named_from_the_pages_own_list_is_previewed(demo: Demo, page: Page) -> None:
    running = demo.start(Replay(demo.bot, demo.workspace, HELD_OUT))
    try:
        cards = page.get_by_test_id("channel").get_by_test_id("message")
        await expect(cards).to_have_count(CARDS_AT_FIRST)
        person = demo.workspace.annotators["annotator_2"]
        card = next(
            message
            for message in demo.workspace.workspace.messages(demo.workspace.channel)
            if message.metadata
        )
        demo.workspace.workspace.react(person.id, card.channel, card.ts, "+1")
        composer = page.get_by_label("Message #answers-the-question")
        await composer.fill("/memalign forget --person @anno")
        await page.get_by_role("option", name="@annotator_2").click()
        await composer.press("Enter")
        preview = page.locator("[data-ephemeral=true]").last
        await expect(preview).to_contain_text("Annotator 2")
        await preview.get_by_role("button", name="Forget", exact=True).click()
        await expect(preview).to_contain_text("gone")
    finally:
        running.cancel()


async def test_three_first_steps_tick_themselves_and_their_buttons_lead_to_them(
    demo: Demo, page: Page
) -> None:
    running = demo.start(Replay(demo.bot, demo.workspace, HELD_OUT))
    try:
        steps = page.get_by_test_id("step")
        await expect(steps).to_have_count(3)
        await picture(page, "steps-1")
        await page.get_by_role("button", name="Show me a card").click()
        card = page.get_by_test_id("channel").locator(".message.found")
        await expect(card).to_be_in_viewport()
        await card.locator("[data-action-id=vote_up]").click()
        await expect(steps.nth(0)).to_have_attribute("data-done", "true")
        await page.get_by_role("button", name="Open its thread").click()
        reply = page.get_by_label("Reply", exact=True)
        await reply.fill("An answer must always say where to go.")
        await picture(page, "steps-2")
        await reply.press("Enter")
        await expect(page.get_by_test_id("steps-done")).to_be_visible()
        await picture(page, "steps-3")
        await page.get_by_role("button", name="Show what it learned").click()
        answer = page.locator("[data-ephemeral=true]").last
        await expect(answer).to_contain_text("An answer must always say where to go.")
    finally:
        running.cancel()


async def test_the_four_numbers_are_explained_without_hovering_also_on_a_phone(
    demo: Demo, page: Page
) -> None:
    running = demo.start(Replay(demo.bot, demo.workspace, HELD_OUT))
    try:
        hints = page.get_by_test_id("meter").locator(".hint")
        await expect(hints).to_have_count(4)
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for number in range(4):
                await expect(hints.nth(number)).to_be_in_viewport(ratio=1)
            await picture(page, f"meters-{width}")
        await expect(page.get_by_role("button", name="Show me a card")).to_be_in_viewport(ratio=1)
        await page.emulate_media(color_scheme="dark")
        await picture(page, "meters-dark")
    finally:
        running.cancel()


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot where somebody asked for them."""
    if folder := os.environ.get("MEMALIGN_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
