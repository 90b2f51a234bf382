"""A server that is told of events: it keeps all requests, and answers them as a test wants it to."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.local_server import LocalServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        """The id of a webhook's event."""
        return self.headers["webhook-id"]

    @property
    def document(self) -> Any:
        """The payload of a webhook."""
        return json.loads(self.body)

    @property
    def type(self) -> str:
        """The type of a webhook's event."""
        return str(self.document["type"])

    def is_signed_by(self, key: bytes) -> bool:
        """Return whether one of a webhook's signatures is made with the key."""
        content = f"{self.event_id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split(" ")


class EventServer:
    """One server, which listens on the same port again after a stop."""

    def __init__(self) -> None:
        self.requests: list[EventRequest] = []
        self.answer: Callable[[EventRequest], web.StreamResponse] = lambda _: web.Response(status=204)
        self.is_silent = False
        """True to keep requests and answer none."""
        self._server = LocalServer()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._server.url

    @property
    def types(self) -> list[str]:
        """The types of all events that arrived, in order."""
        return [request.type for request in self.requests]

    async def start(self) -> None:
        """Listen, the second time on the same port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        await self._server.start(app)

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        arrived = EventRequest(path=request.path, headers=headers, body=await request.read())
        self.requests.append(arrived)
        if self.is_silent:
            await asyncio.Event().wait()
        return self.answer(arrived)
