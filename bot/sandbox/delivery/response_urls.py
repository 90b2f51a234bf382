"""Response URLs, through which the app answers a command or an interaction."""

import json
from dataclasses import dataclass, replace

from aiohttp import web

from bot.sandbox.web_api.chat import new_message, with_ids
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.credentials import ResponseUrl
from bot.sandbox.web_api.message_rules import MessageContent, message_content, require_content
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Message, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A request of the app to a response URL; `error` is Slack's code when it was refused."""

    user: str | None
    channel: str | None
    body: Payload
    error: str | None


class ResponseUrls:
    """Serves `/response/{name}`; `sent` records every request, in order."""

    def __init__(self, context: ApiContext) -> None:
        self.sent: list[Response] = []
        self._context = context

    def routes(self) -> list[web.RouteDef]:
        """List the routes to serve."""
        return [web.post("/response/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except json.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        response_url: ResponseUrl | None = None
        error: str | None = None
        try:
            response_url = self._context.credentials.use_response_url(request.match_info["name"])
            self.apply(response_url, body)
        except SlackError as slack_error:
            error = slack_error.code
        self.sent.append(
            Response(
                user=response_url.user if response_url else None,
                channel=response_url.channel if response_url else None,
                body=body,
                error=error,
            )
        )
        if error is None:
            return web.Response(text="ok")
        return web.json_response({"ok": False, "error": error}, status=400 if response_url else 404)

    def apply(self, response_url: ResponseUrl, body: Payload) -> None:
        """Show the app's answer: a new message, or one in place of the original.

        Raises:
            SlackError: with Slack's code for what is wrong with the message.

        """
        original = self._original(response_url)
        if body.get("delete_original") and original is not None:
            self._remove(original)
            return
        content = message_content(
            body.get("text"),
            body.get("blocks"),
            body.get("attachments"),
            body.get("metadata"),
            self._context.unknown_blocks,
        )
        require_content(content)
        if body.get("replace_original") and original is not None:
            self._replace(original, content)
        else:
            self._add(response_url, content, body)

    def _original(self, response_url: ResponseUrl) -> Message | None:
        """Return the message of the interaction, if the app may replace it."""
        if response_url.ts is None:
            return None
        if response_url.ephemeral:
            return self._context.workspace.person_views.ephemeral(response_url.user, response_url.ts)
        message = self._context.workspace.log.get(response_url.channel, response_url.ts)
        return message if message is not None and message.user == self._context.workspace.bot.id else None

    def _remove(self, original: Message) -> None:
        if original.only_for is not None:
            self._context.workspace.person_views.hide(original)
        else:
            self._context.workspace.delete_message(original)

    def _replace(self, original: Message, content: MessageContent) -> None:
        changed = replace(
            original,
            text=content.text or "",
            blocks=with_ids(self._context, content.blocks),
            attachments=content.attachments,
        )
        if original.only_for is not None:
            self._context.workspace.person_views.show(changed)
        else:
            self._context.workspace.update_message(changed)

    def _add(self, response_url: ResponseUrl, content: MessageContent, body: Payload) -> None:
        thread_ts = body.get("thread_ts")
        message = new_message(self._context, response_url.channel, content, thread_ts=thread_ts)
        if body.get("response_type") == "in_channel":
            self._context.workspace.add_message(message)
        else:
            self._context.workspace.person_views.show(
                replace(message, only_for=response_url.user, metadata=None)
            )
