"""`POST /slack/events`: Slack's events, commands and interactions in HTTP mode."""

import json
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bot.slack.dispatch import TIMESTAMP_HEADER, SlackDispatcher
from bot.slack.payload import MalformedPayloadError
from bot.slack.signature import SignatureCheck, check_signature
from bot.slack.signature_health import SignatureHealth
from bot.slack.slack_time import SlackTime
from bot.web.request_body import BodyReader
from bot.web.request_error import RequestError
from memalign.records import Json

MAX_SLACK_BODY = 4 * 1024 * 1024
"""Bytes; more than a modal with all it may hold."""
SLACK_BODY_SECONDS = 10.0
"""Slack itself gives up after 3 s."""
SIGNATURE_HEADER = "X-Slack-Signature"


class SlackEvents:
    """Checks size and signature, parses, and dispatches, in this order."""

    def __init__(
        self,
        dispatcher: SlackDispatcher,
        signing_secret: str,
        signature_health: SignatureHealth,
        slack_time: SlackTime,
    ) -> None:
        self._dispatcher = dispatcher
        self._signing_secret = signing_secret
        self._signature_health = signature_health
        self._slack_time = slack_time
        self._bodies = BodyReader(MAX_SLACK_BODY, seconds=SLACK_BODY_SECONDS)

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer a request of Slack's. Raises `RequestError`: 400, 401, 408 or 413."""
        try:
            payload = await self._read(request)
        except MalformedPayloadError as error:
            response = self._dispatcher.refuse(400, "payload", str(error))
        else:
            response = await self._dispatcher.dispatch(payload, dict(request.headers))
        return await to_aiohttp_response(response)

    async def _read(self, request: web.Request) -> Json:
        async with self._bodies.read(request) as body:
            check = self._check(request, body)
            if check == "wrong clock" and await self._slack_time.refresh():
                check = self._check(request, body)
            self._signature_health.report(check)
            if check != "valid":
                self._dispatcher.refusals[check] += 1
                raise RequestError(401, "Only requests that Slack signed within five minutes are taken.")
            return parse_payload(body, request.content_type)

    def _check(self, request: web.Request, body: bytes) -> SignatureCheck:
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        signature = request.headers.get(SIGNATURE_HEADER, "")
        now_seconds = self._slack_time.now_seconds()
        return check_signature(self._signing_secret, timestamp, signature, body, now_seconds)


def parse_payload(body: bytes, content_type: str) -> Json:
    """Return what a body says: JSON, a form with JSON in its field `payload`, or a form.

    Raises `MalformedPayloadError`.
    """
    try:
        text = body.decode("utf-8")
        if content_type == "application/json" or text.startswith("{"):
            return json.loads(text)
        form = dict(parse_qsl(text, keep_blank_values=True))
        return json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError) as error:
        raise MalformedPayloadError("The body is no JSON and no form of Slack's.") from error
