"""The embedded Slack as an HTTP server: Slack's API for the bot, the page for people, handles for tests."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.runtime.listening import start_listening, stop_listening
from bot.sandbox.delivery.dispatcher import Delivery, Dispatcher
from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.delivery.response_urls import Response, ResponseUrls
from bot.sandbox.delivery.signed_http import SignedHttp
from bot.sandbox.delivery.slack_events import DEFAULT_EVENTS
from bot.sandbox.delivery.socket_mode import SocketMode
from bot.sandbox.delivery.subscriptions import EventSubscriptions
from bot.sandbox.delivery.view_submission import Modals
from bot.sandbox.faults import Faults
from bot.sandbox.page.page_actions import DemoHook, PageActions
from bot.sandbox.page.page_server import PageServer, guard
from bot.sandbox.page.page_state import PageState
from bot.sandbox.web_api.context import DEFAULT_SCOPES, ApiContext
from bot.sandbox.web_api.credentials import Credentials
from bot.sandbox.web_api.dispatch import Call, Tokens, WebApi
from bot.sandbox.web_api.fault_injection import ApiFaults
from bot.sandbox.workspace.changes import EphemeralShown, WorkspaceChange
from bot.sandbox.workspace.records import Command, Ephemeral, Payload, View
from bot.sandbox.workspace.workspace import Workspace

MAX_BODY_BYTES = 64 * 2**20
"""Greatest size of a request; files are uploaded in one request."""


class SlackServer:
    """Serves one workspace on one port; the bot reaches it by `SLACK_API_URL` alone.

    Attributes:
        workspace: the state that is served, and what people do in it without the app.
        interactions: what people do to the app: commands, buttons, menus, shortcuts.
        modals: submitting and closing modals.
        faults: what tests let go wrong.
        ephemerals: every ephemeral message as it was shown, in order.

    Args:
        workspace: the workspace to serve.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        signing_secret: signs the requests of signed HTTP.
        bot_token: the token the Web API takes.
        app_token: the token that opens sockets.
        events_url: where events and interactions go as signed HTTP; without it they go over Socket Mode.
        commands: the slash commands of the app's manifest.
        shortcuts: the names of its message shortcuts, by callback id.
        scopes: the bot scopes of the manifest.
        subscribed: the events the manifest subscribes to.
        pace: least seconds between two posts of the app in a channel; None is no limit.
        retries: seconds before each repetition of an event, by default those of Slack.
        ack_timeout: seconds an acknowledgement may take, by default those of Slack.
        trigger_life: seconds a trigger id can be used, by default those of Slack.
        monotonic: the clock in seconds by which triggers and response URLs expire.
        on_demo: called with the name of the demo's button somebody pressed on the page.

    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - of no use outside the sandbox
        bot_token: str = "xoxb-sandbox",  # noqa: S107 - of no use outside the sandbox
        app_token: str = "xapp-sandbox",  # noqa: S107 - of no use outside the sandbox
        events_url: str | None = None,
        commands: Iterable[str | Command] = ("/memalign",),
        shortcuts: Mapping[str, str] | None = None,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        subscribed: Iterable[str] = DEFAULT_EVENTS,
        pace: float | None = None,
        retries: Sequence[float] = (0.0, 60.0, 300.0),
        ack_timeout: float = 3.0,
        trigger_life: float = 3.0,
        monotonic: Callable[[], float] = time.monotonic,
        on_demo: DemoHook | None = None,
    ) -> None:
        self.workspace = workspace
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.events_url = events_url
        self.ephemerals: list[Ephemeral] = []
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._unlisten: Callable[[], None] | None = None
        manifest_commands = _by_name(commands)
        manifest_scopes = frozenset(scopes)
        self._socket_mode = SocketMode(workspace.app_id, ack_timeout)
        self._signed_http = SignedHttp(events_url, signing_secret, ack_timeout) if events_url else None
        self._dispatcher = Dispatcher(self._signed_http or self._socket_mode, retries)
        self._subscriptions = EventSubscriptions(workspace, manifest_scopes, frozenset(subscribed))
        context = ApiContext(
            workspace=workspace,
            credentials=Credentials(monotonic, trigger_life),
            scopes=manifest_scopes,
            base_url=lambda: self.url,
            issue_ticket=self._socket_mode.issue_ticket,
            pace=pace,
        )
        self._api_faults = ApiFaults()
        self.faults = Faults(self._api_faults, self._dispatcher, self._socket_mode, context.unknown_blocks)
        self._web_api = WebApi(context, Tokens(bot=bot_token, app=app_token), self._api_faults)
        self._response_urls = ResponseUrls(context)
        self.interactions = Interactions(
            context, self._dispatcher, self._response_urls, manifest_commands, shortcuts or {}
        )
        self.modals = Modals(context, self.interactions)
        self._page_state = PageState(workspace, manifest_commands, shortcuts or {})
        actions = PageActions(workspace, self.interactions, self.modals, on_demo)
        self._page_server = PageServer(workspace, self._page_state, actions)

    @property
    def url(self) -> str:
        """The server's address, `http://host:port`; the port is known once it is started."""
        host = "127.0.0.1" if self._host in {"", "0.0.0.0", "::"} else self._host  # noqa: S104 - not binding
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def api_url(self) -> str:
        """The address for `SLACK_API_URL`."""
        return f"{self.url}/api/"

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [
                *self._web_api.routes(),
                *self._response_urls.routes(),
                *self._page_server.routes(),
                web.get("/link/", self._socket_mode.serve),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._listener = await start_listening(self._runner, self._host, self._port)
        self._port = self._listener.sockets[0].getsockname()[1]
        self._unlisten = self.workspace.listen(self._on_change)

    async def stop(self) -> None:
        """Stop listening and cancel deliveries that are under way."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        self._api_faults.release_all()
        await self._dispatcher.stop()
        await self._socket_mode.disconnect("link_disabled", announce=False)
        await self._page_server.close()
        if self._listener is not None:
            await stop_listening(self._listener)
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def calls(self) -> list[Call]:
        """Every Web API call, in order."""
        return self._web_api.calls

    @property
    def responses(self) -> list[Response]:
        """Everything sent to response addresses, in order."""
        return self._response_urls.sent

    @property
    def deliveries(self) -> list[Delivery]:
        """Every event, command and interaction, in order."""
        return self._dispatcher.deliveries

    @property
    def connections(self) -> int:
        """The number of sockets the bot has open."""
        return self._socket_mode.connections

    def views(self, user_id: str) -> list[View]:
        """List the modals on a person's screen, bottom first."""
        return self.workspace.person_views.modals(user_id)

    def home(self, user_id: str) -> View | None:
        """Return the home tab published for a person, or None."""
        return self.workspace.person_views.home(user_id)

    async def connected(self) -> None:
        """Wait until the bot has a socket open."""
        await self._socket_mode.wait_connected()

    async def settled(self, timeout: float = 60.0) -> None:
        """Wait until every event is acknowledged or given up; raises TimeoutError after `timeout` seconds."""
        await self._dispatcher.settled(timeout)

    async def verify_address(self) -> bool:
        """Try `url_verification` against the events address; False when the app fails it."""
        if self._signed_http is None:
            raise RuntimeError("the sandbox was started without an events_url")
        return await self._signed_http.verify_address()

    @property
    def demo(self) -> Payload | None:
        """The demo's part of the page, or None."""
        return self._page_state.demo

    def set_demo(self, demo: Payload) -> None:
        """Replace the demo's part of every open page."""
        self._page_state.demo = demo
        self._page_server.push_to_all({"type": "demo", "demo": demo})

    def _on_change(self, change: WorkspaceChange) -> None:
        self._page_server.on_change(change)
        if isinstance(change, EphemeralShown):
            self.ephemerals.append(Ephemeral.of(change.message))
        for callback in self._subscriptions.callbacks(change):
            self._dispatcher.send_event(callback)


def _by_name(commands: Iterable[str | Command]) -> dict[str, Command]:
    declared = [Command(command=command) if isinstance(command, str) else command for command in commands]
    return {command.command: command for command in declared}
