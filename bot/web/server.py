"""The bot's one HTTP server: traces in, health and metrics out, Slack's events in HTTP mode."""

import asyncio
import logging
import os

from aiohttp import web

from bot.config import IngestSettings
from bot.runtime.health import log_bug
from bot.runtime.listening import stop_listening
from bot.web.connections import (
    IDLE_SECONDS,
    ConnectionTable,
    GuardedConnection,
    connection_of,
)
from bot.web.local_control import LocalControl
from bot.web.middleware import count_requests, end_connections
from bot.web.request_error import RequestError
from bot.web.request_log import request_logger
from bot.web.routes import RETRY_AFTER_SECONDS, Handler, Routes
from memalign.errors import SettingsError, StorageError
from memalign.models.address import is_loopback

log = logging.getLogger(__name__)

ENDPOINTS = {
    "POST /traces": "takes traces to be judged",
    "POST /v1/traces": "takes traces of OpenTelemetry",
    "GET /healthz": "tells that the bot is alive",
    "GET /readyz": "tells whether it can work, and what waits",
    "GET /metrics": "has figures for Prometheus",
    "POST /slack/events": "takes Slack's events in HTTP mode",
}
"""The requests of applications and people, as `GET /` names them."""
BACKLOG = 128
"""Connections that the system holds until they are taken."""


@web.middleware
async def _guard_connection(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep the connection's place while a request is in hand; beyond the limit only say that the bot is alive."""
    connection = connection_of(request)
    if connection is None:
        return await handler(request)
    connection.begin_request()
    try:
        if not connection.is_surplus:
            return await handler(request)
        if request.path != "/healthz":
            return RequestError(503, "Too many connections are open.", retry_after=5).response()
        response = await handler(request)
        response.force_close()
        return response
    finally:
        connection.end_request()


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        sentence = f"There is nothing at {request.path}; see the endpoints."
        return web.json_response({"error": sentence, "endpoints": ENDPOINTS}, status=404)
    except web.HTTPMethodNotAllowed as error:
        methods = sorted(error.allowed_methods)
        sentence = f"{request.path} takes {' or '.join(methods)}, not {request.method}."
        return web.json_response(
            {"error": sentence, "endpoints": ENDPOINTS}, status=405, headers={"Allow": ", ".join(methods)}
        )
    except web.HTTPException:
        raise
    except RequestError as error:
        return error.response()
    except StorageError as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        return web.json_response(
            {"error": str(error)}, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
        )
    except Exception:
        error_id = log_bug(f"{request.method} {request.path}")
        return web.json_response(
            {"error": f"Something went wrong (error {error_id}); see the bot's log."}, status=500
        )


async def _name_endpoints(_: web.Request) -> web.StreamResponse:
    """`GET /`."""
    return web.json_response({"name": "memalign", "endpoints": ENDPOINTS})


class Server:
    """Listens on `[ingest]` host and port."""

    def __init__(
        self,
        settings: IngestSettings,
        routes: Routes,
        control: LocalControl,
        connections: ConnectionTable,
    ) -> None:
        if not is_loopback(settings.host) and not routes.token:
            raise SettingsError(
                f"[ingest] host is {settings.host}, which others can reach: set MEMALIGN_INGEST_TOKEN, "
                'or use host = "127.0.0.1".'
            )
        self._settings = settings
        self._control = control
        self._connections = connections
        self._runner = web.AppRunner(
            _application(routes),
            access_log=None,
            shutdown_timeout=3,
            keepalive_timeout=IDLE_SECONDS,
            auto_decompress=False,  # see `bot.web.content_encoding`
            logger=request_logger(),
        )
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises `SettingsError` when the address cannot be had."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(
                self._connection, self._settings.host, self._settings.port, backlog=BACKLOG
            )
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(
                f"Cannot listen on {self._settings.host} port {self._settings.port} "
                f"({os.strerror(error.errno or 0).lower()}); "
                "stop what uses it, or choose another [ingest] port."
            ) from error
        self._control.write_endpoint_file(self._settings.host, self._port)

    def _connection(self) -> GuardedConnection:
        server = self._runner.server
        if server is None:  # pragma: no cover - it is set up before anybody connects
            raise RuntimeError("the server is not set up")
        return GuardedConnection(server(), self._connections)

    @property
    def url(self) -> str:
        """The server's address."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{self._port}"

    @property
    def _port(self) -> int:
        """The port listened on; the system's choice where the setting is 0."""
        if self._listener is None:
            return self._settings.port
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Finish the requests in hand, then listen no more."""
        self._control.remove_endpoint_file()
        if self._listener is not None:
            await stop_listening(self._listener)
        await self._runner.cleanup()


def _application(routes: Routes) -> web.Application:
    around = [count_requests(routes.activity), end_connections(routes.status)]
    app = web.Application(middlewares=[*around, _guard_connection, _answer_errors])
    app.add_routes(
        [
            web.get("/", _name_endpoints),
            web.post("/traces", routes.take_traces),
            web.post("/v1/traces", routes.take_spans),
            web.get("/healthz", routes.healthz),
            web.get("/readyz", routes.readyz),
            web.get("/metrics", routes.metrics),
            web.post("/slack/events", routes.slack_events),
            web.post("/forget", routes.forget),
            web.post("/guideline", routes.guideline),
            web.post("/memory", routes.memory),
        ]
    )
    return app
