"""OpenAI, and servers that speak like it."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from httpx2 import Request, Response
from openai import (
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    DefaultAioHttpClient,
    OpenAIError,
    Timeout,
    omit,
)

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.event_loop import call_in_forked_child, close_at_exit, run_on_private_loop
from memalign.models.bounded_answer import OversizeAnswerError, read_bounded
from memalign.models.deadline import CONNECT_SECONDS, call_within, retried
from memalign.models.endpoint import (
    Endpoint,
    complete_with_fallback,
    endpoint_of,
    read_answer,
)
from memalign.models.json_answers import find_answer, integer_at, objects_at, parse_body, text_at
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.service_failure import answer_of
from memalign.ports import Completion, Embeddings, Prompt, Vector
from memalign.records import Json, Usage
from memalign.tokens import count_tokens, cut_to_tokens

_CONTEXTS = (
    ("gpt-5", 272_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_000),
    ("gpt-3.5", 16_000),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4", 200_000),
)
"""Beginning of a model's name -> tokens of its context, as OpenAI's model pages have it, most of them rounded down.

Of gpt-5 it is the part for input (400,000 less 128,000 of output). Variants with another context are not told apart.
"""
_DEFAULT_CONTEXT = 128_000
"""For models not listed above; set by hand."""
_EMBEDDING_LIMITS = (8_000, 4_000, 2_000, 500)
"""Tokens to which texts are cut, one after the other, while the service finds them too long.

The first is below OpenAI's own limit of 8,192; the others serve compatible servers with smaller models.
"""


class _BoundedOpenAIClient(DefaultAioHttpClient):
    """Of the SDK's two HTTP clients the one that takes less time where many calls run at once, with bounded answers."""

    async def send(self, request: Request, *, stream: bool = False, **options: Any) -> Response:
        del stream
        return await read_bounded(await super().send(request, stream=True, **options))


@lru_cache(maxsize=8)
def _client(endpoint: Endpoint) -> AsyncOpenAI:
    client = AsyncOpenAI(
        api_key=endpoint.key,
        base_url=endpoint.base_url,
        default_headers=dict(endpoint.headers),
        timeout=Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
        http_client=_BoundedOpenAIClient(follow_redirects=False),
    )
    close_at_exit(client.close)
    return client


call_in_forked_child(_client.cache_clear)


class OpenAIModel:
    """A chat model, which answers by structured outputs (`response_format`).

    Args:
        model: The model's name at OpenAI, or at the server that OPENAI_BASE_URL names.
        options: Of the model.
    """

    def __init__(self, model: str, options: ModelOptions = DEFAULT_OPTIONS) -> None:
        self._model = model
        self._options = options

    @property
    def name(self) -> str:
        """The model as `openai:/name`."""
        return f"openai:/{self._model}"

    @property
    def context_tokens(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        known = next((size for name, size in _CONTEXTS if self._model.startswith(name)), _DEFAULT_CONTEXT)
        return self._options.context_tokens or known

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
        endpoint = endpoint_of("openai", self._model, self._options)
        texts = (prompt.stable, prompt.changing)
        try:
            response = await _client(endpoint).chat.completions.with_raw_response.create(
                model=self._model,
                messages=[
                    {"role": "system", "content": prompt.stable},
                    {"role": "user", "content": prompt.changing},
                ],
                # as a typed argument the SDK would walk through all of the schema on each call
                extra_body=None if schema is None else {"response_format": _form(schema)},
            )
        except OpenAIError as error:
            raise _failure(endpoint, self._model, error, texts) from error
        except OversizeAnswerError as error:
            raise endpoint.oversize(self._model) from error
        endpoint.check_answer(self._model, response.text, texts)
        return response.text


def _form(schema: Mapping[str, Json]) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


class OpenAIEmbedder:
    """A text embedding model.

    Args:
        model: The model's name.
        dimension: Length of the vectors asked for. A model that refuses to choose gives its own; where that is
            another length, nothing can be kept of it.
        options: Of the model.
    """

    def __init__(self, model: str, dimension: int, options: ModelOptions = DEFAULT_OPTIONS) -> None:
        self._model = model
        self._dimension = dimension
        self._options = options
        self._takes_dimension = True
        """False once the model has refused the dimension as an argument."""

    @property
    def name(self) -> str:
        """The model as `openai:/name`."""
        return f"openai:/{self._model}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `memalign.ports.Embedder.embed`. Texts are cut to 8,000 tokens, or less where that is refused."""
        return await run_on_private_loop(
            call_within(
                self.name, self._options.timeout_seconds, lambda deadline: self._embed(texts, deadline)
            )
        )

    async def _embed(self, texts: Sequence[str], deadline: asyncio.Timeout) -> Embeddings:
        longest = max(map(count_tokens, texts))
        for limit in _EMBEDDING_LIMITS:
            try:
                return await self._embed_cut([cut_to_tokens(text, limit) for text in texts], deadline)
            except RequestRefusedError:
                if limit == _EMBEDDING_LIMITS[-1] or longest <= limit // 2:
                    raise
        raise AssertionError("the last limit returns or raises")

    async def _embed_cut(self, texts: Sequence[str], deadline: asyncio.Timeout) -> Embeddings:
        """Ask for the dimension; where that is refused, take the vectors as the model gives them."""
        if self._takes_dimension:
            try:
                return await retried(lambda: self._ask(texts, dimensions=self._dimension), deadline)
            except RequestRefusedError:
                embedded = await retried(lambda: self._ask(texts, dimensions=None), deadline)
                self._takes_dimension = False
                return embedded
        return await retried(lambda: self._ask(texts, dimensions=None), deadline)

    async def _ask(self, texts: Sequence[str], *, dimensions: int | None) -> Embeddings:
        endpoint = endpoint_of("openai", self._model, self._options)
        try:
            response = await _client(endpoint).embeddings.with_raw_response.create(
                model=self._model,
                input="",
                dimensions=omit if dimensions is None else dimensions,
                # as the typed argument the SDK would look at every text a few times; this takes its place
                extra_body={"input": list(texts)},
            )
        except OpenAIError as error:
            raise _failure(endpoint, self._model, error, texts) from error
        except OversizeAnswerError as error:
            raise endpoint.oversize(self._model) from error
        endpoint.check_answer(self._model, response.text, texts)
        rows, tokens = await read_answer(_rows_and_tokens, response.text)
        if len(rows) != len(texts) or len({row.shape for row in rows}) != 1:
            raise MalformedAnswerError(f"{self.name} did not give one vector for each text.")
        usage = Usage(calls=1, embedding_tokens=tokens or sum(map(count_tokens, texts)))
        return Embeddings(vectors=np.stack(rows), usage=usage)


def _answer_and_usage(body: Json, schema: Mapping[str, Json]) -> tuple[Mapping[str, Json] | None, Usage]:
    return _answer(body, schema), _usage(body)


def _answer(body: Json, schema: Mapping[str, Json]) -> Mapping[str, Json] | None:
    return find_answer(text_at(body, "choices", 0, "message", "content"), schema)


def _rows_and_tokens(text: str) -> tuple[list[Vector], int]:
    body = parse_body(text)
    return _rows(body), integer_at(body, "usage", "prompt_tokens")


def _rows(body: Json) -> list[Vector]:
    """Return the vectors in the order of their texts, lists or packed ones; what is no vector is left out."""
    rows = []
    for item in sorted(objects_at(body, "data"), key=lambda item: integer_at(item, "index")):
        row = item.get("embedding")
        try:
            if isinstance(row, str):
                rows.append(np.frombuffer(base64.b64decode(row), "<f4"))
            else:
                rows.append(np.array(row, dtype=np.float32))
        except (ValueError, TypeError, OverflowError):
            continue
    return rows


def _usage(body: Json) -> Usage:
    return Usage(
        calls=1,
        input_tokens=integer_at(body, "usage", "prompt_tokens"),
        cached_tokens=integer_at(body, "usage", "prompt_tokens_details", "cached_tokens"),
        output_tokens=integer_at(body, "usage", "completion_tokens"),
    )


def _failure(endpoint: Endpoint, model: str, error: OpenAIError, texts: Sequence[str]) -> ModelError:
    if isinstance(error, APIStatusError):
        response = error.response
        answer = answer_of(response.status_code, response.headers, response.text)
        return endpoint.failure(model, error, answer, texts)
    if isinstance(error, APIConnectionError):
        return endpoint.failure(model, error.__cause__ or error, None)
    return endpoint.unreadable(model)
