"""A small workspace with a real Bolt app in it: what most sandbox tests start from."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Channel, Command, SlackServer, User, Workspace
from bot.sandbox.workspace.records import Payload

COMMAND = Command(command="/memalign", description="What the judge has learned", usage_hint="[guidelines]")
SHORTCUTS: Mapping[str, str] = {"correct": "Correct this verdict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running server, ana and ben in #politeness, and a client with the bot's token."""

    workspace: Workspace
    server: SlackServer
    ana: User
    ben: User
    channel: Channel
    client: AsyncWebClient


@dataclass(slots=True, kw_only=True)
class RecordedEvents:
    """The events that a recording Bolt app got."""

    events: list[Payload] = field(default_factory=list)

    def of(self, kind: str) -> list[Payload]:
        return [event for event in self.events if event["type"] == kind]


@asynccontextmanager
async def opened(server: SlackServer) -> AsyncIterator[Sandbox]:
    workspace = server.workspace
    ana = workspace.add_user("ana", real_name="Ana Ruiz")
    ben = workspace.add_user("ben")
    channel = workspace.add_channel("politeness", members=[ana.id, ben.id])
    async with server:
        client = AsyncWebClient(token=server.bot_token, base_url=server.api_url)
        yield Sandbox(workspace=workspace, server=server, ana=ana, ben=ben, channel=channel, client=client)


def bolt_app(sandbox: Sandbox) -> AsyncApp:
    return AsyncApp(client=sandbox.client, signing_secret=sandbox.server.signing_secret)


def recording_app(sandbox: Sandbox) -> tuple[AsyncApp, RecordedEvents]:
    app, recorded = bolt_app(sandbox), RecordedEvents()

    async def record(event: Payload) -> None:
        recorded.events.append(event)

    for name in ("message", "reaction_added", "reaction_removed", "app_home_opened", "member_joined_channel"):
        app.event(name)(record)
    return app, recorded


@asynccontextmanager
async def connected(sandbox: Sandbox, app: AsyncApp) -> AsyncIterator[None]:
    client = AsyncWebClient(token=sandbox.server.app_token, base_url=sandbox.server.api_url)
    handler = AsyncSocketModeHandler(app, sandbox.server.app_token, web_client=client)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await sandbox.server.connected()
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


async def until(condition: Callable[[], object]) -> None:
    """Wait for what happens in the background; fails after a minute."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a condition over anybody's state has no event to wait for
            await asyncio.sleep(0.001)


async def refusal(call: Awaitable[object]) -> str:
    """Return the error code of a Web API call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def section(text: str = "hello", **more: object) -> Payload:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "go", **more: object) -> Payload:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Go"}, **more}


def actions(*elements: Payload) -> Payload:
    return {"type": "actions", "block_id": "acts", "elements": list(elements)}


def menu(*values: str, **more: object) -> Payload:
    options = [{"text": {"type": "plain_text", "text": value.upper()}, "value": value} for value in values]
    return {"type": "static_select", "action_id": "pick", "options": options, **more}


def field_block(block_id: str = "why", **more: object) -> Payload:
    element = {"type": "plain_text_input", "action_id": "text", **more}
    label = {"type": "plain_text", "text": "Why?"}
    return {"type": "input", "block_id": block_id, "label": label, "element": element}


def modal(*blocks: Payload, **more: object) -> Payload:
    submit_text = {"type": "plain_text", "text": "Send"}
    title = {"type": "plain_text", "text": "Why?"}
    return {
        "type": "modal",
        "title": title,
        "submit": submit_text,
        "blocks": list(blocks) or [field_block()],
        **more,
    }
