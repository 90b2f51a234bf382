"""The embedded workspace as a server: Slack's side for the bot, people's for the page and tests."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.sandbox.delivery.dispatcher import Delivery, Dispatcher
from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.delivery.response_urls import Response, Responses
from bot.sandbox.delivery.signed_http import SignedHttp
from bot.sandbox.delivery.slack_events import DEFAULT_EVENTS
from bot.sandbox.delivery.socket_mode import SocketMode
from bot.sandbox.delivery.subscriptions import EventStream
from bot.sandbox.delivery.view_submission import Forms
from bot.sandbox.page.page_actions import DemoHook, PageActions
from bot.sandbox.page.page_server import People, guard
from bot.sandbox.page.page_state import PageState
from bot.sandbox.web_api.context import DEFAULT_SCOPES, ApiContext
from bot.sandbox.web_api.credentials import Credentials
from bot.sandbox.web_api.dispatch import Call, Tokens, WebApi
from bot.sandbox.web_api.fault_injection import Fault, Faults, Hold
from bot.sandbox.workspace.changes import EphemeralShown, FeedbackEvent
from bot.sandbox.workspace.records import Command, Message, Payload, View
from bot.sandbox.workspace.workspace import Workspace

MAX_BODY = 64 * 2**20
"""Bytes of one request: files are uploaded whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """An ephemeral message as `user` saw it at some moment."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: list[Payload] | None
    thread_ts: str | None


class SlackServer:
    """Serves one workspace on one port; the bot reaches it by `SLACK_API_URL` alone.

    With `events_url` events and interactions go there as signed HTTP, without it over Socket Mode. `retries`
    are the seconds before each repetition of an event, `ack_timeout` and `trigger_life` are seconds as well;
    `pace` is the least time in seconds between two posts in a channel (None: no limit). `commands` and
    `shortcuts` (message shortcuts, name by callback id), `scopes` and `subscribed` events are what the app's
    manifest declares.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - of no use outside the sandbox
        bot_token: str = "xoxb-sandbox",  # noqa: S107
        app_token: str = "xapp-sandbox",  # noqa: S107
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
        granted = frozenset(scopes)
        self._host = host
        self._port = port
        self._events = EventStream(workspace, granted, frozenset(subscribed))
        self._runner: web.AppRunner | None = None
        self._unlisten: Callable[[], None] | None = None
        self._socket_mode = SocketMode(workspace.app_id, ack_timeout)
        self._http = SignedHttp(events_url, signing_secret, ack_timeout) if events_url else None
        self._courier = Dispatcher(self._http or self._socket_mode, retries)
        self._faults = Faults()
        self._desk = ApiContext(
            workspace=workspace,
            grants=Credentials(monotonic, trigger_life),
            scopes=granted,
            base_url=lambda: self.url,
            issue_ticket=self._socket_mode.issue_ticket,
            pace=pace,
        )
        self._web_api = WebApi(self._desk, Tokens(bot=bot_token, app=app_token), self._faults)
        self._responses = Responses(self._desk)
        known = [Command(command=one) if isinstance(one, str) else one for one in commands]
        by_name = {one.command: one for one in known}
        self._interactions = Interactions(
            self._desk, self._courier, self._responses, by_name, shortcuts or {}
        )
        self._forms = Forms(self._desk, self._interactions)
        self._portraits = PageState(workspace, by_name, shortcuts or {})
        acts = PageActions(workspace, self._interactions, self._forms, on_demo)
        self._people = People(workspace, self._portraits, acts)

    # --- its life

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
        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY)
        app.add_routes(
            [
                *self._web_api.routes(),
                *self._responses.routes(),
                *self._people.routes(),
                web.get("/link/", self._socket_mode.serve),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._unlisten = self.workspace.listen(self._on_fact)

    async def stop(self) -> None:
        """Stop listening and give up what was not delivered."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        self._faults.release_all()
        await self._courier.stop()
        await self._socket_mode.disconnect("link_disabled", announce=False)
        await self._people.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- what the bot did

    @property
    def calls(self) -> list[Call]:
        """Every Web API call, in order."""
        return self._web_api.calls

    @property
    def responses(self) -> list[Response]:
        """Everything sent to response addresses, in order."""
        return self._responses.sent

    @property
    def deliveries(self) -> list[Delivery]:
        """Every event, command and interaction, in order."""
        return self._courier.deliveries

    @property
    def connections(self) -> int:
        """How many sockets the bot has open."""
        return self._socket_mode.connections

    def views(self, user_id: str) -> list[View]:
        """List the modals on a person's screen, bottom first."""
        return self.workspace.surfaces.stack(user_id)

    def home(self, user_id: str) -> View | None:
        """Return the home tab published for a person, or None."""
        return self.workspace.surfaces.home(user_id)

    async def connected(self) -> None:
        """Wait until the bot has a socket open."""
        await self._socket_mode.wait_connected()

    async def settled(self, timeout: float = 60.0) -> None:
        """Wait until every event is acknowledged or given up; raises TimeoutError after `timeout` seconds."""
        await self._courier.settled(timeout)

    # --- what people do to the app

    async def command(
        self, user_id: str, channel_id: str, command: str, text: str = "", thread_ts: str | None = None
    ) -> Payload:
        """Type a slash command; returns what its acknowledgement carried. Raises Refused or TimedOut."""
        return await self._interactions.command(user_id, channel_id, command, text, thread_ts)

    async def click(
        self,
        user_id: str,
        channel_id: str,
        ts: str,
        action_id: str,
        value: object = None,
        *,
        block_id: str | None = None,
    ) -> Payload:
        """Press or choose in a message (`value` names the choice). Raises Refused or TimedOut."""
        return await self._interactions.click(user_id, channel_id, ts, action_id, block_id, value)

    async def view_click(
        self, user_id: str, view_id: str, action_id: str, value: object = None, *, block_id: str | None = None
    ) -> Payload:
        """Press or choose in a modal or the home tab. Raises Refused or TimedOut."""
        return await self._interactions.view_click(user_id, view_id, action_id, block_id, value)

    async def shortcut(self, user_id: str, channel_id: str, ts: str, callback_id: str) -> Payload:
        """Use a message shortcut. Raises Refused or TimedOut."""
        return await self._interactions.shortcut(user_id, channel_id, ts, callback_id)

    async def submit(self, user_id: str, view_id: str, values: Payload) -> Payload:
        """Fill in and submit a modal; returns the app's response. Raises Refused or TimedOut."""
        return await self._forms.submit(user_id, view_id, values)

    async def close(self, user_id: str, view_id: str) -> None:
        """Close the uppermost modal. Raises Refused or TimedOut."""
        await self._forms.close(user_id, view_id)

    async def open_home(self, user_id: str) -> None:
        """Look at the app's home tab."""
        self.workspace.open_home(user_id)

    # --- trouble on demand

    def fail_next(
        self,
        method: str,
        *,
        status: int = 200,
        error: str | None = None,
        retry_after: int | None = None,
        lost: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next `times` calls of a method go wrong; see Fault for how."""
        fault = Fault(status=status, error=error, retry_after=retry_after, lost=lost)
        self._faults.fail_next(method, fault, times)

    def hold(self, method: str) -> Hold:
        """Keep the answers of a method back, after they took effect, until the hold is released."""
        return self._faults.hold(method)

    def drop_acks(self, count: int) -> None:
        """Lose the next `count` acknowledgements."""
        self._courier.drop_acks(count)

    def redeliver_last(self) -> None:
        """Deliver the last event once more, under the same event id."""
        self._courier.redeliver_last()

    async def disconnect(self, reason: str = "refresh_requested", *, announce: bool = True) -> None:
        """Close the bot's sockets, announced or (`announce=False`) by surprise; `warning` only announces."""
        await self._socket_mode.disconnect(reason, announce=announce)

    async def verify_address(self) -> bool:
        """Try `url_verification` against the events address; False when the app fails it."""
        if self._http is None:
            raise RuntimeError("the sandbox was started without an events_url")
        return await self._http.verify_address()

    # --- the demo's own part of the page

    @property
    def demo(self) -> Payload | None:
        """What the page shows of the demo, or None."""
        return self._portraits.demo

    def set_demo(self, demo: Payload) -> None:
        """Show this of the demo on every page."""
        self._portraits.demo = demo
        self._people.push_to_all({"type": "demo", "demo": demo})

    def _on_fact(self, fact: FeedbackEvent) -> None:
        self._people.on_fact(fact)
        if isinstance(fact, EphemeralShown):
            self.ephemerals.append(_ephemeral(fact.message))
        for callback in self._events.callbacks(fact):
            self._courier.send_event(callback)


def _ephemeral(message: Message) -> Ephemeral:
    return Ephemeral(
        channel=message.channel,
        user=message.only_for or "",
        ts=message.ts,
        text=message.text,
        blocks=message.blocks,
        thread_ts=message.thread_ts,
    )
