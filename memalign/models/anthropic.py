"""Anthropic's models, and servers that speak like them: Anthropic's own service, Amazon Bedrock and Vertex AI."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from anthropic import AnthropicError, APIConnectionError, APIStatusError

from memalign.errors import ModelError, ModelRefusedError
from memalign.models.anthropic_client import client_of
from memalign.models.bounded_answer import OversizeAnswerError
from memalign.models.capabilities import Mode
from memalign.models.endpoint import Endpoint
from memalign.models.json_answers import integer_at, objects_at, parse_body, text_at, value_at
from memalign.models.message_answer import answer_of_blocks, says_something
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.served_model import ServedModel
from memalign.models.service_failure import answer_of
from memalign.models.structured_answer import Reading
from memalign.ports import Prompt
from memalign.records import Json, Usage

_TOOL = "answer"
_LIMIT = "max_tokens"
DEFAULT_ANSWER_TOKENS = 4_000
"""The limit of an answer where none is set: this API wants one."""
_CLOUDS = ("bedrock", "vertex")
_CLOUD_PACKAGES = ("boto3", "botocore", "google")
_TYPED = ("model", "messages", _LIMIT)
"""Parameters that the SDK's method requires."""


class AnthropicModel(ServedModel):
    """A Claude model, which answers by calling a tool whose input schema is the schema asked for.

    Args:
        model: The model's name at its service.
        options: Of the model.
        provider: One whose service speaks so.
    """

    def __init__(
        self, model: str, options: ModelOptions = DEFAULT_OPTIONS, *, provider: str = "anthropic"
    ) -> None:
        super().__init__(AnthropicChat(), provider, model, options)


class AnthropicChat:
    """Anthropic's API of messages."""

    modes: ClassVar[Sequence[Mode]] = ("tool", "none")
    form_parameters: ClassVar[Sequence[str]] = ("tools", "tool_choice", "output_config")
    limit_parameters: ClassVar[Sequence[str]] = (_LIMIT,)

    def limits(self, endpoint: Endpoint, model: str) -> Sequence[str]:
        """See `memalign.models.served_model.ChatApi.limits`."""
        del endpoint, model
        return (_LIMIT,)

    def body(self, model: str, prompt: Prompt, schema: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
        """See `memalign.models.served_model.ChatApi.body`."""
        return {
            "model": model,
            "system": [{"type": "text", "text": prompt.stable, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.changing}],
            **_form(schema, mode),
        }

    async def send(self, endpoint: Endpoint, body: Mapping[str, Json], query: Mapping[str, Json]) -> str:
        """See `memalign.models.served_model.ChatApi.send`."""
        model, messages = body["model"], body["messages"]
        texts = [body["system"][0]["text"], messages[0]["content"]]
        rest = {name: value for name, value in body.items() if name not in _TYPED}
        try:
            response = await client_of(endpoint).messages.with_raw_response.create(
                model=model,
                messages=messages,
                max_tokens=body.get(_LIMIT, DEFAULT_ANSWER_TOKENS),
                extra_body=rest,
                extra_query=dict(query),
            )
        except AnthropicError as error:
            raise _failure(endpoint, model, error, texts) from error
        except Exception as error:
            if not _is_about_credentials(endpoint, error):
                raise
            raise ModelRefusedError(
                f"{endpoint.provider}:/{model} finds no credentials that can be used ({type(error).__name__}); set "
                "them up as its provider documents."
            ) from error
        text = str(await response.text())
        endpoint.check_answer(model, text, texts)
        return text

    def read(self, text: str, schema: Mapping[str, Json], mode: Mode) -> Reading:
        """See `memalign.models.served_model.ChatApi.read`."""
        del mode
        body = parse_body(text)
        content = value_at(body, "content")
        is_called = any(block.get("type") == "tool_use" for block in objects_at(body, "content"))
        return Reading(
            answer=answer_of_blocks(content, schema),
            usage=_usage(body),
            is_cut=text_at(body, "stop_reason") == "max_tokens",
            is_silent=not is_called and not says_something(content),
        )

    async def fetch(self, endpoint: Endpoint, address: str, body: Json) -> Json:
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


def _is_about_credentials(endpoint: Endpoint, error: Exception) -> bool:
    """Tell whether a cloud's packages found no credentials; their errors have no class in common."""
    if endpoint.provider not in _CLOUDS or isinstance(error, ModelError):
        return False
    package = type(error).__module__.partition(".")[0]
    return package in _CLOUD_PACKAGES or isinstance(error, RuntimeError | ValueError)


def _form(schema: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
    match mode:
        case "tool":
            tool = {"name": _TOOL, "description": "Give the answer.", "input_schema": dict(schema)}
            return {"tools": [tool], "tool_choice": {"type": "tool", "name": _TOOL}}
        case "json_schema":
            return {"output_config": {"format": {"type": "json_schema", "schema": dict(schema)}}}
        case _:
            return {}


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
