"""Clients of Anthropic's SDK, one for each endpoint: Anthropic's own service, Amazon Bedrock and Vertex AI."""

from functools import lru_cache
from typing import Any

from anthropic import (
    AsyncAnthropic,
    AsyncAnthropicBedrock,
    AsyncAnthropicVertex,
    DefaultAioHttpClient,
    Timeout,
)
from httpx2 import Request, Response

from memalign.errors import ModelRefusedError
from memalign.event_loop import call_in_forked_child, close_at_exit
from memalign.models.bounded_answer import read_bounded
from memalign.models.deadline import CONNECT_SECONDS
from memalign.models.endpoint import NO_KEY, Endpoint

MAX_CLIENTS = 64
"""Clients kept open; more endpoints than this are connected anew from call to call. Set by hand."""
Client = AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicVertex


class _BoundedAnthropicClient(DefaultAioHttpClient):
    """Of the SDK's two HTTP clients the one that takes less time where many calls run at once, with bounded answers."""

    async def send(self, request: Request, *, stream: bool = False, **options: Any) -> Response:
        del stream
        return await read_bounded(await super().send(request, stream=True, **options))


@lru_cache(maxsize=MAX_CLIENTS)
def client_of(endpoint: Endpoint) -> Client:
    """Connect to an endpoint; the same client for the same endpoint.

    Args:
        endpoint: Of a service that serves Anthropic's models, or speaks like theirs.

    Returns:
        The SDK's client, which makes no retries of its own. Only for use on the private loop.

    Raises:
        ModelRefusedError: If a cloud's region or project is not set.
    """
    try:
        client = _client(endpoint)
    except ValueError as error:
        region = "AWS_REGION" if endpoint.provider == "bedrock" else "CLOUD_ML_REGION"
        raise ModelRefusedError(
            f"{endpoint.provider}:/ needs the region that serves the model; set {region}."
        ) from error
    close_at_exit(client.close)
    return client


call_in_forked_child(client_of.cache_clear)


def _client(endpoint: Endpoint) -> Client:
    key = None if endpoint.key == NO_KEY else endpoint.key
    common: dict[str, Any] = {
        "base_url": endpoint.base_url,
        "default_headers": dict(endpoint.headers),
        "timeout": Timeout(None, connect=CONNECT_SECONDS),
        "max_retries": 0,
        "http_client": _BoundedAnthropicClient(follow_redirects=False),
    }
    if endpoint.provider == "bedrock":
        return AsyncAnthropicBedrock(api_key=key, **common)
    if endpoint.provider == "vertex":
        return AsyncAnthropicVertex(access_token=key, **common)
    return AsyncAnthropic(api_key=endpoint.key, **common)
