"""Anthropic's models, and servers that speak like them."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from anthropic import AnthropicError, APIConnectionError, APIStatusError, omit

from memalign.errors import ModelError
from memalign.event_loop import run_on_private_loop
from memalign.models.anthropic_client import client_of
from memalign.models.bounded_answer import OversizeAnswerError
from memalign.models.context_size import ContextSize, complete_and_learn, context_size
from memalign.models.deadline import call_within, retried
from memalign.models.endpoint import Endpoint, complete_with_fallback
from memalign.models.json_answers import integer_at, parse_body, value_at
from memalign.models.message_answer import answer_of_blocks
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.providers import endpoint_of
from memalign.models.server_context import server_context
from memalign.models.service_failure import answer_of
from memalign.ports import Completion, Prompt, PromptRoom
from memalign.records import Json, Usage

_TOOL = "answer"


class AnthropicModel:
    """A Claude model, which answers by calling a tool whose input schema is the schema asked for.

    Args:
        model: The model's name at its service.
        options: Of the model.
        provider: One whose service speaks so.
    """

    def __init__(
        self, model: str, options: ModelOptions = DEFAULT_OPTIONS, *, provider: str = "anthropic"
    ) -> None:
        self._provider = provider
        self._model = model
        self._options = options

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return f"{self._provider}:/{self._model}"

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        """See `memalign.ports.LanguageModel.prompt_room`."""
        return await run_on_private_loop(self._prompt_room(answer_tokens))

    async def _prompt_room(self, answer_tokens: int) -> PromptRoom:
        endpoint = endpoint_of(self._provider, self._model, self._options)
        size = self._context_size(endpoint)
        await size.look_up(
            lambda: server_context(partial(_fetch, endpoint), endpoint.base_url or "", self._model)
        )
        return size.room(self._options.max_output_tokens or answer_tokens)

    def _context_size(self, endpoint: Endpoint) -> ContextSize:
        return context_size(endpoint.base_url, self._model, self._options.context_tokens)

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
        size = self._context_size(endpoint_of(self._provider, self._model, self._options))
        return await complete_and_learn(
            size,
            prompt,
            lambda: complete_with_fallback(
                self.name,
                schema,
                ask=lambda requested: retried(lambda: self._ask(prompt, requested), deadline),
                read=lambda _, text: _answer_and_usage(parse_body(text), schema),
            ),
        )

    async def _ask(self, prompt: Prompt, schema: Mapping[str, Json] | None) -> str:
        endpoint = endpoint_of(self._provider, self._model, self._options)
        texts = (prompt.stable, prompt.changing)
        try:
            response = await client_of(endpoint).messages.with_raw_response.create(
                model=self._model,
                max_tokens=prompt.answer_tokens,
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


async def _fetch(endpoint: Endpoint, address: str, body: Json) -> Json:
    """See `memalign.models.server_context.Fetch`; the SDK's addresses begin with the version."""
    client, url = client_of(endpoint), address if "://" in address else f"/v1/{address}"
    try:
        if body is None:
            return parse_body(await client.get(url, cast_to=str))
        return parse_body(await client.post(url, cast_to=str, body=body))
    except APIStatusError:
        return None
    except APIConnectionError as error:
        raise endpoint.failure(address, error.__cause__ or error, None) from error


def _answer_and_usage(body: Json, schema: Mapping[str, Json]) -> tuple[Mapping[str, Json] | None, Usage]:
    return answer_of_blocks(value_at(body, "content"), schema), _usage(body)


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
