"""Anthropic's models, and servers that speak like them."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    AsyncAnthropic,
    DefaultAioHttpClient,
    Timeout,
    omit,
)
from httpx2 import Request, Response

from memalign.errors import ModelError
from memalign.event_loop import call_in_forked_child, close_at_exit, run_on_private_loop
from memalign.models.bounded_answer import OversizeAnswerError, read_bounded
from memalign.models.deadline import CONNECT_SECONDS, call_within, retried
from memalign.models.endpoint import Endpoint, complete_with_fallback, endpoint_of
from memalign.models.json_answers import find_answer, fits, integer_at, objects_at, parse_body, text_at
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.prompts import ANSWER_TOKENS
from memalign.models.service_failure import answer_of
from memalign.ports import Completion, Prompt
from memalign.records import Json, Usage

CONTEXT_TOKENS = 200_000
"""Of all Claude models since 2.1, without the beta header for more."""
_TOOL = "answer"


class _BoundedAnthropicClient(DefaultAioHttpClient):
    """Of the SDK's two HTTP clients the one that takes less time where many calls run at once, with bounded answers."""

    async def send(self, request: Request, *, stream: bool = False, **options: Any) -> Response:
        del stream
        return await read_bounded(await super().send(request, stream=True, **options))


@lru_cache(maxsize=8)
def _client(endpoint: Endpoint) -> AsyncAnthropic:
    client = AsyncAnthropic(
        api_key=endpoint.key,
        base_url=endpoint.base_url,
        default_headers=dict(endpoint.headers),
        timeout=Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
        http_client=_BoundedAnthropicClient(follow_redirects=False),
    )
    close_at_exit(client.close)
    return client


call_in_forked_child(_client.cache_clear)


class AnthropicModel:
    """A Claude model, which answers by calling a tool whose input schema is the schema asked for.

    Args:
        model: The model's name at Anthropic.
        options: Of the model.
    """

    def __init__(self, model: str, options: ModelOptions = DEFAULT_OPTIONS) -> None:
        self._model = model
        self._options = options

    @property
    def name(self) -> str:
        """The model as `anthropic:/name`."""
        return f"anthropic:/{self._model}"

    @property
    def context_tokens(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        return self._options.context_tokens or CONTEXT_TOKENS

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """See `memalign.ports.LanguageModel.complete`."""
        return await run_on_private_loop(
            call_within(
                self.name,
                self._options.timeout_seconds,
                lambda deadline: self._complete(prompt, schema, deadline),
            )
        )

    async def _complete(
        self, prompt: Prompt, schema: Mapping[str, Json], deadline: asyncio.Timeout
    ) -> Completion:
        return await complete_with_fallback(
            self.name,
            schema,
            ask=lambda requested: retried(lambda: self._ask(prompt, requested), deadline),
            read=lambda text: _answer_and_usage(parse_body(text), schema),
        )

    async def _ask(self, prompt: Prompt, schema: Mapping[str, Json] | None) -> str:
        endpoint = endpoint_of("anthropic", self._model, self._options)
        texts = (prompt.stable, prompt.changing)
        try:
            response = await _client(endpoint).messages.with_raw_response.create(
                model=self._model,
                max_tokens=ANSWER_TOKENS,
                system=[{"type": "text", "text": prompt.stable, "cache_control": {"type": "ephemeral"}}],
                messages=[{"role": "user", "content": prompt.changing}],
                tools=omit
                if schema is None
                else [{"name": _TOOL, "description": "Give the answer.", "input_schema": dict(schema)}],
                tool_choice=omit if schema is None else {"type": "tool", "name": _TOOL},
            )
        except AnthropicError as error:
            raise _failure(endpoint, self._model, error, texts) from error
        text = str(await response.text())
        endpoint.check_answer(self._model, text, texts)
        return text


def _answer_and_usage(body: Json, schema: Mapping[str, Json]) -> tuple[Mapping[str, Json] | None, Usage]:
    return _answer(body, schema), _usage(body)


def _answer(body: Json, schema: Mapping[str, Json]) -> Mapping[str, Json] | None:
    blocks = objects_at(body, "content")
    for block in blocks:
        arguments: Json = block.get("input")
        if block.get("type") == "tool_use" and isinstance(arguments, dict) and fits(arguments, schema):
            return arguments
    return find_answer("\n".join(text_at(block, "text") for block in blocks), schema)


def _usage(body: Json) -> Usage:
    cached = integer_at(body, "usage", "cache_read_input_tokens")
    written = integer_at(body, "usage", "cache_creation_input_tokens")
    return Usage(
        calls=1,
        # Anthropic's input_tokens are those beside its cache
        input_tokens=integer_at(body, "usage", "input_tokens") + written + cached,
        cached_tokens=cached,
        output_tokens=integer_at(body, "usage", "output_tokens"),
    )


def _failure(endpoint: Endpoint, model: str, error: AnthropicError, texts: Sequence[str]) -> ModelError:
    if isinstance(error, APIStatusError):
        response = error.response
        answer = answer_of(response.status_code, response.headers, response.text)
        return endpoint.failure(model, error, answer, texts)
    if isinstance(error.__cause__, OversizeAnswerError):  # this SDK takes any exception for a lost connection
        return endpoint.oversize(model)
    if isinstance(error, APIConnectionError):
        return endpoint.failure(model, error.__cause__ or error, None)
    return endpoint.unreadable(model)
