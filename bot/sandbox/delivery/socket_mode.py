"""Socket Mode: tickets, connections, envelopes and their acknowledgements."""

import asyncio
import json
import secrets
from itertools import count

from aiohttp import WSMsgType, web

from bot.sandbox.delivery.dispatcher import DeliveryError, Envelope
from bot.sandbox.workspace.records import Payload

MAX_CONNECTIONS = 10
"""Greatest number of sockets an app may have open."""
HEARTBEAT_SECONDS = 10.0
"""Seconds between pings; a client that does not answer them is disconnected."""


class SocketMode:
    """Sends envelopes over the app's WebSockets in turn. `ack_timeout` is in seconds."""

    def __init__(self, app_id: str, ack_timeout: float) -> None:
        self._app_id = app_id
        self._ack_timeout = ack_timeout
        self._tickets: set[str] = set()
        self._sockets: list[web.WebSocketResponse] = []
        self._round_robin = count()
        self._connected = asyncio.Event()
        self._pending: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Payload]]] = {}

    @property
    def connections(self) -> int:
        """The number of open sockets."""
        return len(self._sockets)

    def issue_ticket(self) -> str:
        """Return a new ticket, with which one socket can be opened."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def wait_connected(self) -> None:
        """Wait until a socket is open."""
        await self._connected.wait()

    async def send(self, envelope: Envelope) -> Payload:
        """Send the envelope over one of the sockets and wait for its acknowledgement."""
        try:
            async with asyncio.timeout(self._ack_timeout):
                await self._connected.wait()
                socket = self._sockets[next(self._round_robin) % len(self._sockets)]
                return await self._exchange(socket, envelope)
        except TimeoutError as error:
            raise DeliveryError("timeout") from error

    async def _exchange(self, socket: web.WebSocketResponse, envelope: Envelope) -> Payload:
        acknowledged: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._pending[envelope.id] = (socket, acknowledged)
        try:
            await socket.send_json(_frame(envelope))
            return await acknowledged
        except ConnectionError as error:
            raise DeliveryError("timeout") from error
        finally:
            del self._pending[envelope.id]

    async def disconnect(self, reason: str, *, announce: bool = True) -> None:
        """Announce a disconnect (unless `announce` is False) and close every socket; `warning` only announces."""
        for socket in list(self._sockets):
            if announce:
                await socket.send_json(
                    {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
                )
            if reason != "warning":
                await socket.close()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket of the app for as long as it is open."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="This ticket is unknown or was used; open a new connection.")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        if len(self._sockets) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
            await socket.close()
            return socket
        await self._receive_frames(socket)
        return socket

    async def _receive_frames(self, socket: web.WebSocketResponse) -> None:
        self._sockets.append(socket)
        try:
            await socket.send_json(self._hello())
            self._connected.set()
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(frame.data)
        finally:
            self._remove(socket)

    def _hello(self) -> Payload:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 3600},
        }

    def _acknowledge(self, text: str) -> None:
        answer = json.loads(text)
        _, acknowledged = self._pending.get(answer.get("envelope_id"), (None, None))
        if acknowledged is not None and not acknowledged.done():
            payload = answer.get("payload")
            acknowledged.set_result(payload if isinstance(payload, dict) else {})

    def _remove(self, socket: web.WebSocketResponse) -> None:
        self._sockets.remove(socket)
        if not self._sockets:
            self._connected.clear()
        for owner, acknowledged in self._pending.values():
            if owner is socket and not acknowledged.done():
                acknowledged.set_exception(
                    ConnectionResetError("the socket closed before the acknowledgement")
                )


def _frame(envelope: Envelope) -> Payload:
    frame: Payload = {
        "envelope_id": envelope.id,
        "type": envelope.type,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.type != "events_api",
    }
    if envelope.type == "events_api":
        frame |= {"retry_attempt": envelope.retry_attempt, "retry_reason": envelope.retry_reason or ""}
    return frame
