"""Common ground of all model services: address and key, concurrency, fallback, and errors."""

import asyncio
import logging
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from memalign.errors import (
    MalformedAnswerError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    SettingsError,
)
from memalign.models.address import check_address
from memalign.models.bounded_answer import MAX_ANSWER_BYTES
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions
from memalign.ports import Completion
from memalign.records import Json, Usage

T = TypeVar("T")

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 8
"""Model calls at once in this process."""
LARGE_ANSWER_CHARACTERS = 100_000
"""An answer of this size is read in a thread: it would hold up all other calls for a millisecond or more."""
NO_KEY = "none"
"""Sent to compatible servers that want no key."""
MAX_LOGGED_CHARACTERS = 2000
"""Of a service's own words in the log."""
_CONNECTION_PROBLEMS = {
    "TimeoutError": "no answer in time",
    "ClientConnectorCertificateError": "its certificate is not accepted",
    "SSLError": "its certificate is not accepted",
    "ClientConnectorDNSError": "its name is not known",
    "ConnectionRefusedError": "nothing listens there",
    "ClientConnectorError": "nothing listens there",
    "ServerDisconnectedError": "it broke the connection off",
    "ConnectionResetError": "it broke the connection off",
}
"""Class of an error, or of one it derives from -> the problem; the first that fits."""
_CONCURRENCY_VARIABLES = ("MEMALIGN_MAX_WORKERS", "MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS")
_semaphores: dict[int, asyncio.Semaphore] = {}


def max_concurrency() -> int:
    """Read how many model calls may run at once in this process.

    Returns:
        The number in MEMALIGN_MAX_WORKERS or MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS; 8 by default.

    Raises:
        SettingsError: If the variable holds no whole number of at least 1.
    """
    for variable in _CONCURRENCY_VARIABLES:
        text = os.environ.get(variable, "").strip()
        if text:
            if not text.isdecimal() or int(text) < 1:
                raise SettingsError(f"{variable} is {text!r}; set a whole number of at least 1.")
            return int(text)
    return DEFAULT_CONCURRENCY


@asynccontextmanager
async def concurrency_slot() -> AsyncIterator[None]:
    """Hold one of the process's slots for model calls; wait for one while all are taken.

    Only for use on the private loop, which makes the limit process-wide.

    Yields:
        Nothing.

    Raises:
        SettingsError: As `max_concurrency`.
    """
    slots = max_concurrency()
    async with _semaphores.setdefault(slots, asyncio.Semaphore(slots)):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Address and key of a provider."""

    provider: str
    """As in `provider:/name`."""
    key: str = field(repr=False)
    base_url: str | None
    """None: the provider's own."""
    key_variable: str
    """The environment variable of the key, for errors."""
    base_url_name: str
    """The environment variable or the option of the address, for errors."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """HTTP headers to send, by name."""

    def failure(
        self,
        model: str,
        error: BaseException,
        status: int | None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> ModelError:
        """Make the error for a person.

        Args:
            model: The model's name, without provider.
            error: What the SDK raised.
            status: HTTP status of the answer; None when there was no answer.
            headers: The answer's headers.

        Returns:
            The error to raise, with the remedy, and never with the key or with words of the service.
        """
        name = f"{self.provider}:/{model}"
        self._log_words(model, error)
        if status is None:
            return ModelUnavailableError(
                f"{name} cannot be reached ({connection_problem(error)}); check the network and "
                f"{self.base_url_name}, it is tried again later."
            )
        if status in (401, 403):
            return ModelRefusedError(
                f"{name} refuses the key ({status}); set {self.key_variable} to a valid key."
            )
        if status == 404:
            return ModelRefusedError(
                f"{name} is not known to its service ({status}); correct the model's name."
            )
        if status in (408, 409, 429) or status >= 500:
            return ModelUnavailableError(
                f"{name} is overloaded or down ({status}); it is tried again later.",
                retry_after=retry_after_seconds(headers),
            )
        return RequestRefusedError(
            f"{name} refused the request ({status}): its content, its length or an option is not accepted there."
        )

    def unreadable(self, model: str) -> MalformedAnswerError:
        """Make the error for an answer that the SDK cannot read.

        Args:
            model: The model's name, without provider.

        Returns:
            The error to raise.
        """
        return MalformedAnswerError(
            f"{self.provider}:/{model} gave an answer that cannot be read; it is tried again later."
        )

    def oversize(self, model: str) -> MalformedAnswerError:
        """Make the error for an answer that does not end within `MAX_ANSWER_BYTES`.

        Args:
            model: The model's name, without provider.

        Returns:
            The error to raise.
        """
        return MalformedAnswerError(
            f"{self.provider}:/{model} gave an answer of more than {MAX_ANSWER_BYTES // 10**6} MB; "
            "it is tried again later."
        )

    def _log_words(self, model: str, error: BaseException) -> None:
        """Log the service's own words, which may quote the prompt; so they are nowhere but at this level."""
        words = " ".join(str(error).split())
        if self.key != NO_KEY:
            words = words.replace(self.key, "…")
        log.debug("%s:/%s: %s", self.provider, model, words[:MAX_LOGGED_CHARACTERS])


def connection_problem(error: BaseException) -> str:
    """Say in a few words of ours why a service was not reached.

    Args:
        error: The error of the connection.

    Returns:
        A phrase for a sentence in brackets.
    """
    names = {cause.__name__ for cause in type(error).__mro__}
    for name, phrase in _CONNECTION_PROBLEMS.items():
        if name in names:
            return phrase
    return "no connection"


def endpoint_of(provider: str, model: str, options: ModelOptions = DEFAULT_OPTIONS) -> Endpoint:
    """Read where a model is reached and with which key.

    Args:
        provider: openai or anthropic.
        model: The model's name, for the error.
        options: Of the model; what they leave out is read from the environment.

    Returns:
        The endpoint, from PROVIDER_API_KEY and PROVIDER_BASE_URL where the options name no others.

    Raises:
        ModelRefusedError: If neither a key nor an address of its own is set.
        SettingsError: If the address is none, or holds a user name or password.
    """
    variable = f"{provider.upper()}_API_KEY" if options.api_key_env is None else options.api_key_env
    base_url, base_url_name = _base_url(provider, model, options)
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key and (options.api_key_env or base_url is None):
        raise ModelRefusedError(
            f"{provider}:/{model} needs a key; set {variable}, or choose a local:/ model."
        )
    return Endpoint(
        provider=provider,
        key=key or NO_KEY,
        base_url=base_url,
        key_variable=variable or "api_key_env",
        base_url_name=base_url_name,
        headers=tuple(options.resolved_headers().items()),
    )


def _base_url(provider: str, model: str, options: ModelOptions) -> tuple[str | None, str]:
    """Return the address, and the name of what holds it."""
    if options.base_url is not None:
        return options.base_url, f"base_url of {provider}:/{model}"
    variable = f"{provider.upper()}_BASE_URL"
    base_url = os.environ.get(variable, "").strip() or None
    if base_url is not None:
        check_address(variable, base_url)
    return base_url, variable


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read after how long a service asks to be called again.

    Args:
        headers: The headers of its answer, by names in lower case.

    Returns:
        The seconds in `retry-after-ms` or `retry-after`; None when there are none. A date is not read.
    """
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(header, "")) * unit
        except ValueError:
            continue
        if 0 <= seconds < math.inf:
            return seconds
    return None


async def read_answer(read: Callable[[str], T], text: str) -> T:
    """Read an answer, a large one in a thread of its own.

    Args:
        read: Parses the text.
        text: The answer's body.

    Returns:
        What `read` returns.
    """
    return await asyncio.to_thread(read, text) if len(text) >= LARGE_ANSWER_CHARACTERS else read(text)


async def complete_with_fallback(
    name: str,
    schema: Mapping[str, Json],
    ask: Callable[[Mapping[str, Json] | None], Awaitable[str]],
    read: Callable[[str], tuple[Mapping[str, Json] | None, Usage]],
) -> Completion:
    """Ask for an answer by a schema, and once more without where the schema or the answer was refused.

    Args:
        name: The model as `provider:/name`, for the error.
        schema: The JSON schema of the answer.
        ask: Sends the prompt, with a schema or None for without, and returns the response's body.
        read: Takes the answer (None when there is none that fits) and the cost from a body.

    Returns:
        The answer, with the cost of both calls.

    Raises:
        RequestRefusedError: If the service refuses the request without schema too.
        MalformedAnswerError: If neither answer fits the schema.
        ModelError: If a call fails otherwise.
    """
    usage = Usage()
    for requested in (schema, None):
        try:
            body = await ask(requested)
        except RequestRefusedError:
            if requested is None:
                raise
            continue
        answer, cost = await read_answer(read, body)
        usage += cost
        if answer is not None:
            return Completion(answer=answer, usage=usage)
    raise MalformedAnswerError(f"{name} did not answer in the form asked for; it is tried again later.")
