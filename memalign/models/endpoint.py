"""Common ground of all model services: address and key, concurrency, fallback, and errors."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from memalign.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ModelError,
    ModelUnavailableError,
    SettingsError,
)
from memalign.event_loop import call_in_forked_child
from memalign.models.bounded_answer import MAX_ANSWER_BYTES
from memalign.models.call_limits import concurrency_limit
from memalign.models.content_refusal import withholds_answer
from memalign.models.json_answers import parse_body
from memalign.models.service_failure import FailedCall, ServiceAnswer, error_answer_of

T = TypeVar("T")

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 8
"""Model calls at once in this process."""
LARGE_ANSWER_CHARACTERS = 4_000
"""An answer of this size is read in a thread: where its JSON is broken, it would hold up all other calls."""
NO_KEY = "none"
"""Sent to compatible servers that want no key."""
_CONNECTION_PROBLEMS = {
    "TimeoutError": "no answer in time",
    "ClientConnectorCertificateError": "its certificate is not accepted",
    "SSLCertVerificationError": "its certificate is not accepted",
    "ClientConnectorSSLError": "it does not speak TLS, which https asks for",
    "SSLError": "it does not speak TLS, which https asks for",
    "ClientConnectorDNSError": "its name is not known",
    "ConnectionRefusedError": "nothing listens there",
    "ClientConnectorError": "nothing listens there",
    "gaierror": "its name is not known",
    "ServerDisconnectedError": "it broke the connection off",
    "ConnectionResetError": "it broke the connection off",
}
"""Class of an error, or of one it derives from -> the problem; the first that fits. The innermost cause counts: the
layers around it call a refused connection a timeout."""
NO_CONNECTION = "no connection"
"""The problem of any other error."""
_CONCURRENCY_VARIABLES = ("MEMALIGN_MAX_WORKERS", "MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS")
_semaphores: dict[int, asyncio.Semaphore] = {}
call_in_forked_child(_semaphores.clear)
_large_answers: dict[str, asyncio.Lock] = {}
call_in_forked_child(_large_answers.clear)


def max_concurrency() -> int:
    """Read how many model calls may run at once in this process.

    Returns:
        The number set for the work at hand by `memalign.models.call_limits`; else that in MEMALIGN_MAX_WORKERS or
        MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS; 8 by default.

    Raises:
        SettingsError: If the variable holds no whole number of at least 1.
    """
    if (limit := concurrency_limit()) is not None:
        return limit
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
    api_version: str | None = None
    """Of Azure's API by deployments; None: the API has no versions."""

    def failure(
        self, model: str, error: BaseException, answer: ServiceAnswer | None, prompt: Sequence[str] = ()
    ) -> ModelError:
        """Make the error for a person.

        Args:
            model: The model's name, without provider.
            error: What the SDK raised.
            answer: The service's answer; None when there was none.
            prompt: The texts that were sent.

        Returns:
            The error to raise, with the remedy, and never with the key or with words of the prompt.
        """
        name = f"{self.provider}:/{model}"
        status = "no answer" if answer is None else f"status {answer.status}"
        # the service's own words may quote the prompt
        log.debug("%s failed: %s, %s", name, type(error).__name__, status)
        if answer is None:
            return ModelUnavailableError(
                f"{name} cannot be reached ({connection_problem(error)}); check the network and {self.base_url_name}."
            )
        return self._call(model, prompt).error(answer)

    def _call(self, model: str, prompt: Sequence[str]) -> FailedCall:
        return FailedCall(
            name=f"{self.provider}:/{model}",
            key_variable=self.key_variable,
            address_name=self.base_url_name,
            address=self.base_url,
            secrets=self._secrets,
            prompt=prompt,
        )

    @property
    def _secrets(self) -> tuple[str, ...]:
        """Key and header values, which no sentence may show."""
        return tuple(text for text in (self.key, *dict(self.headers).values()) if text != NO_KEY)

    def check_answer(self, model: str, text: str, prompt: Sequence[str]) -> None:
        """Check that an answer with status 200 is one of a model.

        Args:
            model: The model's name, without provider.
            text: The answer's body.
            prompt: The texts that were sent.

        Raises:
            ContentRefusedError: If the model withheld its answer.
            ModelError: If the answer tells an error, or is a web page.
        """
        if len(text) >= LARGE_ANSWER_CHARACTERS:
            return
        if answer := error_answer_of(text):
            raise self._call(model, prompt).error(answer)
        if withholds_answer(parse_body(text)):
            raise ContentRefusedError(
                f"{self.provider}:/{model} refuses to answer the content of this request."
            )

    def unreadable(self, model: str) -> MalformedAnswerError:
        """Make the error for an answer that the SDK cannot read.

        Args:
            model: The model's name, without provider.

        Returns:
            The error to raise.
        """
        return MalformedAnswerError(f"{self.provider}:/{model} gave an answer that cannot be read.")

    def oversize(self, model: str) -> MalformedAnswerError:
        """Make the error for an answer that does not end within `MAX_ANSWER_BYTES`.

        Args:
            model: The model's name, without provider.

        Returns:
            The error to raise.
        """
        return MalformedAnswerError(
            f"{self.provider}:/{model} gave an answer of more than {MAX_ANSWER_BYTES // 10**6} MB."
        )


def connection_problem(error: BaseException) -> str:
    """Say in a few words of ours why a service was not reached.

    Args:
        error: The error of the connection, as the SDK or a library below it raised it.

    Returns:
        A phrase for a sentence in brackets.
    """
    phrase = "" if error.__cause__ is None else connection_problem(error.__cause__)
    if phrase not in ("", NO_CONNECTION):
        return phrase
    names = {each.__name__ for each in type(error).__mro__}
    return next((phrase for name, phrase in _CONNECTION_PROBLEMS.items() if name in names), NO_CONNECTION)


async def read_answer(read: Callable[[str], T], text: str) -> T:
    """Read an answer, a large one in a thread, one at a time: several would keep all other threads waiting.

    Only for use on the private loop.

    Args:
        read: Parses the text.
        text: The answer's body.

    Returns:
        What `read` returns.
    """
    if len(text) < LARGE_ANSWER_CHARACTERS:
        return read(text)
    async with _large_answers.setdefault("reading", asyncio.Lock()):
        return await asyncio.to_thread(read, text)
