"""Anthropic's models, and servers that speak like them."""

from collections.abc import Mapping
from functools import lru_cache

from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    AsyncAnthropic,
    DefaultAioHttpClient,
    omit,
)

from memalign.errors import ModelError
from memalign.event_loop import close_at_exit, run_on_private_loop
from memalign.models.endpoint import (
    ATTEMPT_SECONDS,
    MAX_RETRIES,
    Endpoint,
    complete_with_fallback,
    concurrency_slot,
    endpoint_of,
)
from memalign.models.json_answers import find_answer, fits, integer_at, objects_at, parse_body, text_at
from memalign.models.prompts import ANSWER_TOKENS
from memalign.ports import Completion, Prompt
from memalign.records import Json, Usage

CONTEXT_TOKENS = 200_000
"""Of all Claude models since 2.1, without the beta header for more."""
_TOOL = "answer"


@lru_cache(maxsize=8)
def _client(endpoint: Endpoint) -> AsyncAnthropic:
    client = AsyncAnthropic(
        api_key=endpoint.key,
        base_url=endpoint.base_url,
        timeout=ATTEMPT_SECONDS,
        max_retries=MAX_RETRIES,
        # of the SDK's two HTTP clients the one that takes less time where many calls run at once
        http_client=DefaultAioHttpClient(),
    )
    close_at_exit(client.close)
    return client


class AnthropicModel:
    """A Claude model, which answers by calling a tool whose input schema is the schema asked for.

    Args:
        model: The model's name at Anthropic.
    """

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model as `anthropic:/name`."""
        return f"anthropic:/{self._model}"

    @property
    def context_tokens(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        return CONTEXT_TOKENS

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """See `memalign.ports.LanguageModel.complete`."""
        return await run_on_private_loop(
            complete_with_fallback(
                self.name,
                schema,
                ask=lambda requested: self._ask(prompt, requested),
                read=lambda body: (_answer(body, schema), _usage(body)),
            )
        )

    async def _ask(self, prompt: Prompt, schema: Mapping[str, Json] | None) -> Json:
        endpoint = endpoint_of("anthropic", self._model)
        async with concurrency_slot():
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
                raise _failure(endpoint, self._model, error) from error
        return parse_body(await response.text())


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


def _failure(endpoint: Endpoint, model: str, error: AnthropicError) -> ModelError:
    if isinstance(error, APIStatusError):
        return endpoint.failure(model, error, error.status_code)
    if isinstance(error, APIConnectionError):
        return endpoint.failure(model, error.__cause__ or error, None)
    return endpoint.unreadable(model)
