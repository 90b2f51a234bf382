"""SIGTERM to a real process: not ready first, no new work, work in hand finished or given back, within 10 s."""

import asyncio
import contextlib
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox import Message, SlackServer, Workspace
from memalign.records import Json
from storage.database import Database
from tests.bot.bot_in_workspace import free_port, peopled
from tests.bot.cli.test_cli import ROOT, started
from tests.model_server import ModelServer, running_model_server
from tests.postgres_server import PostgresServer

LIMIT_SECONDS = 10.0
SETTINGS = """
[storage]
path = "store"
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[sampling]
rate = 1.0
max_per_day = 10000
[ingest]
port = {port}
[[judges]]
name = "politeness"
channel = "{channel}"
model = "openai:/m"
instructions = "Is the answer polite? {{{{ inputs }}}} {{{{ outputs }}}}"
"""


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Observations of a process between SIGTERM and its end."""

    seconds: float
    code: int
    readiness: list[int]
    """Statuses of `/readyz`, in turn, while it answered."""
    why: str


class Deployment:
    """Slack, a model and a folder, on which one process after the other runs."""

    def __init__(self, folder: Path, slack: SlackServer, models: ModelServer, database_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url
        self.slack = slack
        self.models = models
        self.port = free_port()
        self.process: Process | None = None

    async def start(self) -> Process:
        env = {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": self.models.base_url,
            "MEMALIGN_DATABASE_URL": self.database_url,
        }
        self.process = await started(self.folder, "run", env=env)
        while await self.readiness() != (200, ""):
            assert self.process.returncode is None
            await asyncio.sleep(0.05)
        return self.process

    async def readiness(self) -> tuple[int, str]:
        """Status and reasons; 0 where nobody answers."""
        try:
            status, document = await self._ask("GET", "/readyz")
        except (aiohttp.ClientError, OSError):
            return 0, ""
        return status, " ".join(document["why"])

    async def send(self, trace_id: str) -> int:
        body = {"trace_id": trace_id, "inputs": "Can you help?", "outputs": "Go away."}
        return (await self._ask("POST", "/traces", body))[0]

    async def _ask(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}", json=body) as answer,
        ):
            return answer.status, await answer.json()

    async def stop(self) -> Stop:
        """Send SIGTERM, and look at it every 50 ms until it has ended."""
        assert self.process is not None
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        seen: list[tuple[int, str]] = []
        while self.process.returncode is None and time.monotonic() - start < 2 * LIMIT_SECONDS:
            seen.append(await self.readiness())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.process.wait()), 0.05)
        seconds = time.monotonic() - start
        answers = [each for each in seen if each[0]]
        return Stop(
            seconds=seconds,
            code=await self.process.wait(),
            readiness=[status for status, _ in answers],
            why=" ".join(dict.fromkeys(why for _, why in answers)),
        )

    async def waiting(self) -> int:
        """Count the traces that wait in the store of a process that has ended."""
        async with await Database.open(self.folder / "store") as database:
            return await database.traces.waiting()

    def cards(self) -> list[Message]:
        return [
            message
            for channel in self.slack.workspace.channels
            for message in self.slack.workspace.messages(channel)
            if "verdict_id" in (message.metadata or {}).get("event_payload", {})
        ]

    async def until(self, look: Callable[[], bool]) -> None:
        """Wait until something is true; fail where the process has ended before."""
        assert self.process is not None
        while not look():
            assert self.process.returncode is None
            await asyncio.sleep(0.02)


@pytest.fixture
async def deployment(tmp_path: Path, models: ModelServer) -> AsyncIterator[Deployment]:
    workspace, _, _, channel = peopled(Workspace())
    async with SlackServer(workspace) as slack:
        here = Deployment(tmp_path, slack, models)
        settings = SETTINGS.format(port=here.port, channel=channel.id)
        (tmp_path / "memalign.toml").write_text(settings, encoding="utf-8")
        try:
            async with asyncio.timeout(120):
                yield here
        finally:
            if here.process is not None and here.process.returncode is None:
                here.process.kill()
                await here.process.wait()


def assert_graceful(stop: Stop) -> None:
    # a process that does not end in time by itself ends with another code
    assert stop.code == 0
    # from the first no on it stays so, and balancers have time to see it
    first = stop.readiness.index(503)
    assert set(stop.readiness[first:]) == {503}
    assert len(stop.readiness) - first > 5
    assert "the bot is being stopped" in stop.why


async def test_a_verdict_in_hand_is_finished_and_shown_by_the_next_process(
    deployment: Deployment, models: ModelServer
) -> None:
    await deployment.start()
    models.chat_seconds = 2.5
    await deployment.send("tr-1")
    await deployment.until(lambda: len(models.of("chat")) == 1)
    assert_graceful(await deployment.stop())
    assert await deployment.waiting() == 0
    await deployment.start()
    await deployment.until(lambda: len(deployment.cards()) == 1)
    assert_graceful(await deployment.stop())
    assert (len(deployment.cards()), len(models.of("chat"))) == (1, 1)


async def test_a_verdict_that_takes_too_long_is_given_back(
    deployment: Deployment, models: ModelServer
) -> None:
    await deployment.start()
    models.chat_seconds = 60
    await deployment.send("tr-1")
    await deployment.until(lambda: len(models.of("chat")) == 1)
    stop = await deployment.stop()
    assert_graceful(stop)
    assert await deployment.waiting() == 1
    models.chat_seconds = 0
    await deployment.start()
    await deployment.until(lambda: len(deployment.cards()) == 1)
    assert_graceful(await deployment.stop())
    assert len(deployment.cards()) == 1


async def test_what_is_sent_meanwhile_is_taken_and_left_to_the_next_process(
    deployment: Deployment, models: ModelServer
) -> None:
    process = await deployment.start()
    process.send_signal(signal.SIGTERM)
    while (await deployment.readiness())[0] != 503:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    assert await deployment.send("tr-1") == 202
    assert await process.wait() == 0
    assert models.of("chat") == []
    await deployment.start()
    await deployment.until(lambda: len(deployment.cards()) == 1)
    assert len(models.of("chat")) == 1


async def test_nothing_in_hand_takes_no_longer_than_the_notice(deployment: Deployment) -> None:
    await deployment.start()
    stop = await deployment.stop()
    assert_graceful(stop)
    assert stop.seconds >= 2.0


async def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    code = (
        "import logging, threading, time\n"
        "from bot.cli.run import end_in_time\n"
        "logging.basicConfig()\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "end_in_time(0.2)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert b"it did not end in time" in err


async def test_replicas_on_a_database_are_replaced_in_turn_without_a_gap(
    tmp_path: Path, models: ModelServer, postgres_server: PostgresServer
) -> None:
    workspace, _, _, channel = peopled(Workspace())
    postgres_server.create_database("rollout")
    url = postgres_server.location("rollout").url
    models.chat_seconds = 0.3
    sent: list[str] = []
    async with SlackServer(workspace) as slack:
        replicas = [Deployment(tmp_path / name, slack, models, url) for name in "ab"]
        for replica in replicas:
            replica.folder.mkdir()
            settings = SETTINGS.format(port=replica.port, channel=channel.id)
            (replica.folder / "memalign.toml").write_text(settings, encoding="utf-8")
            await replica.start()

        is_over = asyncio.Event()

        async def send() -> None:
            """Send each trace to a replica that is ready, as a balancer does."""
            while not is_over.is_set():
                name = f"tr-{len(sent)}"
                ready = [each for each in replicas if (await each.readiness())[0] == 200]
                assert await ready[len(sent) % len(ready)].send(name) == 202
                sent.append(name)
                await asyncio.sleep(0.2)

        sending = asyncio.create_task(send())
        for replica in replicas:
            assert_graceful(await replica.stop())
            await replica.start()
        is_over.set()
        await sending
        await replicas[0].until(lambda: len(replicas[0].cards()) == len(sent))
        for replica in replicas:
            assert_graceful(await replica.stop())
    shown = [(card.metadata or {})["event_payload"]["trace_id"] for card in replicas[0].cards()]
    assert sorted(shown) == sorted(sent)
    assert len(models.of("chat")) == len(sent)
