"""A running bot on a folder with settings, for the tests of commands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.cli.test_cli import RULE, SETTINGS, Beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a settings file."""
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel="C0000000001", port=0))
    return tmp_path


@pytest.fixture
def reason() -> str:
    """The reason from which the bot has learned."""
    return RULE


@pytest.fixture
async def beside(folder: Path, reason: str) -> AsyncIterator[Beside]:
    """A running bot that has learned from one card."""
    async with bot_in_workspace(folder) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, reason)
        await harness.learned()
        yield Beside(harness=harness, folder=folder)
