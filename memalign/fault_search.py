"""Search for the items of a batch that a model's service fails at or refuses, while it answers others."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from memalign.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ModelError,
    RequestFailedError,
    RequestRefusedError,
)

ItemT = TypeVar("ItemT", bound=Hashable)
ResultT = TypeVar("ResultT")

MAX_SPLITS = 24
"""Enough to find three bad items among 256, as each takes up to log2(256) = 8 splits."""
MAX_FAILURES_IN_A_ROW = 4
"""Failures after which a service that answered before is probed again: it may be down by now. Set by hand."""
MAX_REMEMBERED_FAULTS = 10_000
MAX_FAULTS_RETRIED = 8
"""Items known as faulty that are tried again at a time, each in a call of its own. Set by hand."""
_SPLITTING = (RequestFailedError, RequestRefusedError, MalformedAnswerError)
"""Errors for which another, smaller batch may pass."""


class FaultSearch(Generic[ItemT]):
    """The search in one task, shared by its batches: it asks a service that is down for next to nothing.

    Args:
        probe: Asks the service for the least that it can do. Where it fails as well, no item is to blame.
        max_splits: Times that batches may be halved, 24 by default.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]], *, max_splits: int = MAX_SPLITS) -> None:
        self.faulty: dict[ItemT, ModelError] = {}
        """The items found at fault, each with its error."""
        self._probe = probe
        self._splits_left = max_splits
        self._has_answered = False
        self._failures_in_a_row = 0
        self._down: ModelError | None = None
        self._lock = asyncio.Lock()

    async def call(
        self, items: Sequence[ItemT], call: Callable[[Sequence[ItemT]], Awaitable[ResultT]]
    ) -> list[tuple[Sequence[ItemT], ResultT | ModelError]]:
        """Call a model with a batch; where that fails for what the batch holds, call it with each half.

        Args:
            items: The batch; not empty.
            call: Asks the model about some of the items.

        Returns:
            Parts of the batch in order, each with its result, or with the error that is left.
        """
        if self._down is not None:
            return [(items, self._down)]
        try:
            result = await call(items)
        except ModelError as error:
            if len(items) == 1:
                return [(items, await self._settle(items[0], error))]
            if not await self._may_split(error):
                return [(items, error)]
        else:
            self._has_answered, self._failures_in_a_row = True, 0
            return [(items, result)]
        self._splits_left -= 1
        middle = len(items) // 2
        return [*await self.call(items[:middle], call), *await self.call(items[middle:], call)]

    async def _may_split(self, error: ModelError) -> bool:
        if not isinstance(error, _SPLITTING) or self._splits_left <= 0:
            return False
        return not isinstance(error, RequestFailedError) or await self._is_up(error)

    async def _settle(self, item: ItemT, error: ModelError) -> ModelError:
        """Find out whether a single item is at fault, and return the error to report."""
        if isinstance(error, MalformedAnswerError):
            at_fault = self._has_answered
        elif isinstance(error, ContentRefusedError):
            at_fault = True
        else:
            at_fault = isinstance(error, _SPLITTING) and await self._is_up(error)
        if not at_fault:
            return error
        if isinstance(error, RequestFailedError):
            error = RequestFailedError(error.blame, blame=error.blame, retry_after=error.retry_after)
        self.faulty[item] = error
        return error

    async def _is_up(self, error: ModelError) -> bool:
        """Tell whether the service answers anything at all; a probe finds out where nothing has shown it."""
        async with self._lock:
            if self._down is not None:
                return False
            self._failures_in_a_row += 1
            if self._has_answered and self._failures_in_a_row < MAX_FAILURES_IN_A_ROW:
                return True
            try:
                await self._probe()
            except MalformedAnswerError:
                pass
            except ModelError:
                self._down = error
                return False
            self._has_answered, self._failures_in_a_row = True, 0
            return True


class KnownFaults:
    """The items that were found at fault, so that the next search does not begin anew. Bounded; kept in memory only."""

    def __init__(self) -> None:
        self._reasons: OrderedDict[Hashable, str] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        """Return whether an item was found at fault when it was tried last."""
        return key in self._reasons

    def reason(self, key: Hashable) -> str:
        """Look up why an item failed.

        Args:
            key: The item's.

        Returns:
            The sentence; empty for an item that is not known.
        """
        return self._reasons.get(key, "")

    def add(self, key: Hashable, reason: str) -> None:
        """Note an item that was found at fault.

        Args:
            key: The item's.
            reason: The sentence for a person.
        """
        self._reasons[key] = reason
        self._reasons.move_to_end(key)
        if len(self._reasons) > MAX_REMEMBERED_FAULTS:
            self._reasons.popitem(last=False)

    def remove(self, keys: Iterable[Hashable]) -> None:
        """Note that items are at fault no longer, or are not wanted any more.

        Args:
            keys: The items'; unknown ones are passed over.
        """
        for key in keys:
            self._reasons.pop(key, None)

    def next_tries(self, keys: Iterable[Hashable]) -> set[Hashable]:
        """Choose the items at fault to try again: those whose last try is longest ago, some at a time.

        Args:
            keys: All that are wanted.

        Returns:
            At most `MAX_FAULTS_RETRIED` of them.
        """
        wanted = set(keys)
        in_order = (key for key in self._reasons if key in wanted)
        return {key for key, _ in zip(in_order, range(MAX_FAULTS_RETRIED), strict=False)}
