"""The built site in a real browser: it asks only its own server, and its search finds what it holds."""

import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.docs.conftest import Site
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
LOOKED_AT = ("index.html", "architecture.html", "reference/python.html", "tutorials/demo.html", "readme.html")


class SilentHandler(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SilentHandler, directory=str(site.folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1280, "height": 860})
    yield page
    await page.close()


async def test_pages_ask_only_their_own_server(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in LOOKED_AT:
        await page.goto(f"{address}/{place}", wait_until="networkidle")
    assert len(asked) > len(LOOKED_AT)
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


async def test_the_search_finds_a_setting(page: Page, address: str) -> None:
    await page.goto(address)
    box = page.get_by_role("textbox", name="Search")
    await box.click()
    await box.press_sequentially("quiet_seconds")
    results = page.locator(".md-search-result__item")
    await expect(results.filter(has_text="Settings")).not_to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_layers_and_the_pictures_are_shown_in_both_looks(
    page: Page, address: str, scheme: str
) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.goto(f"{address}/architecture.html")
    await expect(page.locator(".layers li").first).to_be_visible()
    await page.goto(f"{address}/index.html")
    shown = page.locator("article img:visible")
    await expect(shown).to_have_count(1)
    assert f"demo-{scheme}.png" in str(await shown.get_attribute("src"))
