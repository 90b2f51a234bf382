"""Open connections: at most so many, none of which keeps a place without sending a request.

aiohttp has no deadline for the head of a request, and no limit of connections. A `GuardedConnection` stands between
the transport and aiohttp's protocol, and passes everything on.
"""

import asyncio
import logging
from collections import Counter
from typing import Literal, cast

from aiohttp import web

from bot.runtime.log_throttle import LogThrottle

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 200
MAX_SURPLUS = 50
"""Connections beyond them while all are busy: they are answered, `/healthz` truly and all else with 503."""
HEAD_SECONDS = 30.0
"""Time for the head of a request, and for a peer that does not read its answer."""
SURPLUS_SECONDS = 2.0
IDLE_SECONDS = 75.0
"""Time between two requests; longer than the 60 s after which common proxies close such a connection themselves."""
OVERLOADED = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

ClosingReason = Literal["deadline", "oldest", "surplus"]


class ConnectionTable:
    """The open connections, and those of them that wait for a request."""

    def __init__(
        self,
        *,
        max_open: int = MAX_CONNECTIONS,
        max_surplus: int = MAX_SURPLUS,
        head_seconds: float = HEAD_SECONDS,
    ) -> None:
        self._max_open = max_open
        self._max_surplus = max_surplus
        self.head_seconds = head_seconds
        self._open: set[GuardedConnection] = set()
        self._waiting: dict[GuardedConnection, None] = {}
        self._throttle = LogThrottle()
        self.closed: Counter[ClosingReason] = Counter()
        """Connections closed by this table, by reason, since the start."""

    @property
    def busy(self) -> int:
        """The number of connections whose request is in hand."""
        return len(self._open) - len(self._waiting)

    def make_place(self) -> bool:
        """Close the connection that has waited longest, if need be; return whether there is a place then."""
        if len(self._open) >= self._max_open and self._waiting:
            next(iter(self._waiting)).close("oldest")
        return len(self._open) < self._max_open

    def has_surplus_place(self) -> bool:
        """Return whether a connection beyond the limit can be told so by an HTTP answer."""
        return len(self._open) < self._max_open + self._max_surplus

    def add(self, connection: "GuardedConnection") -> None:
        """Count a connection as open and waiting."""
        self._open.add(connection)
        self._waiting[connection] = None

    def set_waiting(self, connection: "GuardedConnection") -> None:
        """Put a connection at the end of those that wait."""
        if connection in self._open:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def set_busy(self, connection: "GuardedConnection") -> None:
        """Keep the place of a connection whose request is in hand."""
        self._waiting.pop(connection, None)

    def remove(self, connection: "GuardedConnection") -> None:
        """Give up a place; a second call does nothing."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def count_closed(self, reason: ClosingReason) -> None:
        """Count a connection that is closed, and log it, one line a minute for each reason."""
        self.closed[reason] += 1
        left_out = self._throttle.admit(reason)
        if left_out is not None:
            log.warning("closed an HTTP connection (%s), %d more before", CLOSING_REASONS[reason], left_out)


CLOSING_REASONS: dict[ClosingReason, str] = {
    "deadline": "no request came in time, or the answer was not read",
    "oldest": "all places were taken, and it had waited longest without a request",
    "surplus": "all places were busy",
}


class GuardedConnection(asyncio.Protocol):
    """One connection, with the deadline of what is awaited from its peer."""

    def __init__(self, http: asyncio.Protocol, table: ConnectionTable) -> None:
        self._http = http
        self._table = table
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_idle = False
        self._is_passed_on = False
        self.is_surplus = False
        """True if it came while all places were busy."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or turn the peer away."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_surplus = not self._table.make_place()
        if self.is_surplus:
            self._table.count_closed("surplus")
        if self.is_surplus and not self._table.has_surplus_place():
            self._transport.write(OVERLOADED)
            self._transport.close()
            return
        self._is_passed_on = True
        self._table.add(self)
        self._await_peer(SURPLUS_SECONDS if self.is_surplus else self._table.head_seconds)
        self._http.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the place."""
        self._await_nothing()
        self._table.remove(self)
        if self._is_passed_on:
            self._http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on; the first ones of a further request start its deadline."""
        if self._is_idle:
            self._is_idle = False
            self._await_peer(self._table.head_seconds)
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on that the peer sends no more."""
        return self._http.eof_received() if self._is_passed_on else None

    def pause_writing(self) -> None:
        """Wait for a peer that does not read."""
        self._await_peer(self._table.head_seconds)
        if self._is_passed_on:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        """Wait no more for a peer that reads again."""
        self._await_nothing()
        if self._is_idle:
            self._await_peer(IDLE_SECONDS)
        self._http.resume_writing()

    def begin_request(self) -> None:
        """Note that a request's head is complete."""
        self._is_idle = False
        self._await_nothing()
        self._table.set_busy(self)

    def end_request(self) -> None:
        """Note that a request is answered."""
        self._is_idle = True
        self._await_peer(IDLE_SECONDS)
        self._table.set_waiting(self)

    def close(self, reason: ClosingReason) -> None:
        """Close the connection at once."""
        self._table.count_closed(reason)
        self._table.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _await_peer(self, seconds: float) -> None:
        self._await_nothing()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.close, "deadline")

    def _await_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def connection_of(request: web.BaseRequest) -> GuardedConnection | None:
    """Return the connection that a request came by; None once it is lost."""
    protocol = request.transport.get_protocol() if request.transport else None
    return protocol if isinstance(protocol, GuardedConnection) else None
