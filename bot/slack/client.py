"""Clients of Slack's Web API."""

import asyncio
from collections.abc import Mapping, Sequence
from copy import copy
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientTimeout, TraceConfig
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import Secrets
from bot.runtime.reference_clock import ReferenceClock
from bot.slack.bounded_response import BoundedResponse
from bot.slack.errors import translated_errors
from memalign.surrogates import replace_surrogates

CALL_SECONDS = 30.0
"""Time limit of one call, with its retries and their pauses."""
LONGEST_PAUSE_SECONDS = 5.0
"""Longest pause before a retry; where Slack asks for a longer one, the call fails and its caller waits."""


class BoundedClient(AsyncWebClient):
    """slack_sdk's client, but its calls end in time, with an answer that is a JSON object, or in an error of its own.

    slack_sdk limits the time of an attempt but not of a call, and not the size of an answer; and it reads `.get`
    of whatever the body holds, so that a list, a number or plain text would end in an `AttributeError` that no
    caller can tell from a mistake of its own.
    """

    call_seconds: float = CALL_SECONDS
    trace_configs: Sequence[TraceConfig] = ()
    """Of each session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = ReferenceClock()
        """Slack's, by its answers."""

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        call = {"http_verb": http_verb, "api_url": api_url, "req_args": req_args}
        try:
            answer = await self._answer(call)
        except (RecursionError, ValueError) as error:  # nested without end, or no text in its own encoding
            raise self._unreadable(call, {}, 200) from error
        if not isinstance(answer["data"], dict):
            raise self._unreadable(call, answer["headers"], answer["status_code"])
        self._note_time(answer["headers"])
        return {**answer, "data": replace_surrogates(answer["data"])}

    def _note_time(self, headers: Mapping[str, Any]) -> None:
        try:
            date = parsedate_to_datetime(str(headers.get("Date")))
        except ValueError:
            return
        self.clock.note(int(date.timestamp() * 1000))

    async def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        async with (
            asyncio.timeout(self.call_seconds),
            ClientSession(
                response_class=BoundedResponse,
                timeout=ClientTimeout(total=self.timeout),
                trace_configs=list(self.trace_configs),
            ) as session,
        ):
            client = copy(self)  # one session a call, as slack_sdk has it; calls at once must not share it
            client.session = session
            answer: dict[str, Any] = await super(BoundedClient, client)._request(**call)
            return answer

    def _unreadable(self, call: dict[str, Any], headers: Any, status: int) -> SlackApiError:
        response = AsyncSlackResponse(client=self, **call, data={}, headers=headers, status_code=status)
        # slack_sdk gives its errors no types
        return SlackApiError("Slack's answer is no JSON object.", response)  # type: ignore[no-untyped-call]


class SlackClient(BoundedClient):
    """The client of all our own calls. Raises `SlackCallError`."""

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        call: dict[str, Any] = {"http_verb": http_verb, "api_url": api_url, "req_args": req_args}
        with translated_errors():
            answer = await super()._request(**call)
            # slack_sdk checks it as well, but later, and further pages in another place
            AsyncSlackResponse(client=self, **call, **answer).validate()  # type: ignore[no-untyped-call]
        return answer


class ShortRateLimitRetryHandler(AsyncRateLimitErrorRetryHandler):
    """Repeats a call after a rate limit, where the pause that Slack asks for is short."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        is_limited = await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        )
        return is_limited and response is not None and _pause_of(response) <= LONGEST_PAUSE_SECONDS


def _pause_of(response: HttpResponse) -> float:
    asked = {name.lower(): values[0] for name, values in response.headers.items() if values}
    try:
        return float(asked.get("retry-after", 0))
    except ValueError:
        return LONGEST_PAUSE_SECONDS + 1


Client = TypeVar("Client", bound=BoundedClient)


def patient_client(
    secrets: Secrets, call_seconds: float = CALL_SECONDS, *, trace_configs: Sequence[TraceConfig] = ()
) -> SlackClient:
    """Return a client that repeats a call after a lost connection, a short rate limit or a server error."""
    return _patient(SlackClient, secrets, call_seconds, trace_configs)


def socket_mode_client(secrets: Secrets, trace_configs: Sequence[TraceConfig] = ()) -> BoundedClient:
    """Return the same for slack_sdk's Socket Mode, which knows slack_sdk's own errors alone."""
    return _patient(BoundedClient, secrets, CALL_SECONDS, trace_configs)


def _patient(
    kind: type[Client], secrets: Secrets, call_seconds: float, trace_configs: Sequence[TraceConfig]
) -> Client:
    client = kind(
        token=secrets.bot_token,
        base_url=secrets.api_url,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            ShortRateLimitRetryHandler(max_retry_count=3),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )
    client.call_seconds = call_seconds
    client.trace_configs = trace_configs
    return client


def single_try_client(secrets: Secrets, *, trace_configs: Sequence[TraceConfig] = ()) -> SlackClient:
    """Return a client that never repeats a call by itself: a repeated post could be a second card."""
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, retry_handlers=[])
    client.trace_configs = trace_configs
    return client
