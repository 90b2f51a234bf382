"""A small workspace with a real Bolt app in it: what most sandbox tests start from."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Channel, Command, SlackServer, User, Workspace
from bot.sandbox.records import Payload

COMMAND = Command(command="/memalign", description="What the judge has learned", usage_hint="[guidelines]")
SHORTCUTS: Mapping[str, str] = {"correct": "Correct this verdict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running server, ana and ben in #politeness, and a client with the bot's token."""

    workspace: Workspace
    server: SlackServer
    ana: User
    ben: User
    channel: Channel
    client: AsyncWebClient


@dataclass(slots=True, kw_only=True)
class Heard:
    """What a recording Bolt app heard."""

    events: list[Payload] = field(default_factory=list)

    def of(self, kind: str) -> list[Payload]:
        return [event for event in self.events if event["type"] == kind]


@asynccontextmanager
async def opened(server: SlackServer) -> AsyncIterator[Scene]:
    workspace = server.workspace
    ana = workspace.add_user("ana", real_name="Ana Ruiz")
    ben = workspace.add_user("ben")
    channel = workspace.add_channel("politeness", members=[ana.id, ben.id])
    async with server:
        client = AsyncWebClient(token=server.bot_token, base_url=server.api_url)
        yield Scene(workspace=workspace, server=server, ana=ana, ben=ben, channel=channel, client=client)


def bolt_app(scene: Scene) -> AsyncApp:
    return AsyncApp(client=scene.client, signing_secret=scene.server.signing_secret)


def recording_app(scene: Scene) -> tuple[AsyncApp, Heard]:
    app, heard = bolt_app(scene), Heard()

    async def record(event: Payload) -> None:
        heard.events.append(event)

    for name in ("message", "reaction_added", "reaction_removed", "app_home_opened", "member_joined_channel"):
        app.event(name)(record)
    return app, heard


@asynccontextmanager
async def connected(scene: Scene, app: AsyncApp) -> AsyncIterator[None]:
    client = AsyncWebClient(token=scene.server.app_token, base_url=scene.server.api_url)
    handler = AsyncSocketModeHandler(app, scene.server.app_token, web_client=client, ping_interval=0.1)
    await handler.connect_async()
    await scene.server.connected()
    try:
        yield
    finally:
        await handler.close_async()
