"""HTTP for the page: its files, the workspace as one person sees it, and the actions of that person.

It serves browsers on this machine only: `guard` refuses requests that a foreign web page could cause.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.page.page_actions import PageActions
from bot.sandbox.page.page_state import PageState
from bot.sandbox.workspace.changes import WorkspaceChange
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_RequestHandler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


PAGE_PARTS = {
    "blocks.css": "text/css",
    "charts.js": "text/javascript",
    "context_actions.js": "text/javascript",
    "first_steps.js": "text/javascript",
    "rich_text.js": "text/javascript",
    "tables.js": "text/javascript",
}
"""The files that page.html loads, with their content types."""


@web.middleware
async def guard(request: web.Request, handler: _RequestHandler) -> web.StreamResponse:
    """Refuse requests under a foreign host name, or from another web page."""
    if _host_name(request.host) not in _LOOPBACK:
        return web.Response(
            status=403, text="The sandbox answers on this machine only; open it as http://localhost."
        )
    origin = request.headers.get("Origin")
    if origin not in {None, f"http://{request.host}", f"https://{request.host}"}:
        return web.Response(status=403, text="The sandbox takes no requests from other web pages.")
    return await handler(request)


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class PageServer:
    """Serves the page, its state, its actions, and a socket that pushes changes to it."""

    def __init__(self, workspace: Workspace, page_state: PageState, actions: PageActions) -> None:
        self._workspace = workspace
        self._page_state = page_state
        self._actions = actions
        self._queues: dict[web.WebSocketResponse, tuple[str, asyncio.Queue[Payload]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """List the routes to serve."""
        return [
            web.get("/", self._page),
            web.get("/page/{part}", self._part),
            web.get("/people/state", self._state),
            web.get("/people/socket", self._socket),
            web.get("/people/files/{file}", self._file),
            web.post("/people/act", self._act),
        ]

    def on_change(self, change: WorkspaceChange) -> None:
        """Push a change to the pages of everyone who can see it."""
        for user_id, queue in self._queues.values():
            for push in self._page_state.pushes(change, user_id):
                queue.put_nowait(push)

    def push_to_all(self, push: Payload) -> None:
        """Push something to every open page."""
        for _, queue in self._queues.values():
            queue.put_nowait(push)

    async def close(self) -> None:
        """Close the sockets of all pages."""
        for socket in list(self._queues):
            await socket.close()

    async def _page(self, request: web.Request) -> web.Response:
        del request
        return _page_file("page.html", "text/html")

    async def _part(self, request: web.Request) -> web.Response:
        part = request.match_info["part"]
        content_type = PAGE_PARTS.get(part)
        if content_type is None:
            return web.Response(status=404, text="The page of the sandbox has no such part.")
        return _page_file(part, content_type)

    async def _state(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(
                self._page_state.state(self._workspace.user(request.query.get("user", "")).id)
            )
        except SlackError as error:
            return _refusal(error, 404)

    def _person_id(self, request: web.Request) -> str:
        """Return the id of the page's person: the one the request names, else the first in the workspace."""
        people = [user.id for user in self._workspace.users.values() if not user.is_bot]
        return self._workspace.user(request.query.get("user") or next(iter(people), "")).id

    async def _file(self, request: web.Request) -> web.Response:
        try:
            file = self._workspace.files.get(request.match_info["file"])
        except SlackError as error:
            return _refusal(error, 404)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.content or b"", content_type=file.mimetype, headers=headers)

    async def _act(self, request: web.Request) -> web.Response:
        try:
            if request.content_type != "application/json":
                raise SlackError("invalid_request", "Send JSON, with the content type application/json.")
            body = json.loads(await request.text())
            if not isinstance(body, dict):
                raise SlackError("invalid_request", "Send a JSON object.")
            return web.json_response({"ok": True, **await self._actions.perform(body)})
        except json.JSONDecodeError:
            return _refusal(SlackError("invalid_request", "This is no JSON."), 400)
        except SlackError as error:
            return _refusal(error, 200)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            user_id = self._person_id(request)
        except SlackError as error:
            return _refusal(error, 404)
        socket = web.WebSocketResponse(heartbeat=30)
        queue: asyncio.Queue[Payload] = asyncio.Queue()
        self._queues[socket] = (user_id, queue)
        await socket.prepare(request)
        writer = asyncio.create_task(_write(socket, queue))
        try:
            async for _ in socket:
                pass  # pages only listen
        finally:
            del self._queues[socket]
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket


async def _write(socket: web.WebSocketResponse, queue: asyncio.Queue[Payload]) -> None:
    while True:
        push = await queue.get()
        try:
            await socket.send_json(push)
        except ConnectionError:
            return  # the page is gone; its reader notices and cleans up


def _page_file(name: str, content_type: str) -> web.Response:
    file = files("bot.sandbox.page").joinpath(name)
    if not file.is_file():
        return web.Response(
            status=404, text="This installation lacks the page of the sandbox; install it again."
        )
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=file.read_text(encoding="utf-8"), content_type=content_type, headers=headers)


def _refusal(error: SlackError, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": error.sentence}, status=status)
