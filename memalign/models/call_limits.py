"""Limits of the model calls of a piece of work: how many at once, and how many tokens a minute."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from memalign.errors import SettingsError
from memalign.models.token_rate import TokenCost, TokenRate


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """The limits of a piece of work; None: none but those of the process."""

    concurrency: int | None = None
    token_rate: TokenRate | None = None


_current: ContextVar[CallLimits] = ContextVar("memalign_call_limits", default=CallLimits())  # noqa: B039 - it is frozen


@contextmanager
def call_limits(*, concurrency: int | None = None, tokens_per_minute: int | None = None) -> Iterator[None]:
    """Bound the model calls that are made inside the context, whichever loop they run on.

    Args:
        concurrency: Model calls at once; None: as `memalign.models.endpoint.max_concurrency`.
        tokens_per_minute: Most tokens of all these calls within any minute, prompts, answers and embedded texts
            together; None: no limit. One rate holds for all that is inside the context.

    Yields:
        Nothing.

    Raises:
        SettingsError: If a number is below 1.
    """
    token = _current.set(new_limits(concurrency=concurrency, tokens_per_minute=tokens_per_minute))
    try:
        yield
    finally:
        _current.reset(token)


def new_limits(*, concurrency: int | None, tokens_per_minute: int | None) -> CallLimits:
    """Make limits.

    Args:
        concurrency: As for `call_limits`.
        tokens_per_minute: As for `call_limits`.

    Returns:
        The limits.

    Raises:
        SettingsError: If a number is below 1.
    """
    for name, number in (("concurrency", concurrency), ("tokens_per_minute", tokens_per_minute)):
        if number is not None and number < 1:
            raise SettingsError(f"{name} is {number}; give a whole number of at least 1.")
    rate = None if tokens_per_minute is None else TokenRate(tokens_per_minute)
    return CallLimits(concurrency=concurrency, token_rate=rate)


def concurrency_limit() -> int | None:
    """Return the number of calls at once that was set for the work at hand; None where none was."""
    return _current.get().concurrency


@asynccontextmanager
async def token_room(model: str, prompt_tokens: int, answer_tokens: int) -> AsyncIterator[TokenCost]:
    """Wait until the rate of the work at hand has room for a call; see `TokenRate.room`, without a rate for nothing."""
    rate = _current.get().token_rate
    if rate is None:
        yield TokenCost()
        return
    async with rate.room(model, prompt_tokens, answer_tokens) as cost:
        yield cost
