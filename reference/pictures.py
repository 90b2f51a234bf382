"""Pictures of the running demo for the documentation, in light and dark: `make pictures`."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WIDTH, HEIGHT = 1280, 860
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COLOURS = 128
"""Colours of a picture: as many as its texts need, so that it stays small in the repository."""
PATIENCE_MS = 300_000
CHANNEL = "Message #answers-the-question"
REASON = "The answer should name whom to call."


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The demo's page, with the card that is taught."""

    page: Page
    card: Locator
    trace_id: str

    async def ask(self, command: str) -> Locator:
        """Type a slash command, and return the answer."""
        answers = self.page.get_by_test_id("channel").locator("[data-ephemeral=true]")
        before = await answers.count()
        box = self.page.get_by_label(CHANNEL, exact=True)
        await box.fill(command)
        await box.press("Enter")
        await expect(answers).not_to_have_count(before)
        # from its beginning on, however long it is
        await answers.last.evaluate("answer => answer.scrollIntoView({block: 'start'})")
        return answers.last


async def show_a_lesson(demo: Demo) -> None:
    """Vote on a card, and say why in its thread."""
    await demo.card.hover()
    await demo.card.get_by_role("button", name="React with 👎").click()
    await demo.card.hover()
    await demo.card.get_by_role("button", name="Reply in thread").click()
    reply = demo.page.get_by_label("Reply", exact=True)
    await reply.fill(REASON)
    await reply.press("Enter")
    await expect(demo.page.get_by_test_id("thread")).to_contain_text(f"“{REASON}”")


async def show_guidelines(demo: Demo) -> None:
    """List what the judge has learned."""
    await demo.ask("/memalign guidelines")


async def show_digest(demo: Demo) -> None:
    """Show the week so far."""
    await demo.ask("/memalign digest")


async def show_forgetting(demo: Demo) -> None:
    """Show what would go with a trace."""
    await demo.ask(f"/memalign forget {demo.trace_id}")


SCENES: Mapping[str, Callable[[Demo], Awaitable[None]]] = {
    "demo": show_a_lesson,
    "guidelines": show_guidelines,
    "digest": show_digest,
    "forget": show_forgetting,
}
"""The scene of each picture, by its name, in the order in which they are taken."""


def files() -> list[str]:
    """Return the names of all pictures."""
    return [f"{scene}-{look}.png" for scene in SCENES for look in LOOKS]


async def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with TemporaryDirectory() as folder:
        async with running_demo(Path(folder)) as url, open_page(url, Path(folder)) as page:
            await page.get_by_test_id("replay").click()
            await expect(page.get_by_test_id("demo-table")).to_be_visible()
            await page.get_by_role("button", name="Hide the table").click()
            demo = await choose_card(page)
            for scene, show in SCENES.items():
                await show(demo)
                await take(page, scene)
                print(f"{scene}: taken", flush=True)


async def choose_card(page: Page) -> Demo:
    """Return the demo with its newest card."""
    cards = (
        page.get_by_test_id("channel")
        .locator("[data-ts]:not([data-ephemeral=true])")
        .filter(has_text="Trace ")
    )
    card = cards.last
    words = (await card.inner_text()).split()
    return Demo(page=page, card=card, trace_id=words[words.index("Trace") + 1].strip("·"))


async def take(page: Page, scene: str) -> None:
    """Take a picture in each look."""
    for look in LOOKS:
        await page.emulate_media(color_scheme=look)
        await page.wait_for_timeout(500)
        path = FOLDER / f"{scene}-{look}.png"
        await page.screenshot(path=path)
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[str]:
    """Start the demo on a free port, and yield its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", "--no-browser", "--data", str(folder / "demo")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the demo has no output")
        line = (await process.stdout.readline()).decode()
        yield line.split("The demo is at ")[1].split()[0]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def open_page(url: str, folder: Path) -> AsyncIterator[Page]:
    """Open the page in a browser without a window."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise SystemExit(f"No {', '.join(BROWSERS)} on PATH; install one to take the pictures.")
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path, args=BROWSER_ARGUMENTS, env={**os.environ, **home}
        )
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(url)
        yield page
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
