"""The bot's one HTTP server: traces in, health and metrics out, Slack's events in HTTP mode."""

import hmac
import ipaddress
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from prometheus_client import generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from bot.config import IngestSettings
from bot.reports.status import StatusReport
from bot.runtime.health import log_bug
from bot.web.local_control import LocalControl
from bot.web.metrics import registry_of
from bot.web.request_log import request_logger
from memalign.errors import SettingsError, StorageError

log = logging.getLogger(__name__)
MAX_SLACK_BODY = 4 * 1024 * 1024
"""Bytes; more than a modal with all it may hold."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TraceIntake(Protocol):
    """Takes the traces of `POST /traces`; neither this package nor `bot.ingest` imports the other."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Traces received since the start, by outcome."""
        ...

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Store the traces of a request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The requests the server answers."""

    traces: TraceIntake
    status: StatusReport
    forget: Handler
    """Answers `POST /forget`, which `memalign forget` on this machine sends."""
    token: str
    """MEMALIGN_INGEST_TOKEN; empty: whoever reaches the server may send traces."""
    slack: AsyncApp | None
    """The app that takes Slack's signed requests; None in Socket Mode."""

    async def take_traces(self, request: web.Request) -> web.StreamResponse:
        """`POST /traces`."""
        if self.token and not has_bearer_token(request, self.token):
            return _error(401, "Send the header Authorization: Bearer with MEMALIGN_INGEST_TOKEN.")
        if not self.token and "Origin" in request.headers:
            return _error(403, "Web pages may not send traces while no MEMALIGN_INGEST_TOKEN is set.")
        return await self.traces.post(request)

    async def healthz(self, _: web.Request) -> web.StreamResponse:
        """`GET /healthz`: alive."""
        return web.json_response({"status": "alive"})

    async def readyz(self, _: web.Request) -> web.StreamResponse:
        """`GET /readyz`: connected and able to work, or why not; and what waits."""
        try:
            status = await self.status.read()
        except StorageError as error:
            return _not_ready(str(error))
        if not status.ready:
            unconnected = () if status.connected else ("not connected to Slack",)
            return _not_ready(*unconnected, *status.troubles)
        waiting = {
            "traces": status.traces_waiting,
            "feedback": status.feedback_waiting,
            "posts": status.posts_waiting,
        }
        return web.json_response({"status": "ready", "waiting": waiting, "why": list(status.troubles)})

    async def metrics(self, _: web.Request) -> web.StreamResponse:
        """`GET /metrics`: Prometheus text."""
        return web.Response(
            body=generate_latest(registry_of(await self.status.read(), self.traces.counts)),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def slack_events(self, request: web.Request) -> web.StreamResponse:
        """`POST /slack/events`: Slack's events, commands and interactions, signed."""
        if self.slack is None:
            return _error(404, "The bot is in Socket Mode; unset SLACK_APP_TOKEN for HTTP mode.")
        return await to_aiohttp_response(await self.slack.async_dispatch(await to_bolt_request(request)))


def has_bearer_token(request: web.Request, token: str) -> bool:
    """Return whether a request carries the token in its `Authorization` header."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def _not_ready(*reasons: str) -> web.Response:
    return web.json_response({"status": "not ready", "why": list(reasons)}, status=503)


def _error(status: int, error: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": error}, status=status, headers=headers)


@web.middleware
async def _log_bugs(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except StorageError as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        return _error(503, str(error), {"Retry-After": "30"})
    except Exception:
        error_id = log_bug(f"{request.method} {request.path}")
        return _error(500, f"Something went wrong (error {error_id}); see the bot's log.")


class Server:
    """Listens on `[ingest]` host and port."""

    def __init__(self, settings: IngestSettings, routes: Routes, control: LocalControl) -> None:
        if not is_loopback(settings.host) and not routes.token:
            raise SettingsError(
                f"[ingest] host is {settings.host}, which others can reach: set MEMALIGN_INGEST_TOKEN, "
                'or use host = "127.0.0.1".'
            )
        self._settings = settings
        self._control = control
        # what Slack sends keeps to Slack's limits, however small traces must be here
        app = web.Application(client_max_size=max(settings.max_body, MAX_SLACK_BODY), middlewares=[_log_bugs])
        app.add_routes(
            [
                web.post("/traces", routes.take_traces),
                web.get("/healthz", routes.healthz),
                web.get("/readyz", routes.readyz),
                web.get("/metrics", routes.metrics),
                web.post("/slack/events", routes.slack_events),
                web.post("/forget", routes.forget),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, logger=request_logger(), shutdown_timeout=3)

    async def start(self) -> None:
        """Listen. Raises `SettingsError` when the address cannot be had."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(
                f"Cannot listen on {self._settings.host} port {self._settings.port} "
                f"({os.strerror(error.errno or 0).lower()}); "
                "stop what uses it, or choose another [ingest] port."
            ) from error
        self._control.write_endpoint_file(self._settings.host, self._port)

    @property
    def url(self) -> str:
        """The server's address."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{self._port}"

    @property
    def _port(self) -> int:
        """The port listened on; the system's choice where the setting is 0."""
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Finish the requests in hand, then listen no more."""
        self._control.remove_endpoint_file()
        await self._runner.cleanup()
