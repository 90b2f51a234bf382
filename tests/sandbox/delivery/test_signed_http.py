import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from bot.sandbox import AckTimeoutError, SlackServer, Workspace
from bot.sandbox.workspace.records import Payload
from tests.local_server import LocalServer
from tests.sandbox.bolt_app import COMMAND, Sandbox, actions, bolt_app, button, opened, until


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    address = f"http://127.0.0.1:{_free_port()}/slack/events"
    server = SlackServer(
        Workspace(), events_url=address, commands=[COMMAND], retries=(0.0, 0.01), ack_timeout=60
    )
    async with opened(server) as ready:
        yield ready


@asynccontextmanager
async def listening(sandbox: Sandbox, app: AsyncApp) -> AsyncIterator[None]:
    server = LocalServer(_port(sandbox))
    await server.start(app.web_app("/slack/events", _port(sandbox)))
    try:
        yield
    finally:
        await server.stop()


def _port(sandbox: Sandbox) -> int:
    return int(sandbox.server.events_url.split(":")[2].split("/")[0]) if sandbox.server.events_url else 0


async def test_events_commands_and_presses_arrive_signed(sandbox: Sandbox) -> None:
    app = bolt_app(sandbox)
    recorded: list[Payload] = []

    @app.event("message")
    async def on_message(event: Payload) -> None:
        recorded.append(event)

    @app.command("/memalign")
    async def on_command(ack: Any, command: Payload) -> None:
        await ack(f"you said {command['text']}")

    @app.action("go")
    async def on_press(ack: Any, body: Payload) -> None:
        await ack()
        recorded.append(body)

    async with listening(sandbox, app):
        assert await sandbox.server.verify_address()
        posted = await sandbox.client.chat_postMessage(
            channel=sandbox.channel.id, text="card", blocks=[actions(button(value="ü & <1>"))]
        )
        sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "grüße")
        await sandbox.server.settled()
        await sandbox.server.interactions.command(
            sandbox.ana.id, sandbox.channel.id, "/memalign", "help & more"
        )
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, posted["ts"], "go")
        await until(lambda: len(recorded) == 2)
    assert recorded[0]["text"] == "grüße"
    assert recorded[1]["actions"][0]["value"] == "ü & <1>"
    assert [ephemeral.text for ephemeral in sandbox.server.ephemerals] == ["you said help &amp; more"]


async def test_a_wrong_signature_is_refused_by_the_app(sandbox: Sandbox) -> None:
    app = AsyncApp(client=sandbox.client, signing_secret="another")
    async with listening(sandbox, app):
        assert not await sandbox.server.verify_address()
        sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
        await sandbox.server.settled()
        with pytest.raises(AckTimeoutError):
            await sandbox.server.interactions.command(sandbox.ana.id, sandbox.channel.id, "/memalign")
    event, command = sandbox.server.deliveries
    assert (event.attempts, event.failure) == (3, "http_error")
    assert (command.attempts, command.failure) == (1, "http_error")


async def test_retries_are_numbered_and_stop_when_the_app_says_so(sandbox: Sandbox) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def refuse(request: web.Request) -> web.Response:
        headers = request.headers
        seen.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=503, headers={"X-Slack-No-Retry": "1"} if len(seen) == 2 else {})

    app = web.Application()
    app.router.add_post("/slack/events", refuse)
    server = LocalServer(_port(sandbox))
    await server.start(app)
    sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
    await sandbox.server.settled()
    await server.stop()
    assert seen == [(None, None), ("1", "http_error")]


async def test_an_app_that_is_away_fails_by_connection(sandbox: Sandbox) -> None:
    sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "hi")
    await sandbox.server.settled()
    assert [delivery.failure for delivery in sandbox.server.deliveries] == ["connection_failed"]
