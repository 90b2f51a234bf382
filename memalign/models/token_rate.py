"""A rate of tokens a minute that model calls keep to.

A window of a minute slides over the calls. A call takes the tokens of its prompt, and until its real cost is known
those that its answer may have. It begins once there is room for them; a call that alone takes more waits until no other
is in the window. It stays in the window until a minute after its end: a service may count it at any moment in between.
So within no minute more is used than the rate allows, but for one call and for what estimates were too low.
"""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
MIN_PAUSE_SECONDS = 0.01
"""A clock that counts in larger steps than the pause would not go on."""
CALLS_REMEMBERED = 50
"""Calls of a model by which the cost of its next one is estimated, beside the prompt. Set by hand."""


@dataclass(slots=True)
class TokenCost:
    """The tokens of one call."""

    tokens: int | None = None
    """The real number; None while it is not known."""


class TokenRate:
    """Lets calls begin as fast as a rate of tokens allows. Only for use on the private loop.

    Args:
        tokens_per_minute: Most tokens within any minute.
    """

    def __init__(self, tokens_per_minute: int) -> None:
        self._limit = tokens_per_minute
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()
        self._under_way = 0
        """Tokens of calls that have begun and not ended."""
        self._ended: deque[tuple[float, int]] = deque()
        """Time of its end, and tokens, of each call that has ended within the window."""
        self._beyond_prompt: defaultdict[str, deque[int]] = defaultdict(
            lambda: deque(maxlen=CALLS_REMEMBERED)
        )
        """Model -> what its last calls took beside the estimate of their prompts."""

    @asynccontextmanager
    async def room(self, model: str, prompt_tokens: int, answer_tokens: int) -> AsyncIterator[TokenCost]:
        """Wait until there is room for a call, and take it; calls get it in the order in which they ask.

        Args:
            model: The model as `provider:/name`.
            prompt_tokens: Estimated tokens of the prompt.
            answer_tokens: Most tokens of the answer; used while no answer of the model is known.

        Yields:
            The call's cost, to be filled in once it is known; else the estimate counts.
        """
        async with self._turn:
            while True:
                # the calls that end meanwhile tell what this one will take
                estimate = max(prompt_tokens + max(self._beyond_prompt[model], default=answer_tokens), 1)
                pause = self._pause(estimate)
                if pause <= 0:
                    break
                self._freed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause if pause < math.inf else None):
                        await self._freed.wait()
            self._under_way += estimate
        cost = TokenCost()
        try:
            yield cost
        finally:
            if cost.tokens is not None:
                self._beyond_prompt[model].append(cost.tokens - prompt_tokens)
            self._under_way -= estimate
            self._ended.append((_now(), estimate if cost.tokens is None else cost.tokens))
            self._freed.set()

    def _pause(self, tokens: int) -> float:
        """Return the seconds until there is room for so many tokens, by what has ended so far."""
        begin = _now() - WINDOW_SECONDS
        while self._ended and self._ended[0][0] <= begin:
            self._ended.popleft()
        excess = self._under_way + sum(used for _, used in self._ended) + tokens - self._limit
        if excess <= 0 or not (self._ended or self._under_way):
            return 0.0
        for end, used in self._ended:
            excess -= used
            if excess <= 0:
                return max(end - begin, MIN_PAUSE_SECONDS)
        return math.inf if self._under_way else max(self._ended[-1][0] - begin, MIN_PAUSE_SECONDS)


def _now() -> float:
    return asyncio.get_running_loop().time()
