"""Models whose calls are told to an observer, such as a program's metrics: a wrapper for each port."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from memalign.errors import ModelError
from memalign.ports import (
    Completion,
    Distillation,
    Distiller,
    Embedder,
    Embeddings,
    JudgeModel,
    JudgeRequest,
    JudgeResponse,
    LabelledRationale,
    LanguageModel,
    Prompt,
    PromptRoom,
)
from memalign.records import Guideline, Json, Usage

Purpose = Literal["judging", "distilling", "comparing", "embedding"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """A call of a model that has ended; it holds nothing of what was asked or answered."""

    model: str
    """As `provider:/name`."""
    purpose: Purpose
    seconds: float
    """From the call to its end, with the wait for a free slot and all further attempts."""
    usage: Usage = field(default_factory=Usage)
    """Nothing where the call failed."""
    error: ModelError | None = None
    """The failure; None where the model answered."""


CallObserver = Callable[[ModelCall], None]
"""Is told of each call that has ended, on the event loop of its caller; it must not fail, and not take long."""


class CallTimer:
    """Tells an observer of the calls of one model for one purpose. A call that is cancelled is not told.

    Args:
        model: As `provider:/name`.
        purpose: Of all its calls.
        observe: Is told of them.
    """

    def __init__(self, model: str, purpose: Purpose, observe: CallObserver) -> None:
        self._model = model
        self._purpose = purpose
        self._observe = observe

    async def time(self, call: Awaitable[Result], usage_of: Callable[[Result], Usage]) -> Result:
        """Wait for a call, and tell of it.

        Args:
            call: The call.
            usage_of: Returns its cost from its result.

        Returns:
            Its result.

        Raises:
            ModelError: If the call fails.
        """
        start = time.perf_counter()
        try:
            result = await call
        except ModelError as error:
            self._tell(start, Usage(), error)
            raise
        self._tell(start, usage_of(result), None)
        return result

    def _tell(self, start: float, usage: Usage, error: ModelError | None) -> None:
        seconds = time.perf_counter() - start
        self._observe(
            ModelCall(model=self._model, purpose=self._purpose, seconds=seconds, usage=usage, error=error)
        )


class ObservedLanguageModel:
    """A language model whose calls are told. See `memalign.ports.LanguageModel`.

    Args:
        model: The model.
        purpose: Of all its calls.
        observe: Is told of them.
    """

    def __init__(self, model: LanguageModel, purpose: Purpose, observe: CallObserver) -> None:
        self._model = model
        self._timer = CallTimer(model.name, purpose, observe)

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return self._model.name

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        """See `memalign.ports.LanguageModel.prompt_room`; it is no call of the model."""
        return await self._model.prompt_room(answer_tokens)

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """See `memalign.ports.LanguageModel.complete`."""
        return await self._timer.time(self._model.complete(prompt, schema), lambda answer: answer.usage)


class ObservedEmbedder:
    """An embedding model whose calls are told. See `memalign.ports.Embedder`.

    Args:
        embedder: The model.
        observe: Is told of its calls.
    """

    def __init__(self, embedder: Embedder, observe: CallObserver) -> None:
        self._embedder = embedder
        self._timer = CallTimer(embedder.name, "embedding", observe)

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return self._embedder.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `memalign.ports.Embedder.embed`."""
        return await self._timer.time(self._embedder.embed(texts), lambda answer: answer.usage)


class ObservedJudgeModel:
    """A model of this process that judges, whose calls are told. See `memalign.ports.JudgeModel`.

    Args:
        model: The model.
        name: As `provider:/name`.
        observe: Is told of its calls.
    """

    def __init__(self, model: JudgeModel, name: str, observe: CallObserver) -> None:
        self._model = model
        self._timer = CallTimer(name, "judging", observe)

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """See `memalign.ports.JudgeModel.decide`."""
        return await self._timer.time(self._model.decide(request), lambda answer: answer.usage)


class ObservedDistiller:
    """A model of this process that distils, whose calls are told. See `memalign.ports.Distiller`.

    Args:
        distiller: The model.
        name: As `provider:/name`.
        observe: Is told of its calls.
    """

    def __init__(self, distiller: Distiller, name: str, observe: CallObserver) -> None:
        self._distiller = distiller
        self._timer = CallTimer(name, "distilling", observe)

    async def distil(
        self, instructions: str, rationales: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """See `memalign.ports.Distiller.distil`."""
        call = self._distiller.distil(instructions, rationales, known)
        return await self._timer.time(call, lambda answer: answer.usage)
