"""The page on webhooks, walked to the letter: its settings and its receiver, and what that prints."""

import asyncio
import os
import re
import sys
import tomllib
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.outbound.webhook import EVENT_TYPES
from memalign.records import TraceTarget
from tests.bot.bot_in_workspace import bot_in_workspace, free_port
from tests.bot.outbound.event_server import SECRET

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
[RECEIVER] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SETTINGS, _ = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PORT = "9000"


async def test_the_receiver_of_the_page_prints_what_happens(tmp_path: Path) -> None:
    port = str(free_port())
    code = RECEIVER.replace(PORT, port)
    environment = {**os.environ, "EVENTS_SECRET": SECRET}
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment, stdout=PIPE, stderr=PIPE
    )
    assert receiver.stdout is not None
    try:
        sections = tomllib.loads(SETTINGS.replace(PORT, port))
        async with bot_in_workspace(tmp_path, webhooks=sections["webhooks"]) as team:
            card = await team.show("tr-1")
            printed = [await _line(receiver.stdout)]
            team.react(card, "thumbsdown")
            printed.append(await _line(receiver.stdout))
            await team.bot.forgetting.forget(TraceTarget(trace_id="tr-1"), team.ana.id)
            while not printed[-1].startswith("trace.forgotten"):
                printed.append(await _line(receiver.stdout))
    finally:
        receiver.kill()
        await receiver.communicate()
    assert printed[0].startswith("verdict.created {'verdict_id': 'v-")
    assert printed[1].startswith("vote.changed {'trace_id': 'tr-1', 'judge': 'politeness'")
    assert printed[-1] == "trace.forgotten {'trace_id': 'tr-1'}"


async def _line(stream: asyncio.StreamReader) -> str:
    async with asyncio.timeout(60):
        return (await stream.readline()).decode().strip()


@pytest.mark.parametrize("event_type", [each for types in EVENT_TYPES.values() for each in types])
def test_each_type_is_on_the_page(event_type: str) -> None:
    assert f"`{event_type}`" in PAGE
