"""A blind card that was answered shows its verdict, though the bot was killed before Slack had the edit."""

import random
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiohttp
import pytest

from storage.database import Database
from tests.bot.bot_in_workspace import words
from tests.bot.fakes import until
from tests.crash.world import World

ANSWERED = {"trace_id": "tr-1", "inputs": "Can you help me?", "outputs": "Go away.", "judges": ["politeness"]}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A workspace in which each card asks first; the bot is not running yet."""
    ready = World(tmp_path, random.Random(5), traces=1)
    ready.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("blind = 0.3", "blind = 1.0"), encoding="utf-8")
    async with ready.slack:
        yield ready


async def started(world: World) -> Process:
    process = await world.start_bot()
    assert process.stdout is not None
    assert await process.stdout.readline() == b"runs\n"
    return process


async def killed(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    await process.communicate()


def shown(world: World) -> str | None:
    """The card's words once it shows the verdict."""
    text = words(world.cards()[0].blocks)
    return text if "Asked before showing: ana said pass" in text else None


@pytest.mark.parametrize("lost", ["the edit", "its answer"])
async def test_an_answer_on_disk_leads_to_the_edit_after_the_next_start(
    world: World, lost: Literal["the edit", "its answer"]
) -> None:
    process = await started(world)
    async with aiohttp.ClientSession() as session:
        await session.post(f"http://127.0.0.1:{world.ports[0]}/traces", json=ANSWERED)
    await until(world.cards)
    (message,) = world.cards()
    hold = world.slack.faults.hold("chat.update") if lost == "its answer" else None
    if hold is None:
        world.slack.faults.fail_next("chat.update", error="internal_error", times=2)
    await world.slack.interactions.click(world.people[0], message.channel, message.ts, "blind_answer:0")
    if hold is not None:
        await until(lambda: shown(world))
    await killed(process)
    if hold is not None:
        hold.release()
    async with await Database.open(world.folder / "store") as database:
        stored = await database.verdicts.by_card(message.channel, message.ts)
        assert stored is not None
        assert stored.is_hidden
    process = await started(world)
    try:
        await until(lambda: shown(world))
    finally:
        await killed(process)
    async with await Database.open(world.folder / "store") as database:
        stored = await database.verdicts.by_card(message.channel, message.ts)
        assert stored is not None
        events = (await database.feedback.all_of(stored.verdict_id))[world.people[0]]
        assert events.answer is not None
        assert events.answer.value is True
