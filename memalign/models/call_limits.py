"""Limits of the model calls of a piece of work: how many at once, and how many tokens a minute."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import ParamSpec, TypeVar

from memalign.errors import SettingsError
from memalign.event_loop import call_in_forked_child
from memalign.models.token_rate import TokenCost, TokenRate

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """The limits of a piece of work; None: none but those of the process."""

    concurrency: int | None = None
    token_rate: TokenRate | None = None

    @classmethod
    def of(cls, *, concurrency: int | None, tokens_per_minute: int | None) -> "CallLimits":
        """Make limits.

        Args:
            concurrency: Model calls at once; None: as `memalign.models.endpoint.max_concurrency`.
            tokens_per_minute: Most tokens within any minute, prompts, answers and embedded texts together, of all calls
                in this process whose limits name the same number; None: no limit.

        Returns:
            The limits.

        Raises:
            SettingsError: If a number is below 1.
        """
        for name, number in (("concurrency", concurrency), ("tokens_per_minute", tokens_per_minute)):
            if number is not None and number < 1:
                raise SettingsError(f"{name} is {number}; give a whole number of at least 1.")
        rate = None if tokens_per_minute is None else _token_rate(tokens_per_minute)
        return cls(concurrency=concurrency, token_rate=rate)

    def run(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a function within these limits.

        Args:
            function: Called once.
            args: Of the function.
            kwargs: Of the function.

        Returns:
            The function's result.
        """
        context = copy_context()
        context.run(_current.set, self)
        return context.run(function, *args, **kwargs)


@lru_cache(maxsize=16)
def _token_rate(tokens_per_minute: int) -> TokenRate:
    return TokenRate(tokens_per_minute)


# a rate belongs to the private loop, of which a forked process has another
call_in_forked_child(_token_rate.cache_clear)

_current: ContextVar[CallLimits] = ContextVar("memalign_call_limits", default=CallLimits())  # noqa: B039 - it is frozen


@contextmanager
def call_limits(*, concurrency: int | None = None, tokens_per_minute: int | None = None) -> Iterator[None]:
    """Bound the model calls that are made inside the context, whichever loop they run on.

    Args:
        concurrency: As for `CallLimits.of`.
        tokens_per_minute: As for `CallLimits.of`.

    Yields:
        Nothing.

    Raises:
        SettingsError: If a number is below 1.
    """
    token = _current.set(CallLimits.of(concurrency=concurrency, tokens_per_minute=tokens_per_minute))
    try:
        yield
    finally:
        _current.reset(token)


def concurrency_limit() -> int | None:
    """Look up the number of calls at once that was set for the work at hand.

    Returns:
        The number; None where none was set.
    """
    return _current.get().concurrency


@asynccontextmanager
async def token_room(model: str, prompt_tokens: int, answer_tokens: int) -> AsyncIterator[TokenCost]:
    """Wait until the rate of the work at hand, if it has one, has room for a call.

    Args:
        model: As for `TokenRate.room`.
        prompt_tokens: As for `TokenRate.room`.
        answer_tokens: As for `TokenRate.room`.

    Yields:
        The call's cost, to be filled in.
    """
    rate = _current.get().token_rate
    if rate is None:
        yield TokenCost()
        return
    async with rate.room(model, prompt_tokens, answer_tokens) as cost:
        yield cost
