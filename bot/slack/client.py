"""Clients of Slack's Web API."""

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import Secrets
from memalign.surrogates import replace_surrogates


class SlackClient(AsyncWebClient):
    """A Web API client for which every unreadable answer is a `SlackApiError`.

    slack_sdk reads `.get` of whatever the body holds, so that a list, a number or plain text would end in an
    `AttributeError` that no caller can tell from a mistake of its own.
    """

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await super()._request(
            http_verb=http_verb, api_url=api_url, req_args=req_args
        )
        if isinstance(answer["data"], dict):
            return {**answer, "data": replace_surrogates(answer["data"])}
        response = AsyncSlackResponse(
            client=self,
            http_verb=http_verb,
            api_url=api_url,
            req_args=req_args,
            data={},
            headers=answer["headers"],
            status_code=answer["status_code"],
        )
        raise SlackApiError("Slack's answer is no JSON object.", response)  # type: ignore[no-untyped-call] # slack_sdk gives no types here


def patient_client(secrets: Secrets) -> SlackClient:
    """Return a client that repeats a call after a lost connection, a rate limit or a server error."""
    return SlackClient(
        token=secrets.bot_token,
        base_url=secrets.api_url,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )


def single_try_client(secrets: Secrets) -> SlackClient:
    """Return a client that never repeats a call by itself: a repeated post could be a second card."""
    return SlackClient(token=secrets.bot_token, base_url=secrets.api_url, retry_handlers=[])
