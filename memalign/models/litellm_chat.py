"""Every other provider, through LiteLLM: it speaks to each in its own way, and answers as OpenAI does.

The package is imported when such a model is first called: that takes a few seconds.
"""

import asyncio
import importlib
import json
import logging
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import ClassVar

from openai import APIConnectionError, APIStatusError, OpenAIError

from memalign.errors import ModelError
from memalign.models.endpoint import NO_KEY, Endpoint
from memalign.models.openai_chat import OpenAIChat, failure_of
from memalign.models.service_failure import answer_of
from memalign.records import Json

_LIMIT = "max_tokens"
"""LiteLLM writes it under the name that the provider takes."""


class LiteLLMChat(OpenAIChat):
    """LiteLLM's `acompletion`, with requests and answers as OpenAI's API has them."""

    limit_parameters: ClassVar[Sequence[str]] = (_LIMIT, "max_completion_tokens")

    def limits(self, endpoint: Endpoint, model: str) -> Sequence[str]:
        """See `memalign.models.served_model.ChatApi.limits`."""
        del endpoint, model
        return (_LIMIT,)

    async def send(self, endpoint: Endpoint, body: Mapping[str, Json], query: Mapping[str, Json]) -> str:
        """See `memalign.models.served_model.ChatApi.send`."""
        del query
        texts = [message["content"] for message in body["messages"]]
        return await call_litellm(endpoint, "acompletion", body, texts)

    async def fetch(self, endpoint: Endpoint, address: str, body: Json) -> Json:
        """See `memalign.models.served_model.ChatApi.fetch`; LiteLLM has no lists of models."""
        del endpoint, address, body


async def send_embeddings(endpoint: Endpoint, body: Mapping[str, Json], texts: Sequence[str]) -> str:
    """See `memalign.models.openai.send_embeddings`, in whose form LiteLLM answers."""
    return await call_litellm(endpoint, "aembedding", body, texts)


async def call_litellm(
    endpoint: Endpoint, function: str, body: Mapping[str, Json], texts: Sequence[str]
) -> str:
    """Call a function of LiteLLM.

    Args:
        endpoint: The address and the key, where the options name some.
        function: `acompletion` or `aembedding`.
        body: Its arguments.
        texts: The texts that are sent, for an error.

    Returns:
        The answer as JSON.

    Raises:
        ModelError: If the call fails.
    """
    litellm = await asyncio.to_thread(_imported)
    try:
        answer = await getattr(litellm, function)(
            **body,
            api_base=endpoint.base_url,
            api_key=None if endpoint.key == NO_KEY else endpoint.key,
            extra_headers=dict(endpoint.headers) or None,
            num_retries=0,
            max_retries=0,
        )
    except OpenAIError as error:
        raise _failure(endpoint, body["model"], error, texts) from error
    text = str(answer.model_dump_json())
    endpoint.check_answer(body["model"], text, texts)
    return text


def _imported() -> ModuleType:
    litellm: ModuleType = importlib.import_module("litellm")
    vars(litellm).update(suppress_debug_info=True, telemetry=False)
    _remove_own_handlers()
    return litellm


def _remove_own_handlers() -> None:
    """Leave it to the program where LiteLLM's log goes: its own handlers write prompts and answers to the terminal."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("LiteLLM") and isinstance(logger, logging.Logger):
            logger.handlers.clear()


def _failure(endpoint: Endpoint, model: str, error: OpenAIError, texts: Sequence[str]) -> ModelError:
    """Make the error of a failed call; LiteLLM's errors are OpenAI's, with the provider's words in the message."""
    status = getattr(error, "status_code", None)
    is_lost = isinstance(error, APIConnectionError) and error.__cause__ is not None
    if isinstance(status, int) and status >= 400 and not is_lost:
        headers = error.response.headers if isinstance(error, APIStatusError) else {}
        words = json.dumps({"error": {"message": str(error)}})
        return endpoint.failure(model, error, answer_of(status, headers, words), texts)
    return failure_of(endpoint, model, error, texts)
