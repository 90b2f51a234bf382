"""A language model behind a service's API: one course of a call for all APIs."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Protocol

from memalign.errors import (
    ContentRefusedError,
    ModelError,
    ModelRefusedError,
    PromptTooLongError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.event_loop import run_on_private_loop
from memalign.models.answer_limit import answer_limit
from memalign.models.capabilities import (
    AnswerLimitError,
    BoundRefusedError,
    Capabilities,
    Mode,
    ParameterRefusedError,
    capabilities_of,
    refused_bounds,
    refused_forms,
    refused_parameter,
    without_bounds,
)
from memalign.models.context_size import ContextSize, complete_and_learn, context_size
from memalign.models.deadline import ExpectedTokens, call_within, retried
from memalign.models.endpoint import Endpoint
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.models.providers import endpoint_of
from memalign.models.server_context import server_context
from memalign.models.structured_answer import (
    THINKING_TOKENS,
    Reading,
    StructuredCall,
    complete_structured,
)
from memalign.ports import Completion, Prompt, PromptRoom
from memalign.records import Json
from memalign.tokens import count_tokens

MIN_THINKING_TOKENS = 500
"""With less room for thoughts than this, a model that thinks is not asked again. Set by hand."""
_STATUSES_OF_REFUSED_PARAMETERS = (400, 404, 422, 500, 501)


class ChatApi(Protocol):
    """The API of a service: how its requests and answers look."""

    modes: ClassVar[Sequence[Mode]]
    """Forms to ask in, best first."""
    form_parameters: ClassVar[Sequence[str]]
    """Names of the parameters that ask for a form."""
    limit_parameters: ClassVar[Sequence[str]]
    """Names of the parameters that limit an answer's tokens."""

    def limits(self, endpoint: Endpoint, model: str) -> Sequence[str]:
        """List the names of the limit that a model may take.

        Args:
            endpoint: Where it is served.
            model: Its name there.

        Returns:
            The names, the most likely first.
        """

    def body(self, model: str, prompt: Prompt, schema: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
        """Write the body of a request, without a limit.

        Args:
            model: The model's name.
            prompt: The prompt.
            schema: JSON schema of the answer.
            mode: The form in which to ask for it.

        Returns:
            The parameters by name.
        """

    async def send(self, endpoint: Endpoint, body: Mapping[str, Json], query: Mapping[str, Json]) -> str:
        """Send a request.

        Args:
            endpoint: Where to.
            body: Its parameters.
            query: Parameters of the address.

        Returns:
            The response's body.

        Raises:
            ModelError: If the call fails; its cause is the SDK's error.
        """

    def read(self, text: str, schema: Mapping[str, Json], mode: Mode) -> Reading:
        """Read a response.

        Args:
            text: Its body.
            schema: JSON schema of the answer.
            mode: The form in which it was asked for.

        Returns:
            The answer, with what is to be known of it.
        """

    async def fetch(self, endpoint: Endpoint, address: str, body: Json) -> Json:
        """See `memalign.models.server_context.Fetch`."""


class ServedModel:
    """A chat model behind a service's API.

    Args:
        api: Of the service.
        provider: As in `provider:/name`.
        model: The model's name at its service.
        options: Of the model.
    """

    def __init__(
        self, api: ChatApi, provider: str, model: str, options: ModelOptions = DEFAULT_OPTIONS
    ) -> None:
        self._api = api
        self._provider = provider
        self._model = model
        self._options = options
        self._own_body: Mapping[str, Json] = options.own_body

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return f"{self._provider}:/{self._model}"

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        """See `memalign.ports.LanguageModel.prompt_room`."""
        return await run_on_private_loop(self._prompt_room(answer_tokens))

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        """See `memalign.ports.LanguageModel.complete`."""
        return await run_on_private_loop(self._complete(prompt, schema))

    async def _prompt_room(self, answer_tokens: int) -> PromptRoom:
        endpoint = self._endpoint()
        size = self._context_size(endpoint)
        fetch = partial(self._api.fetch, endpoint)
        await size.look_up(lambda: server_context(fetch, endpoint.base_url or "", self._model))
        thoughts = THINKING_TOKENS if self._known(endpoint).thinks else 0
        return size.room(
            self._known(endpoint).answer_tokens(self._options.max_output_tokens or answer_tokens + thoughts)
        )

    async def _complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        endpoint = self._endpoint()
        size = self._context_size(endpoint)

        async def complete(deadline: asyncio.Timeout) -> Completion:
            call = self._call(endpoint, prompt, schema, deadline)
            return await complete_and_learn(size, prompt, lambda: complete_structured(call))

        expected = ExpectedTokens(
            prompt=count_tokens(prompt.stable) + count_tokens(prompt.changing), answer=prompt.answer_tokens
        )
        return await call_within(self.name, self._options.timeout_seconds, expected, complete)

    def _call(
        self, endpoint: Endpoint, prompt: Prompt, schema: Mapping[str, Json], deadline: asyncio.Timeout
    ) -> StructuredCall:
        known = self._known(endpoint)

        async def ask(mode: Mode, tokens: int | None) -> str:
            sent = without_bounds(schema) if known.refuses_bounds else schema
            body = self._api.body(self._model, prompt, sent, mode)
            try:
                return await self._ask(endpoint, body, mode, tokens, deadline)
            except BoundRefusedError:
                known.refuses_bounds = True
                return await ask(mode, tokens)

        limits_itself = any(name in self._own_body for name in self._api.limit_parameters)
        return StructuredCall(
            name=self.name,
            modes=self._modes(),
            capabilities=known,
            answer_tokens=None if limits_itself else prompt.answer_tokens,
            thinking_tokens=self._thinking_tokens(endpoint, prompt),
            ask=ask,
            read=lambda mode, text: self._api.read(text, schema, mode),
        )

    async def _ask(
        self,
        endpoint: Endpoint,
        body: Mapping[str, Json],
        mode: Mode,
        tokens: int | None,
        deadline: asyncio.Timeout,
    ) -> str:
        """Ask with the limit under one name after the other, until one is taken."""
        known = self._known(endpoint)
        limits = [] if tokens is None else known.limits(self._api.limits(endpoint, self._model))
        for limit in limits or [None]:
            own = {**body, **self._own_body}
            try:
                if limit is None or tokens is None:
                    return await retried(partial(self._send, endpoint, own, mode, None), deadline)
                return await self._ask_limited(endpoint, own, mode, (limit, tokens), deadline)
            except ParameterRefusedError as error:
                if limit is None or limit not in error.names:
                    raise
                known.refused_limits.add(limit)
        raise AssertionError("the last name is none, and cannot be refused")

    async def _ask_limited(
        self,
        endpoint: Endpoint,
        body: Mapping[str, Json],
        mode: Mode,
        limit: tuple[str, int],
        deadline: asyncio.Timeout,
    ) -> str:
        """Ask with a limit, given as its name and the tokens; with a lower one where the model cannot write so many."""
        known, (name, tokens) = self._known(endpoint), limit
        while True:
            sent = {**body, name: known.answer_tokens(tokens)}
            try:
                return await retried(partial(self._send, endpoint, sent, mode, name), deadline)
            except AnswerLimitError as error:
                known.max_answer_tokens = error.max_tokens

    async def _send(self, endpoint: Endpoint, body: Mapping[str, Json], mode: Mode, limit: str | None) -> str:
        try:
            return await self._api.send(endpoint, body, self._options.params.get("extra_query", {}))
        except ModelError as error:
            lower = None if limit is None else _lower_limit(error, body[limit])
            if lower is not None:
                raise AnswerLimitError(str(error), max_tokens=lower) from error.__cause__
            if _refuses_bounds(error, body):
                raise BoundRefusedError(str(error)) from error.__cause__
            names = _refused(error, mode, limit)
            if not names:
                raise
            raise ParameterRefusedError(str(error), names=names) from error.__cause__

    def _modes(self) -> Sequence[Mode]:
        if any(name in self._own_body for name in self._api.form_parameters):
            return ("none",)
        chosen = self._options.structured
        return self._api.modes if chosen == "auto" else (chosen,)

    def _thinking_tokens(self, endpoint: Endpoint, prompt: Prompt) -> int:
        """Return the tokens that an answer may have besides, if thinking has taken all it had."""
        if self._options.max_output_tokens is not None or self._known(endpoint).thinks:
            return 0
        size = self._context_size(endpoint)
        estimate = count_tokens(prompt.stable) + count_tokens(prompt.changing)
        spare = size.tokens - int(estimate * size.tokens_per_estimate) - prompt.answer_tokens
        return min(THINKING_TOKENS, spare) if spare >= MIN_THINKING_TOKENS else 0

    def _endpoint(self) -> Endpoint:
        return endpoint_of(self._provider, self._model, self._options)

    def _known(self, endpoint: Endpoint) -> Capabilities:
        return capabilities_of(self._provider, endpoint.base_url, self._model)

    def _context_size(self, endpoint: Endpoint) -> ContextSize:
        return context_size(endpoint.base_url, self._model, self._options.context_tokens)


def _lower_limit(error: ModelError, sent: int) -> int | None:
    """Return the most tokens that a service takes, where it refused a request for having asked for more."""
    if not isinstance(error, RequestRefusedError | RequestFailedError):
        return None
    if getattr(error.__cause__, "status_code", None) not in _STATUSES_OF_REFUSED_PARAMETERS:
        return None
    tokens = answer_limit(str(error.__cause__))
    return tokens if tokens is not None and tokens < sent else None


def _refuses_bounds(error: ModelError, body: Mapping[str, Json]) -> bool:
    """Return whether a request was refused for the bounds of lists in its schema."""
    status = getattr(error.__cause__, "status_code", None)
    return status in _STATUSES_OF_REFUSED_PARAMETERS and refused_bounds(str(error.__cause__), body)


def _refused(error: ModelError, mode: Mode, limit: str | None) -> frozenset[str]:
    """Return what a request was refused for: the limit's name, or forms; nothing for any other reason."""
    status = getattr(error.__cause__, "status_code", None)
    is_other = isinstance(error, ContentRefusedError | PromptTooLongError)
    if is_other or not isinstance(error, ModelRefusedError | RequestFailedError):
        return frozenset()
    if status not in _STATUSES_OF_REFUSED_PARAMETERS:
        return frozenset()
    words = str(error.__cause__)
    if limit is not None and refused_parameter(words, [limit]):
        return frozenset({limit})
    return refused_forms(words, mode)
