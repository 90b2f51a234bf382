"""Small fakes, and what the use cases of the bot are tested on without a whole bot."""

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientConnectionError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SlackClient
from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackCall:
    """A call of the Web API."""

    method: str
    params: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the Web API; `data` is the body, read as JSON."""

    data: Json
    status: int = 200
    retry_after: int | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The call takes effect, and the connection breaks before the answer."""


UNREADABLE = SlackApiError("unreadable", SimpleNamespace(status=200, headers={}))  # type: ignore[no-untyped-call]
"""Content type JSON, and a body that is none: slack_sdk passes aiohttp's response on."""
CUT = ClientConnectionError("connection cut")
MAX_WAIT_SECONDS = 120.0
"""Longest wait for a state, however busy the machine is; then the test fails and says what it saw."""
ODD_ANSWERS: dict[str, Answer | Exception] = {
    "200 JSON that is none": UNREADABLE,
    "200 list": Answer(data=["oops"]),
    "200 empty list": Answer(data=[]),
    "200 null": Answer(data=None),
    "200 text": Answer(data="oops"),
    "200 page": Answer(data={}),
    "200 failed without a code": Answer(data={"ok": False}),
    "500 page": Answer(data={}, status=500),
    "connection cut": CUT,
}
"""By name: what a Slack that is out of order may answer to any call."""


def refusal(code: str, status: int = 200, retry_after: int | None = None) -> Answer:
    """Slack's refusal by a code."""
    return Answer(data={"ok": False, "error": code}, status=status, retry_after=retry_after)


class Transport(AsyncWebClient):
    """Answers calls from a queue a method, then as a Slack that works; remembers the calls."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-fake")
        self.calls: list[SlackCall] = []
        self.answers: defaultdict[str, deque[Answer | Exception | Lost]] = defaultdict(deque)
        self.messages: list[Json] = []
        """All that was posted, newest last."""
        self.reactions: list[Json] = []
        self.outsiders: set[str] = set()
        """People who are in no channel; everybody else whom the bot looked up is in all of them."""
        self.thread: list[Json] = []
        """Replies under any card."""

    def of(self, method: str) -> list[Json]:
        """The arguments of the calls of a method."""
        return [call.params for call in self.calls if call.method == method]

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        del http_verb
        method = api_url.rpartition("/")[2]
        params = {**(req_args.get("params") or {}), **(req_args.get("json") or {})}
        self.calls.append(SlackCall(method=method, params=params))
        queue = self.answers[method]
        answer = queue.popleft() if queue else None
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Answer):
            usual = self._usual(method, params)
            if answer is not None:
                raise CUT
            answer = Answer(data={"ok": True, **usual})
        told = {"Retry-After": answer.retry_after, "Date": answer.date}
        headers = {name: str(value) for name, value in told.items() if value is not None}
        return {"data": answer.data, "headers": headers, "status_code": answer.status}

    def _usual(self, method: str, params: Json) -> Json:
        match method:
            case "chat.postMessage":
                ts = f"{1_700_000_000 + len(self.messages)}.000100"
                author = {"bot_id": "BOURS", "app_id": "AOURS"}
                metadata = _decoded(params.get("metadata"))
                self.messages.append({**params, **author, "ts": ts, "metadata": metadata})
                return {"ts": ts, "channel": params["channel"]}
            case "conversations.history":
                return {
                    "messages": [
                        message for message in self.messages if message["channel"] == params["channel"]
                    ]
                }
            case "conversations.replies":
                in_thread = [message for message in self.messages if message.get("thread_ts") == params["ts"]]
                return {"messages": [{"ts": params["ts"]}, *in_thread, *self.thread]}
            case "reactions.get":
                return {"message": {"ts": params["timestamp"], "reactions": self.reactions}}
            case "auth.test":
                return {"team_id": "TOURS", "user_id": "UOURS", "bot_id": "BOURS"}
            case "bots.info":
                return {"bot": {"id": "BOURS", "app_id": "AOURS"}}
            case "users.info":
                return {"user": {"id": params["user"], "real_name": params["user"].title()}}
            case "conversations.members":
                people = {call["user"] for call in self.of("users.info")}
                return {"members": sorted(people - self.outsiders)}
            case "chat.getPermalink":
                return {"permalink": f"https://slack.test/{params['channel']}/{params['message_ts']}"}
            case _:
                return {}


class FakeSlack(SlackClient, Transport):
    """The bot's Web API client over the fake transport."""

    def __init__(self) -> None:
        Transport.__init__(self)


def _decoded(metadata: Json) -> Json:
    return json.loads(metadata) if isinstance(metadata, str) else metadata


class Wakes:
    """A callback that counts its calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@asynccontextmanager
async def running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a background part while the context is open; what it raises is raised."""

    async def part() -> None:
        await run()

    task = asyncio.create_task(part())
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(
    look: Callable[[], Awaitable[object] | object], part: asyncio.Task[None] | None = None
) -> None:
    """Wait until `look` returns something true; when the running part fails first, its error is raised."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        result = look()
        if await result if isinstance(result, Awaitable) else result:
            return
        if part is not None and part.done():
            await part
            raise AssertionError("the part has ended")
        assert time.monotonic() < deadline, f"not within {MAX_WAIT_SECONDS} s: {look} returned {result!r}"
        await asyncio.sleep(0.002)
