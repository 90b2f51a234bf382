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

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.event_loop import close_at_exit, run_on_private_loop
from memalign.models.endpoint import RETRIES, SECONDS, Service, concurrency_slot, service
from memalign.models.json_answers import body_of, find_answer, fits, number_in, part, text_in
from memalign.models.prompts import ANSWER_TOKENS
from memalign.ports import Completion, Prompt
from memalign.records import Json, Usage

CONTEXT_TOKENS = 200_000
_TOOL = "answer"


@lru_cache(maxsize=8)
def _client(where: Service) -> AsyncAnthropic:
    client = AsyncAnthropic(
        api_key=where.key,
        base_url=where.base_url,
        timeout=SECONDS,
        max_retries=RETRIES,
        # of the SDK's two HTTP clients the one that takes less time where many calls run at once
        http_client=DefaultAioHttpClient(),
    )
    close_at_exit(client.close)
    return client


class AnthropicModel:
    """A Claude model."""

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """`anthropic:/name`."""
        return f"anthropic:/{self._model}"

    @property
    def context_tokens(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        return CONTEXT_TOKENS

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """Answer with an object that satisfies the JSON schema. Raises `ModelError`."""
        return await run_on_private_loop(self._complete(prompt, schema))

    async def _complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        usage = Usage()
        for asked in (schema, None):
            try:
                answered = await self._ask(prompt, asked)
            except RequestRefusedError:
                if asked is None:
                    raise
                continue
            usage += _usage(answered)
            answer = _answer(answered, schema)
            if answer is not None:
                return Completion(answer=answer, usage=usage)
        raise MalformedAnswerError(
            f"{self.name} did not answer in the form asked for; it is tried again later."
        )

    async def _ask(self, prompt: Prompt, schema: Mapping[str, Json] | None) -> Json:
        where = service("anthropic", self._model)
        async with concurrency_slot():
            try:
                response = await _client(where).messages.with_raw_response.create(
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
                raise _failure(where, self._model, error) from error
        return body_of(await response.text())


def _answer(answered: Json, schema: Mapping[str, Json]) -> Mapping[str, Json] | None:
    given = part(answered, "content")
    blocks = [block for block in given if isinstance(block, dict)] if isinstance(given, list) else []
    for block in blocks:
        said: Json = block.get("input")
        if block.get("type") == "tool_use" and isinstance(said, dict) and fits(said, schema):
            return said
    return find_answer("\n".join(text_in(block, "text") for block in blocks), schema)


def _usage(answered: Json) -> Usage:
    spent = part(answered, "usage")
    cached = number_in(spent, "cache_read_input_tokens")
    return Usage(
        calls=1,
        input_tokens=number_in(spent, "input_tokens")
        + number_in(spent, "cache_creation_input_tokens")
        + cached,
        cached_tokens=cached,
        output_tokens=number_in(spent, "output_tokens"),
    )


def _failure(where: Service, model: str, error: AnthropicError) -> ModelError:
    if isinstance(error, APIStatusError):
        return where.failure(model, error, error.status_code)
    if isinstance(error, APIConnectionError):
        return where.failure(model, error.__cause__ or error, None)
    return MalformedAnswerError(
        f"anthropic:/{model} gave an answer that cannot be read; it is tried again later."
    )
