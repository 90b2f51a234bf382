"""Batches of items for model calls: by number and tokens, and in halves where one item spoils a call."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from memalign.errors import ModelError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

MAX_SPLITS = 24
"""Enough to find three bad items among 256, as each takes up to log2(256) = 8 splits."""


@dataclass(slots=True)
class SplitBudget:
    """Number of times that batches may still be halved; shared by the batches of one task."""

    left: int = MAX_SPLITS


def token_batches(
    items: Iterable[ItemT], tokens_of: Callable[[ItemT], int], *, max_items: int, max_tokens: int
) -> Iterator[list[ItemT]]:
    """Cut a sequence into batches, in order.

    Args:
        items: What to batch.
        tokens_of: Returns the tokens that an item takes in a call.
        max_items: Most items in a batch.
        max_tokens: Most tokens in a batch. An item above it is a batch of its own.

    Yields:
        Batches, none of them empty.
    """
    batch: list[ItemT] = []
    tokens = 0
    for item in items:
        size = tokens_of(item)
        if batch and (len(batch) == max_items or tokens + size > max_tokens):
            yield batch
            batch, tokens = [], 0
        batch.append(item)
        tokens += size
    if batch:
        yield batch


async def call_in_halves(
    items: Sequence[ItemT],
    call: Callable[[Sequence[ItemT]], Awaitable[ResultT]],
    refusals: tuple[type[ModelError], ...],
    budget: SplitBudget,
) -> list[tuple[Sequence[ItemT], ResultT | ModelError]]:
    """Call a model with a batch; where it refuses the batch, call it with each half.

    Args:
        items: The batch; not empty.
        call: Asks the model about some of the items.
        refusals: Errors for which another, smaller batch may pass. Others end the attempt.
        budget: Counted down with every split.

    Returns:
        Parts of the batch in order, each with its result, or with the error that is left.
    """
    try:
        return [(items, await call(items))]
    except ModelError as error:
        if not isinstance(error, refusals) or len(items) == 1 or budget.left <= 0:
            return [(items, error)]
    budget.left -= 1
    middle = len(items) // 2
    return [
        *await call_in_halves(items[:middle], call, refusals, budget),
        *await call_in_halves(items[middle:], call, refusals, budget),
    ]
