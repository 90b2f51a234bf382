"""OpenAI, and servers that speak like it."""

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, OpenAIError, omit

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.event_loop import close_at_exit, elsewhere
from memalign.models.endpoint import RETRIES, SECONDS, Service, one_of_the_workers, service
from memalign.models.json_answers import body_of, find_answer, number_in, part, text_in
from memalign.ports import Completion, Embedded, Prompt, Vector
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
_OTHER_CONTEXT = 128_000
_EMBEDDING_LIMITS = (8_000, 4_000, 2_000, 500)
"""Tokens to which texts are cut, one after the other, while the service finds them too long."""


@lru_cache(maxsize=8)
def _client(where: Service) -> AsyncOpenAI:
    client = AsyncOpenAI(
        api_key=where.key,
        base_url=where.base_url,
        timeout=SECONDS,
        max_retries=RETRIES,
        # of the SDK's two HTTP clients the one that takes less time where many calls run at once
        http_client=DefaultAioHttpClient(),
    )
    close_at_exit(client.close)
    return client


class OpenAIModel:
    """A chat model."""

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """`openai:/name`."""
        return f"openai:/{self._model}"

    @property
    def context_tokens(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        return next((size for name, size in _CONTEXTS if self._model.startswith(name)), _OTHER_CONTEXT)

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """Answer with an object that satisfies the JSON schema. Raises `ModelError`."""
        return await elsewhere(self._complete(prompt, schema))

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
            answer = find_answer(text_in(answered, "choices", 0, "message", "content"), schema)
            if answer is not None:
                return Completion(answer=answer, usage=usage)
        raise MalformedAnswerError(
            f"{self.name} did not answer in the form asked for; it is tried again later."
        )

    async def _ask(self, prompt: Prompt, schema: Mapping[str, Json] | None) -> Json:
        where = service("openai", self._model)
        async with one_of_the_workers():
            try:
                response = await _client(where).chat.completions.with_raw_response.create(
                    model=self._model,
                    messages=[
                        {"role": "system", "content": prompt.stable},
                        {"role": "user", "content": prompt.changing},
                    ],
                    # as a typed argument the SDK would walk through all of the schema on each call
                    extra_body=None if schema is None else {"response_format": _form(schema)},
                )
            except OpenAIError as error:
                raise _failure(where, self._model, error) from error
        return body_of(response.text)


def _form(schema: Mapping[str, Json]) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


class OpenAIEmbedder:
    """A text embedding model."""

    def __init__(self, model: str, dimension: int) -> None:
        self._model = model
        self._dimension = dimension
        self._any_dimension = True
        """Whether the model takes the dimension as a wish; learned from its first refusal."""

    @property
    def name(self) -> str:
        """`openai:/name`."""
        return f"openai:/{self._model}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed the texts (none is empty). Raises `ModelError`."""
        return await elsewhere(self._embed(texts))

    async def _embed(self, texts: Sequence[str]) -> Embedded:
        longest = max(map(count_tokens, texts))
        for limit in _EMBEDDING_LIMITS:
            try:
                return await self._in_one_form([cut_to_tokens(text, limit) for text in texts])
            except RequestRefusedError:
                if limit == _EMBEDDING_LIMITS[-1] or longest <= limit // 2:
                    raise
        raise AssertionError("the last limit returns or raises")

    async def _in_one_form(self, texts: Sequence[str]) -> Embedded:
        """Wish for the dimension; where that is refused, take the vectors as the model gives them."""
        if self._any_dimension:
            try:
                return await self._ask(texts, dimensions=self._dimension)
            except RequestRefusedError:
                embedded = await self._ask(texts, dimensions=None)
                self._any_dimension = False
                return embedded
        return await self._ask(texts, dimensions=None)

    async def _ask(self, texts: Sequence[str], *, dimensions: int | None) -> Embedded:
        where = service("openai", self._model)
        async with one_of_the_workers():
            try:
                response = await _client(where).embeddings.with_raw_response.create(
                    model=self._model,
                    input="",
                    dimensions=omit if dimensions is None else dimensions,
                    # as the typed argument the SDK would look at every text a few times; this takes its place
                    extra_body={"input": list(texts)},
                )
            except OpenAIError as error:
                raise _failure(where, self._model, error) from error
        answered = body_of(response.text)
        rows = _rows(answered)
        if len(rows) != len(texts) or len({row.shape for row in rows}) != 1:
            raise MalformedAnswerError(
                f"{self.name} did not give one vector for each text; it is tried again later."
            )
        tokens = number_in(answered, "usage", "prompt_tokens") or sum(map(count_tokens, texts))
        return Embedded(vectors=np.stack(rows), usage=Usage(calls=1, embedding_tokens=tokens))


def _rows(answered: Json) -> list[Vector]:
    """The vectors in the order of their texts, be they lists or packed; what is no vector is left out."""
    given = part(answered, "data")
    items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    rows = []
    for item in sorted(items, key=lambda item: number_in(item, "index")):
        row = item.get("embedding")
        try:
            if isinstance(row, str):
                rows.append(np.frombuffer(base64.b64decode(row), "<f4"))
            else:
                rows.append(np.array(row, dtype=np.float32))
        except (ValueError, TypeError):
            continue
    return rows


def _usage(answered: Json) -> Usage:
    return Usage(
        calls=1,
        input_tokens=number_in(answered, "usage", "prompt_tokens"),
        cached_tokens=number_in(answered, "usage", "prompt_tokens_details", "cached_tokens"),
        output_tokens=number_in(answered, "usage", "completion_tokens"),
    )


def _failure(where: Service, model: str, error: OpenAIError) -> ModelError:
    if isinstance(error, APIStatusError):
        return where.failure(model, error, error.status_code)
    if isinstance(error, APIConnectionError):
        return where.failure(model, error.__cause__ or error, None)
    return MalformedAnswerError(
        f"openai:/{model} gave an answer that cannot be read; it is tried again later."
    )
