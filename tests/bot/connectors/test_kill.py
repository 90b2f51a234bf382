"""Killed between writing to the tool and noting it, the bot writes no assessment twice."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.runtime.clock import now_ms
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import TRACES, MlflowClient
from tests.bot.fakes import until
from tests.bot.test_blind_card_after_kill import killed, started
from tests.crash.world import World

CONNECTOR = """
[[connectors]]
type = "mlflow"
url = "{url}"
experiment = "support"
judges = ["politeness"]
poll_seconds = 1
since = "2026-01-01T00:00:00Z"
"""


@pytest.fixture
async def world(tmp_path: Path, fake_mlflow: FakeMlflow) -> AsyncIterator[World]:
    """A workspace, and a connector to the small server; the bot is not running yet."""
    ready = World(tmp_path, random.Random(5), traces=1)
    ready.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8").replace("blind = 0.3", "blind = 0.0")
    settings.write_text(text + CONNECTOR.format(url=fake_mlflow.url), encoding="utf-8")
    async with ready.slack:
        yield ready


async def test_killed_before_the_servers_answer_it_finds_its_assessment_and_writes_no_second(
    world: World, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    fake_mlflow.silent_on = f"POST {TRACES}/{trace_id}/assessments"
    process = await started(world)
    await until(lambda: fake_mlflow.traces[trace_id]["assessments"])
    await killed(process)
    fake_mlflow.silent_on = None
    written = list(fake_mlflow.traces[trace_id]["assessments"])

    before = len(fake_mlflow.calls)
    process = await started(world)
    try:
        await until(lambda: any(call.startswith("PATCH") for call in fake_mlflow.calls[before:]))
    finally:
        await killed(process)

    assert [each["assessment_id"] for each in fake_mlflow.traces[trace_id]["assessments"]] == [
        each["assessment_id"] for each in written
    ]
    assert f"POST {TRACES}/{trace_id}/assessments" not in fake_mlflow.calls[before:]


async def test_killed_while_traces_are_read_it_takes_each_in_once(
    world: World, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    start = now_ms() - 60_000
    trace_ids = [await small.trace(number, start_ms=start + number) for number in range(1, 31)]
    fake_mlflow.silent_on = f"GET {TRACES}/get"
    process = await started(world)
    await until(lambda: f"GET {TRACES}/get" in fake_mlflow.calls)
    await killed(process)
    fake_mlflow.silent_on = None

    process = await started(world)
    try:
        await until(lambda: all(fake_mlflow.traces[each]["assessments"] for each in trace_ids))
    finally:
        await killed(process)

    assert [len(fake_mlflow.traces[each]["assessments"]) for each in trace_ids] == [1] * 30
