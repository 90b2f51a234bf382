"""Killed between writing to Phoenix and noting it, the bot leaves one annotation, not two."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.runtime.clock import now_ms
from tests.bot.connectors.fake_phoenix import FakePhoenix
from tests.bot.connectors.phoenix_client import PhoenixClient
from tests.bot.fakes import until
from tests.bot.test_blind_card_after_kill import killed, started
from tests.crash.world import World

CONNECTOR = """
[[connectors]]
type = "phoenix"
url = "{url}"
project = "support"
judges = ["politeness"]
poll_seconds = 1
since = "2026-01-01T00:00:00Z"
"""
WRITE = "POST /v1/span_annotations"


@pytest.fixture
async def server() -> AsyncIterator[FakePhoenix]:
    """A small Phoenix."""
    phoenix = FakePhoenix()
    await phoenix.start()
    yield phoenix
    await phoenix.stop()


@pytest.fixture
async def world(tmp_path: Path, server: FakePhoenix) -> AsyncIterator[World]:
    """A workspace, and a connector to the small server; the bot is not running yet."""
    ready = World(tmp_path, random.Random(5), traces=1)
    ready.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8").replace("blind = 0.3", "blind = 0.0")
    settings.write_text(text + CONNECTOR.format(url=server.url), encoding="utf-8")
    async with ready.slack:
        yield ready


async def test_killed_before_the_servers_answer_it_writes_the_same_annotation_again(
    world: World, server: FakePhoenix
) -> None:
    phoenix = await PhoenixClient.at(server.url)
    trace_id = await phoenix.trace(1, start_ms=now_ms() - 20_000)
    server.silent_on = WRITE
    process = await started(world)
    await until(lambda: server.annotations)
    await killed(process)
    server.silent_on = None
    [written] = await phoenix.annotations(trace_id)

    before = len(server.calls)
    process = await started(world)
    try:
        await until(lambda: WRITE in server.calls[before:])
    finally:
        await killed(process)

    [annotation] = await phoenix.annotations(trace_id)
    assert annotation["id"] == written["id"]
    assert annotation["identifier"] == written["identifier"]
