"""Chat completions as OpenAI's API has them, and the many servers that speak like it."""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from openai import APIConnectionError, APIStatusError, OpenAIError

from memalign.errors import ModelError
from memalign.models.bounded_answer import OversizeAnswerError
from memalign.models.capabilities import Mode
from memalign.models.endpoint import Endpoint
from memalign.models.json_answers import integer_at, objects_at, parse_body, text_at, value_at
from memalign.models.message_answer import answer_of_chat, says_something
from memalign.models.openai_client import client_of
from memalign.models.service_failure import answer_of
from memalign.models.structured_answer import Reading
from memalign.ports import Prompt
from memalign.records import Json, Usage

_NEWER_LIMIT, _OLDER_LIMIT = "max_completion_tokens", "max_tokens"
_OWN_PROVIDERS = ("openai", "azure")
_REASONING_MODEL = re.compile(r"(?:.*/)?(?:gpt-[5-9]|o\d)", re.IGNORECASE)
"""Models of OpenAI that take the newer name of the limit alone, behind whatever gateway."""
_TOOL = "answer"
_SCHEMA_MODES = ("json_schema", "tool")
"""Forms that hold the schema."""


class OpenAIChat:
    """OpenAI's API of chat completions."""

    modes: ClassVar[Sequence[Mode]] = ("json_schema", "json_object", "none")
    form_parameters: ClassVar[Sequence[str]] = ("response_format", "tools", "tool_choice")
    limit_parameters: ClassVar[Sequence[str]] = (_NEWER_LIMIT, _OLDER_LIMIT)

    def limits(self, endpoint: Endpoint, model: str) -> Sequence[str]:
        """See `memalign.models.served_model.ChatApi.limits`."""
        is_own = endpoint.base_url is None or endpoint.provider == "azure"
        if is_own or _REASONING_MODEL.match(model):
            return (_NEWER_LIMIT, _OLDER_LIMIT)
        return (_OLDER_LIMIT, _NEWER_LIMIT)

    def body(self, model: str, prompt: Prompt, schema: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
        """See `memalign.models.served_model.ChatApi.body`."""
        messages = [
            {"role": "system", "content": prompt.stable},
            {"role": "user", "content": prompt.changing},
        ]
        return {"model": model, "messages": messages, **_form(schema, mode)}

    async def send(self, endpoint: Endpoint, body: Mapping[str, Json], query: Mapping[str, Json]) -> str:
        """See `memalign.models.served_model.ChatApi.send`."""
        model, messages = body["model"], body["messages"]
        texts = [message["content"] for message in messages]
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        try:
            response = await client_of(endpoint).chat.completions.with_raw_response.create(
                model=model,
                messages=messages,
                # as typed arguments the SDK would walk through all of the schema on each call
                extra_body=rest,
                extra_query=dict(query),
            )
        except OpenAIError as error:
            raise failure_of(endpoint, model, error, texts) from error
        except OversizeAnswerError as error:
            raise endpoint.oversize(model) from error
        endpoint.check_answer(model, response.text, texts)
        return response.text

    def read(self, text: str, schema: Mapping[str, Json], mode: Mode) -> Reading:
        """See `memalign.models.served_model.ChatApi.read`."""
        return reading_of(text, schema, mode)

    async def fetch(self, endpoint: Endpoint, address: str, body: Json) -> Json:
        """See `memalign.models.server_context.Fetch`."""
        client = client_of(endpoint)
        try:
            if body is None:
                return parse_body(await client.get(address, cast_to=str))
            return parse_body(await client.post(address, cast_to=str, body=body))
        except (APIStatusError, OversizeAnswerError):
            return None
        except APIConnectionError as error:
            raise endpoint.failure(address, error.__cause__ or error, None) from error


def _form(schema: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
    match mode:
        case "json_schema":
            named = {"name": _TOOL, "strict": True, "schema": dict(schema)}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case "json_object":
            return {"response_format": {"type": "json_object"}}
        case "tool":
            function = {"name": _TOOL, "description": "Give the answer.", "parameters": dict(schema)}
            choice = {"type": "function", "function": {"name": _TOOL}}
            return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
        case "none":
            return {}


def reading_of(text: str, schema: Mapping[str, Json], mode: Mode) -> Reading:
    """Read a chat completion.

    Args:
        text: The response's body.
        schema: The JSON schema of the answer.
        mode: The form in which it was asked for.

    Returns:
        The answer, with what is to be known of it.
    """
    body = parse_body(text)
    message = value_at(body, "choices", 0, "message")
    return Reading(
        answer=answer_of_chat(message, schema, schema if mode in _SCHEMA_MODES else None),
        usage=_usage(body),
        is_cut=text_at(body, "choices", 0, "finish_reason") == "length",
        is_silent=not objects_at(message, "tool_calls") and not says_something(value_at(message, "content")),
    )


def _usage(body: Json) -> Usage:
    return Usage(
        calls=1,
        input_tokens=integer_at(body, "usage", "prompt_tokens"),
        cached_tokens=integer_at(body, "usage", "prompt_tokens_details", "cached_tokens"),
        output_tokens=integer_at(body, "usage", "completion_tokens"),
    )


def failure_of(endpoint: Endpoint, model: str, error: OpenAIError, texts: Sequence[str]) -> ModelError:
    """Make the error of a failed call.

    Args:
        endpoint: The endpoint that was called.
        model: The model's name there.
        error: Of the SDK.
        texts: The texts that were sent.

    Returns:
        The error to raise.
    """
    if isinstance(error, APIStatusError):
        response = error.response
        answer = answer_of(response.status_code, response.headers, response.text)
        return endpoint.failure(model, error, answer, texts)
    if isinstance(error, APIConnectionError):
        return endpoint.failure(model, error.__cause__ or error, None)
    return endpoint.unreadable(model)
