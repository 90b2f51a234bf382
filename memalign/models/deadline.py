"""Time limits of model calls: one for each try, with the pauses that a service asks for."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from memalign.errors import ModelUnavailableError, RequestFailedError
from memalign.models.call_limits import token_room
from memalign.models.endpoint import concurrency_slot
from memalign.records import Usage


class CallResult(Protocol):
    """A result that tells its cost."""

    @property
    def usage(self) -> Usage:
        """The cost of the call."""


T = TypeVar("T")
ResultT = TypeVar("ResultT", bound=CallResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTokens:
    """Estimated tokens of a call."""

    prompt: int
    answer: int
    """Most tokens of the answer."""


CONNECT_SECONDS = 10.0
"""Time limit of opening a connection; another attempt follows. Set by hand."""
MAX_TRIES_OVER_TIME = 2
"""A try that took too long is made once more, for the connection may hang alone. Further ones are left to whoever asked
for the call."""
MAX_RETRIES = 4
"""Further attempts within a call, on 408, 409, 429, 503 and lost connections. Set by hand; the SDKs' default is 2."""
MAX_RETRIES_OF_FAILURE = 2
"""Further attempts on 5xx, which what the request holds may cause; the SDKs' default."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
"""Pauses double between the two, unless the service asks for another; as the services' own SDKs do."""


async def call_within(
    name: str, seconds: float, expected: ExpectedTokens, call: Callable[[asyncio.Timeout], Awaitable[ResultT]]
) -> ResultT:
    """Call a model in one of the process's slots and within a time limit; once more where it takes longer.

    Each try has the whole time, so that a model which always needs most of it can answer. The time in which a try
    waits for its slot, or for the rate of tokens, does not count. Only for use on the private loop.

    Args:
        name: The model as `provider:/name`, for the error.
        seconds: The time limit of a try.
        expected: The tokens of a try, for the rate.
        call: Makes the call; it is handed the time limit of the try, for `retried`.

    Returns:
        The call's result.

    Raises:
        RequestFailedError: If both tries took longer.
        ModelError: If a call fails otherwise.
    """
    for _ in range(MAX_TRIES_OVER_TIME):
        async with concurrency_slot(), token_room(name, expected.prompt, expected.answer) as cost:
            try:
                async with asyncio.timeout(seconds) as deadline:
                    result = await call(deadline)
            except TimeoutError:
                continue
            usage = result.usage
            cost.tokens = (usage.input_tokens + usage.output_tokens + usage.embedding_tokens) or None
            return result
    slow = f"{name} took longer than {seconds:g} s"
    raise RequestFailedError(
        f"{slow}; set timeout_seconds of this model higher, or choose a faster one.",
        blame=f"{slow} on this request, while it answers others.",
    )


async def retried(attempt: Callable[[], Awaitable[T]], deadline: asyncio.Timeout) -> T:
    """Make an attempt, and up to `MAX_RETRIES` more while the service is not available.

    Args:
        attempt: Makes one attempt.
        deadline: The call's time limit. A pause that does not fit into it is not begun: the caller learns at once
            what the service answered.

    Returns:
        The attempt's result.

    Raises:
        ModelUnavailableError: If the service is still not available.
        ModelError: If an attempt fails otherwise.
    """
    for retries in range(MAX_RETRIES + 1):
        try:
            return await attempt()
        except ModelUnavailableError as error:
            pause = _backoff(retries) if error.retry_after is None else error.retry_after
            is_last = retries == _most_retries(error)
            if is_last or not _fits(pause, deadline):
                raise
            await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _most_retries(error: ModelUnavailableError) -> int:
    return MAX_RETRIES_OF_FAILURE if isinstance(error, RequestFailedError) else MAX_RETRIES


def _backoff(retries: int) -> float:
    pause = min(_FIRST_PAUSE_SECONDS * float(2**retries), _LONGEST_PAUSE_SECONDS)
    return pause * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing


def _fits(pause: float, deadline: asyncio.Timeout) -> bool:
    end = deadline.when()
    return end is None or asyncio.get_running_loop().time() + pause < end
