"""Delivery by signed HTTP requests to the app's events URL, in place of Socket Mode."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.delivery.dispatcher import DeliveryError, Envelope
from bot.sandbox.workspace.records import Payload


class SignedHttp:
    """Sends envelopes as signed HTTP requests. `ack_timeout` is in seconds."""

    def __init__(self, address: str, signing_secret: str, ack_timeout: float) -> None:
        self._address = address
        self._secret = signing_secret.encode()
        self._timeout = aiohttp.ClientTimeout(total=ack_timeout)

    async def send(self, envelope: Envelope) -> Payload:
        """Send the envelope and return what the answer carried."""
        body, content_type = _body(envelope)
        headers = {"Content-Type": content_type}
        if envelope.retry_attempt:
            headers["X-Slack-Retry-Num"] = str(envelope.retry_attempt)
            headers["X-Slack-Retry-Reason"] = envelope.retry_reason or "unknown_error"
        return await self._post(body, headers)

    async def verify_address(self, challenge: str = "sandbox-challenge") -> bool:
        """Ask the app to prove that it listens there, as Slack does when a URL is entered."""
        body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "sandbox"})
        try:
            answer = await self._post(body, {"Content-Type": "application/json"})
        except DeliveryError:
            return False
        return challenge in {answer.get("challenge"), answer.get("text")}

    async def _post(self, body: str, headers: dict[str, str]) -> Payload:
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(
                    self._address, data=body.encode(), headers=self._signed(body, headers)
                ) as answer,
            ):
                text = await answer.text()
                if not 200 <= answer.status < 300:
                    raise DeliveryError("http_error", final=answer.headers.get("X-Slack-No-Retry") == "1")
                return _payload(text, answer.content_type)
        except TimeoutError as error:
            raise DeliveryError("http_timeout") from error
        except aiohttp.ClientError as error:
            raise DeliveryError("connection_failed") from error

    def _signed(self, body: str, headers: dict[str, str]) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signature = hmac.new(self._secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {**headers, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signature}"}


def _body(envelope: Envelope) -> tuple[str, str]:
    if envelope.type == "events_api":
        return json.dumps(envelope.payload), "application/json"
    fields = envelope.payload
    if envelope.type == "interactive":
        fields = {"payload": json.dumps(envelope.payload)}
    return urlencode(fields), "application/x-www-form-urlencoded"


def _payload(text: str, content_type: str) -> Payload:
    if not text.strip():
        return {}
    if content_type == "application/json":
        answer = json.loads(text)
        return answer if isinstance(answer, dict) else {}
    return {"text": text}
