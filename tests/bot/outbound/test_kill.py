"""Killed between telling and noting it, the bot tells the same event again, under the same id, and loses none."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.bot.fakes import until
from tests.bot.outbound.event_server import EventServer
from tests.bot.test_blind_card_after_kill import killed, started
from tests.crash.world import World

WEBHOOK = """
[[webhooks]]
url = "{url}/hook"
secret_env = "EVENTS_SECRET"
events = ["verdict", "forget"]
judges = ["politeness"]
"""


@pytest.fixture
async def world(tmp_path: Path, server: EventServer) -> AsyncIterator[World]:
    """A workspace, and a server to be told; the bot is not running yet."""
    ready = World(tmp_path, random.Random(5), traces=1)
    ready.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8").replace("blind = 0.3", "blind = 0.0")
    settings.write_text(text + WEBHOOK.format(url=server.url), encoding="utf-8")
    async with ready.slack:
        yield ready


async def sent(world: World, *trace_ids: str) -> None:
    traces = [{"trace_id": each, "inputs": "Can you help me?", "outputs": "Go away."} for each in trace_ids]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{world.ports[0]}/traces", json=traces) as answer,
    ):
        assert answer.status == 202


async def test_an_event_whose_answer_was_lost_comes_again_under_its_id(
    world: World, server: EventServer
) -> None:
    server.is_silent = True
    process = await started(world)
    await sent(world, "tr-1", "tr-2")
    await until(lambda: server.requests)
    await killed(process)
    server.is_silent = False

    process = await started(world)
    try:
        await until(lambda: len({each.document["data"]["trace_id"] for each in server.requests[1:]}) == 2)
    finally:
        await killed(process)

    first, *later = server.requests
    assert [each.event_id for each in later].count(first.event_id) == 1
    again = next(each for each in later if each.event_id == first.event_id)
    assert again.body == first.body
    assert len(later) == 2


@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_at_any_moment_lose_no_event_and_make_none_anew(
    world: World, server: EventServer, seed: int
) -> None:
    chance = random.Random(seed)
    trace_ids = [f"tr-{number}" for number in range(24)]
    for begin in range(0, len(trace_ids), 8):
        process = await started(world)
        await sent(world, *trace_ids[begin : begin + 8])
        wanted = len(server.requests) + chance.randrange(1, 8)
        await until(partial(_has_heard, server, wanted))
        await asyncio.sleep(chance.random() * 0.02)
        await killed(process)
    process = await started(world)
    try:
        await until(lambda: _traces(server) == set(trace_ids))
    finally:
        await killed(process)
    pairs = {(each.event_id, each.document["data"]["trace_id"]) for each in server.requests}
    assert len(pairs) == len(trace_ids)


def _has_heard(server: EventServer, number: int) -> bool:
    return len(server.requests) >= number


def _traces(server: EventServer) -> set[str]:
    return {each.document["data"]["trace_id"] for each in server.requests}
