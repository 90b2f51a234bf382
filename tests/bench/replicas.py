"""Traces judged a second by one replica and by three, on one database: `python -m tests.bench.replicas [TRACES]`.

Each is a process of its own, as `memalign run` starts it, with 8 model calls at once and a model that answers after
200 ms. All of it shares this machine's cores; a figure in brackets is what the calls alone would allow.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox import SlackServer, Workspace
from tests.bench.remote import RemoteServer
from tests.bench.remote import running_server as running_model
from tests.bot.bot_in_workspace import free_port
from tests.bot.cli.test_cli import started
from tests.postgres_server import PostgresServer, running_server

TRACES = 600
ROUNDS = 3
MODEL_MS = 200
CALLS_AT_ONCE = 8
SETTINGS = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[sampling]
rate = 1.0
max_per_day = 100000
max_model_calls_per_day = 0
[ingest]
port = {port}
[[judges]]
name = "politeness"
channel = "{channel}"
model = "openai:/some-model"
feedback_value_type = "bool"
instructions = "Question: {{{{ inputs }}}} Answer: {{{{ outputs }}}}"
"""


async def judged_a_second(
    folder: Path, server: PostgresServer, model: RemoteServer, replicas: int, traces: int
) -> float:
    """Send traces to replicas by turns, on a database of their own, and return the verdicts stored a second."""
    name = f"bench_{random.randrange(10**9)}"
    server.create_database(name)
    workspace = Workspace()
    channel = workspace.add_channel("politeness", members=[workspace.add_user("ana").id]).id
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackServer(workspace))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        urls = []
        for place in range(replicas):
            home, port = folder / f"{name}-{place}", free_port()
            home.mkdir()
            (home / "memalign.toml").write_text(SETTINGS.format(port=port, channel=channel), encoding="utf-8")
            env = model.environment() | {
                "SLACK_API_URL": slack.api_url,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "MEMALIGN_DATABASE_URL": server.url(name),
                "MEMALIGN_MAX_WORKERS": str(CALLS_AT_ONCE),
                "MEMALIGN_LOG_LEVEL": "error",
            }
            process = await started(home, "run", env=env)
            stack.push_async_callback(end, process)
            urls.append(f"http://127.0.0.1:{port}")
        for url in urls:
            await until_ready(session, url)
        start = time.perf_counter()
        for first in range(0, traces, 50):
            await send(session, urls[first // 50 % replicas], range(first, min(first + 50, traces)))
        while await asyncio.to_thread(verdicts, server, name) < traces:  # noqa: ASYNC110 - others write there
            await asyncio.sleep(0.05)
        return traces / (time.perf_counter() - start)


async def end(process: Process) -> None:
    """Kill a replica."""
    process.kill()
    await process.communicate()


async def until_ready(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until a replica is ready."""
    while True:
        try:
            async with session.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)


async def send(session: aiohttp.ClientSession, url: str, numbers: range) -> None:
    """Send some traces in one request."""
    body = [
        {"trace_id": f"tr-{number}", "inputs": f"Where is form {number}?", "outputs": "Find it yourself."}
        for number in numbers
    ]
    async with session.post(f"{url}/traces", json=body) as answer:
        assert answer.status == 202, await answer.text()


def verdicts(server: PostgresServer, name: str) -> int:
    """Count the stored verdicts."""
    with server.connect(name) as connection:
        there = connection.execute("SELECT to_regclass('memalign.verdicts')").fetchone()
        if there is None or there[0] is None:
            return 0
        row = connection.execute("SELECT count(*) FROM memalign.verdicts").fetchone()
    return 0 if row is None else int(str(row[0]))


async def main(traces: int) -> None:
    """Measure by turns, and print the rounds and the median of their ratios."""
    with (
        tempfile.TemporaryDirectory() as name,
        running_server(settings=()) as server,
        running_model() as model,
    ):
        model.behave(chat_ms=MODEL_MS)
        ratios = []
        for _ in range(ROUNDS):
            one, three = [
                await judged_a_second(Path(name), server, model, replicas, traces) for replicas in (1, 3)
            ]
            ratios.append(three / one)
            allowed = CALLS_AT_ONCE * 1000 / MODEL_MS
            print(
                f"one replica {one:.0f} traces a second (calls alone: {allowed:.0f}), "
                f"three {three:.0f} ({3 * allowed:.0f}): {ratios[-1]:.2f} times"
            )
        print(f"median of the ratios: {sorted(ratios)[len(ratios) // 2]:.2f}, on {os.cpu_count()} cores")


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRACES))
    except pytest.skip.Exception as reason:
        print(reason)
