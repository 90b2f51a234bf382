"""Slack's Web API over HTTP: tokens, scopes, arguments, answers, and injected faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.web_api import chat as chat_methods
from bot.sandbox.web_api import conversations as conversation_methods
from bot.sandbox.web_api import files as file_methods
from bot.sandbox.web_api import identity as identity_methods
from bot.sandbox.web_api import reactions as reaction_methods
from bot.sandbox.web_api import views as view_methods
from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.fault_injection import ApiFaults, Fault
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload

METHODS: Mapping[str, Method] = {
    **identity_methods.METHODS,
    **chat_methods.METHODS,
    **conversation_methods.METHODS,
    **reaction_methods.METHODS,
    **view_methods.METHODS,
    **file_methods.METHODS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A Web API call as it was made and answered; `error` is "lost" when the answer never left."""

    method: str
    params: Payload
    status: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The two tokens of the app."""

    bot: str
    app: str


class WebApi:
    """Serves `/api/{method}` and the upload address; `calls` records every call, in order."""

    def __init__(self, context: ApiContext, tokens: Tokens, faults: ApiFaults) -> None:
        self.calls: list[Call] = []
        self._context = context
        self._tokens = tokens
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """List the routes to serve."""
        return [
            web.get("/api/{method}", self._serve),
            web.post("/api/{method}", self._serve),
            web.post("/upload/v1/{file}", self._upload),
        ]

    async def _serve(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        fault = self._faults.take(name)
        params, token = await _read(request)
        if fault is not None and not fault.lost:
            return self._faulty_response(name, params, fault)
        answer = self._answer(name, params, token)
        status = 429 if answer.get("error") == "ratelimited" else 200
        self._record(name, params, status, "lost" if fault else answer.get("error"))
        if fault is not None and request.transport is not None:
            request.transport.abort()
        passed = self._faults.holding(name)
        if passed is not None:
            await passed()
        return self._response(answer, status, answer.pop("retry_after", None))

    def _answer(self, name: str, params: Payload | SlackError, token: str | None) -> Payload:
        try:
            if isinstance(params, SlackError):
                raise params
            method = METHODS.get(name)
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            self._check_token(method, token)
            self._context.require_scope(*method.scopes)
            return {"ok": True, **method.handler(self._context, Arguments(params))}
        except SlackError as slack_error:
            return {"ok": False, "error": slack_error.code, **slack_error.details}

    def _check_token(self, method: Method, token: str | None) -> None:
        if method.token == "none":  # noqa: S105 - a kind of token, not one
            return
        if token is None:
            raise SlackError("not_authed")
        if token not in {self._tokens.bot, self._tokens.app}:
            raise SlackError("invalid_auth")
        if token != (self._tokens.app if method.token == "app" else self._tokens.bot):  # noqa: S105
            raise SlackError("not_allowed_token_type")

    def _faulty_response(self, name: str, params: Payload | SlackError, fault: Fault) -> web.Response:
        error = "ratelimited" if fault.status == 429 else fault.error or "internal_error"
        self._record(name, params, fault.status, error)
        if fault.body is not None:
            return web.Response(status=fault.status, text=fault.body, content_type=fault.content_type)
        if fault.status >= 500:
            return web.Response(
                status=fault.status, text="<html>Server Error</html>", content_type="text/html"
            )
        return self._response({"ok": False, "error": error}, fault.status, fault.retry_after)

    def _response(self, answer: Payload, status: int, retry_after: int | None) -> web.Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self._context.scopes))}
        if status == 429:
            headers["Retry-After"] = str(retry_after or 1)
        return web.json_response(answer, status=status, headers=headers)

    def _record(self, name: str, params: Payload | SlackError, status: int, error: str | None) -> None:
        arguments = {} if isinstance(params, SlackError) else params
        self.calls.append(Call(method=name, params=arguments, status=status, error=error))

    async def _upload(self, request: web.Request) -> web.Response:
        content = await _uploaded_bytes(request)
        try:
            file = self._context.workspace.files.get(request.match_info["file"])
        except SlackError:
            return web.Response(status=404, text="no such upload")
        if file.content is not None:
            return web.Response(status=400, text="uploaded before")
        self._context.workspace.files.upload(file.id, content)
        return web.Response(text=f"OK - {len(content)}")


async def _read(request: web.Request) -> tuple[Payload | SlackError, str | None]:
    """Return a call's arguments, or the error why they cannot be read, and its token."""
    params: Payload = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except json.JSONDecodeError:
            return SlackError("invalid_json"), _bearer(request)
        if not isinstance(body, dict):
            return SlackError("json_not_object"), _bearer(request)
        params |= body
    elif request.method == "POST":
        params |= dict(await request.post())
    written = params.pop("token", None)
    return params, _bearer(request) or (written if isinstance(written, str) else None)


def _bearer(request: web.Request) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" else None


async def _uploaded_bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
        return part.encode() if isinstance(part, str) else bytes(part)
    return b""
