"""Response addresses: what the app answers to a command or an interaction."""

import json
from dataclasses import dataclass, replace

from aiohttp import web

from bot.sandbox.web_api.chat import new_message, with_ids
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.credentials import Reply
from bot.sandbox.web_api.message_rules import Draft, draft, require_content
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Message, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the app sent to a response address; `error` is Slack's code when it was refused."""

    user: str | None
    channel: str | None
    body: Payload
    error: str | None


class Responses:
    """Serves `/response/{name}`; `sent` keeps everything sent there, in order."""

    def __init__(self, context: ApiContext) -> None:
        self.sent: list[Response] = []
        self._desk = context

    def routes(self) -> list[web.RouteDef]:
        """List what the server has to route here."""
        return [web.post("/response/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except json.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        reply: Reply | None = None
        error: str | None = None
        try:
            reply = self._desk.grants.spend_reply(request.match_info["name"])
            self.apply(reply, body)
        except Refused as refused:
            error = refused.code
        where = {"user": reply.user, "channel": reply.channel} if reply else {"user": None, "channel": None}
        self.sent.append(Response(**where, body=body, error=error))
        if error is None:
            return web.Response(text="ok")
        return web.json_response({"ok": False, "error": error}, status=404 if reply is None else 400)

    def apply(self, reply: Reply, body: Payload) -> None:
        """Show what the app answered: a new message, or one in place of the original.

        Raises:
            Refused: with Slack's code for what is wrong with the message.

        """
        original = self._original(reply)
        if body.get("delete_original") and original is not None:
            self._remove(original)
            return
        content = draft(body.get("text"), body.get("blocks"), body.get("attachments"), body.get("metadata"))
        require_content(content)
        if body.get("replace_original") and original is not None:
            self._replace(original, content)
        else:
            self._add(reply, content, body)

    def _original(self, reply: Reply) -> Message | None:
        """Return the message the interaction was about, if the app may replace it."""
        if reply.ts is None:
            return None
        if reply.ephemeral:
            return self._desk.workspace.surfaces.ephemeral(reply.user, reply.ts)
        message = self._desk.workspace.log.get(reply.channel, reply.ts)
        return message if message is not None and message.user == self._desk.workspace.bot.id else None

    def _remove(self, original: Message) -> None:
        if original.only_for is not None:
            self._desk.workspace.surfaces.hide(original)
        else:
            self._desk.workspace.withdraw(original)

    def _replace(self, original: Message, content: Draft) -> None:
        changed = replace(
            original,
            text=content.text or "",
            blocks=with_ids(self._desk, content.blocks),
            attachments=content.attachments,
        )
        if original.only_for is not None:
            self._desk.workspace.surfaces.show(changed)
        else:
            self._desk.workspace.amend(changed)

    def _add(self, reply: Reply, content: Draft, body: Payload) -> None:
        thread_ts = body.get("thread_ts")
        message = new_message(self._desk, reply.channel, content, thread_ts=thread_ts)
        if body.get("response_type") == "in_channel":
            self._desk.workspace.publish(message)
        else:
            self._desk.workspace.surfaces.show(replace(message, only_for=reply.user, metadata=None))
