"""OpenAI, and servers that speak like it."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence

import numpy as np
from openai import OpenAIError

from memalign.errors import MalformedAnswerError, PromptTooLongError, RequestRefusedError
from memalign.event_loop import run_on_private_loop
from memalign.fair_cut import cut_lines
from memalign.models.bounded_answer import OversizeAnswerError
from memalign.models.deadline import ExpectedTokens, call_within, retried
from memalign.models.endpoint import Endpoint, read_answer
from memalign.models.json_answers import integer_at, objects_at, parse_body
from memalign.models.openai_chat import OpenAIChat, failure_of
from memalign.models.openai_client import client_of
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.providers import endpoint_of
from memalign.models.served_model import ServedModel
from memalign.models.text_limit import shorter_limit, text_limit
from memalign.ports import Embeddings, Vector
from memalign.records import Json, Usage
from memalign.tokens import count_tokens

SendEmbeddings = Callable[[Endpoint, Mapping[str, Json], Sequence[str]], Awaitable[str]]
"""Sends the parameters of a request, and returns the response's body; the texts are for errors."""


class OpenAIModel(ServedModel):
    """A chat model, which answers by structured outputs (`response_format`).

    Args:
        model: The model's name at its service.
        options: Of the model.
        provider: One whose service speaks so.
    """

    def __init__(
        self, model: str, options: ModelOptions = DEFAULT_OPTIONS, *, provider: str = "openai"
    ) -> None:
        super().__init__(OpenAIChat(), provider, model, options)


class OpenAIEmbedder:
    """A text embedding model.

    Args:
        model: The model's name.
        dimension: Length of the vectors asked for. A model that refuses to choose gives its own; where that is
            another length, nothing can be kept of it.
        options: Of the model.
        provider: One whose service speaks so.
        send: Sends a request; None: by OpenAI's API.
    """

    def __init__(
        self,
        model: str,
        dimension: int,
        options: ModelOptions = DEFAULT_OPTIONS,
        *,
        provider: str = "openai",
        send: SendEmbeddings | None = None,
    ) -> None:
        self._send = send or send_embeddings
        self._provider = provider
        self._model = model
        self._dimension = dimension
        self._options = options
        self._takes_dimension = True
        """False once the model has refused the dimension as an argument."""

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return f"{self._provider}:/{self._model}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `memalign.ports.Embedder.embed`. Texts are cut to 8,000 tokens, or to what the model proves to take."""
        expected = ExpectedTokens(prompt=sum(map(count_tokens, texts)), answer=0)
        return await run_on_private_loop(
            call_within(
                self.name,
                self._options.timeout_seconds,
                expected,
                lambda deadline: self._embed(texts, deadline),
            )
        )

    async def _embed(self, texts: Sequence[str], deadline: asyncio.Timeout) -> Embeddings:
        base_url = endpoint_of(self._provider, self._model, self._options).base_url
        known = text_limit(base_url, self._model, self._options.context_tokens)
        longest, limit = max(map(count_tokens, texts)), known.tokens
        while True:
            try:
                embedded = await self._embed_cut([cut_lines(text, limit) for text in texts], deadline)
            except RequestRefusedError as error:
                shorter = shorter_limit(min(longest, limit), error)
                if shorter is None:
                    raise
                limit = shorter
            else:
                known.tokens = min(known.tokens, limit)
                return embedded

    async def _embed_cut(self, texts: Sequence[str], deadline: asyncio.Timeout) -> Embeddings:
        """Ask for the dimension; where that is refused, take the vectors as the model gives them."""
        if self._takes_dimension:
            try:
                return await retried(lambda: self._ask(texts, dimensions=self._dimension), deadline)
            except PromptTooLongError:
                raise
            except RequestRefusedError:
                embedded = await retried(lambda: self._ask(texts, dimensions=None), deadline)
                self._takes_dimension = False
                return embedded
        return await retried(lambda: self._ask(texts, dimensions=None), deadline)

    async def _ask(self, texts: Sequence[str], *, dimensions: int | None) -> Embeddings:
        endpoint = endpoint_of(self._provider, self._model, self._options)
        size = {} if dimensions is None else {"dimensions": dimensions}
        body = {"model": self._model, **size, **self._options.own_body, "input": list(texts)}
        text = await self._send(endpoint, body, texts)
        rows, tokens = await read_answer(_rows_and_tokens, text)
        if len(rows) != len(texts) or len({row.shape for row in rows}) != 1:
            raise MalformedAnswerError(f"{self.name} did not give one vector for each text.")
        usage = Usage(calls=1, embedding_tokens=tokens or sum(map(count_tokens, texts)))
        return Embeddings(vectors=np.stack(rows), usage=usage)


async def send_embeddings(endpoint: Endpoint, body: Mapping[str, Json], texts: Sequence[str]) -> str:
    """Ask for embeddings by OpenAI's API.

    Args:
        endpoint: Where to ask.
        body: The request's parameters.
        texts: The texts, for an error.

    Returns:
        The response's body.

    Raises:
        ModelError: If the call fails.
    """
    model = body["model"]
    rest = {name: value for name, value in body.items() if name != "model"}
    try:
        response = await client_of(endpoint).embeddings.with_raw_response.create(
            model=model,
            input="",
            # as the typed argument the SDK would look at every text a few times; this takes its place
            extra_body=rest,
        )
    except OpenAIError as error:
        raise failure_of(endpoint, model, error, texts) from error
    except OversizeAnswerError as error:
        raise endpoint.oversize(model) from error
    endpoint.check_answer(model, response.text, texts)
    return response.text


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
