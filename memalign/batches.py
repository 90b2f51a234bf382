"""Batches of items for model calls, by number and tokens."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")


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
