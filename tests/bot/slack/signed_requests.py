"""Requests in Slack's name, signed as Slack signs them, or not."""

import hashlib
import hmac
import io
import json
import time
import urllib.parse
from collections.abc import Mapping

import aiohttp

from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def signature_headers(body: bytes, secret: str, timestamp: str | None = None) -> dict[str, str]:
    """Return the headers that sign a body now, or at a timestamp."""
    stamp = str(int(time.time())) if timestamp is None else timestamp
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}


async def post_body(url: str, body: bytes, headers: Mapping[str, str], kind: str = JSON) -> tuple[int, str]:
    """POST a body to `/slack/events`; return status and answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/slack/events", data=io.BytesIO(body), headers={"Content-Type": kind, **headers}
        ) as answer,
    ):
        return answer.status, await answer.text()


async def post_signed(harness: BotInWorkspace, body: bytes, kind: str = JSON) -> int:
    """POST a signed body; return the status."""
    headers = signature_headers(body, harness.slack.signing_secret)
    return (await post_body(harness.bot.url, body, headers, kind))[0]


async def post_event(harness: BotInWorkspace, event: Json, **more: Json) -> int:
    """POST a signed event; return the status."""
    envelope = {"type": "event_callback", "event_id": "Ev1", "event": event, **more}
    return await post_signed(harness, json.dumps(envelope).encode())


async def post_interaction(harness: BotInWorkspace, payload: Json) -> int:
    """POST a signed interaction; return the status."""
    return await post_signed(harness, urllib.parse.urlencode({"payload": json.dumps(payload)}).encode(), FORM)


async def post_command(harness: BotInWorkspace, **fields: str) -> int:
    """POST a signed slash command; return the status."""
    return await post_signed(harness, urllib.parse.urlencode(fields).encode(), FORM)
