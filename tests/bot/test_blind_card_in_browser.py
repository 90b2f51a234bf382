"""A card that asks before it shows the verdict, answered in a real browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.bot.blind_cards import blind_bot
from tests.bot.browser_session import BrowserSession, browsing, served_models
from tests.model_server import ModelServer
from tests.sandbox.browser import CHROMIUM, MISSING

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
QUESTION = "My parcel is late, and nobody answers the phone. What can I do?"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with served_models() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def session(tmp_path: Path, server: ModelServer) -> AsyncIterator[BrowserSession]:
    async with blind_bot(tmp_path, server, False) as harness:
        for number, outputs in enumerate(("I'm sorry. It arrives on Friday.", "Go away."), start=1):
            await harness.send(
                {"trace_id": f"tr-{number}", "inputs": {"question": QUESTION}, "outputs": outputs}
            )
            await harness.card(f"tr-{number}")
        async with browsing(harness, harness.ana, tmp_path) as opened:
            yield opened


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
