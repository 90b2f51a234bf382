"""Socket Mode: envelopes in, acknowledgements out."""

import time

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.dispatch import SlackDispatcher
from memalign.records import Json


class SocketModeReceiver(AsyncSocketModeHandler):
    """Acknowledges what was handled, and what nobody could handle; Slack sends again what failed here."""

    def __init__(
        self, app: AsyncApp, app_token: str, web_client: AsyncWebClient, dispatcher: SlackDispatcher
    ) -> None:
        super().__init__(app, app_token, web_client=web_client)
        self._dispatcher = dispatcher
        self.client.message_listeners.append(self._ignore_malformed)

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Dispatch an envelope's payload."""
        start = time.time()
        headers = {name: str(value) for name, value in (build_headers(req) or {}).items()}
        response = await self._dispatcher.dispatch(req.payload, headers)
        if 400 <= response.status < 500:
            response = BoltResponse(status=200)
        await send_async_response(client, req, response, start)

    async def _ignore_malformed(
        self, client: AsyncBaseSocketModeClient, message: dict[str, Json], _: str | None
    ) -> None:
        """Acknowledge an envelope whose payload slack_sdk does not take."""
        envelope_id = message.get("envelope_id")
        if isinstance(envelope_id, str) and not isinstance(message.get("payload"), dict | str):
            self._dispatcher.refuse(400, "payload", "An envelope has no payload.")
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=envelope_id))
