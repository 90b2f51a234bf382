"""Clients of OpenAI's SDK, one for each endpoint."""

from functools import lru_cache
from typing import Any

from httpx2 import Request, Response
from openai import AsyncAzureOpenAI, AsyncOpenAI, DefaultAioHttpClient, Timeout

from memalign.event_loop import call_in_forked_child, close_at_exit
from memalign.models.bounded_answer import read_bounded
from memalign.models.deadline import CONNECT_SECONDS
from memalign.models.endpoint import Endpoint

MAX_CLIENTS = 64
"""Clients kept open; more endpoints than this are connected anew from call to call. Set by hand."""


class _BoundedOpenAIClient(DefaultAioHttpClient):
    """Of the SDK's two HTTP clients the one that takes less time where many calls run at once, with bounded answers."""

    async def send(self, request: Request, *, stream: bool = False, **options: Any) -> Response:
        del stream
        return await read_bounded(await super().send(request, stream=True, **options))


@lru_cache(maxsize=MAX_CLIENTS)
def client_of(endpoint: Endpoint) -> AsyncOpenAI:
    """Connect to an endpoint; the same client for the same endpoint.

    Args:
        endpoint: Of a server that speaks like OpenAI.

    Returns:
        The SDK's client, which makes no retries of its own. Only for use on the private loop.
    """
    client = _azure_client(endpoint, endpoint.api_version) if endpoint.api_version else _client(endpoint)
    close_at_exit(client.close)
    return client


call_in_forked_child(client_of.cache_clear)


def _client(endpoint: Endpoint) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=endpoint.key,
        base_url=endpoint.base_url,
        default_headers=dict(endpoint.headers),
        timeout=Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
        http_client=_BoundedOpenAIClient(follow_redirects=False),
    )


def _azure_client(endpoint: Endpoint, version: str) -> AsyncOpenAI:
    return AsyncAzureOpenAI(
        api_key=endpoint.key,
        base_url=endpoint.base_url or "",
        api_version=version,
        default_headers=dict(endpoint.headers),
        timeout=Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
        http_client=_BoundedOpenAIClient(follow_redirects=False),
    )
