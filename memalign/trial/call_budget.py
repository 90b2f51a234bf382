"""Budgets of model calls for trials."""

from typing import Protocol


class CallBudget(Protocol):
    """Model calls that may be spent."""

    async def take(self, calls: int) -> int:
        """Take calls before they are made, so that none is spent twice whatever happens then.

        Args:
            calls: Number of calls wanted.

        Returns:
            The number that may be made, from 0 to `calls`.

        Raises:
            StorageError: If the budget is kept in a store that fails; nothing is taken then.
        """


class FixedBudget:
    """A budget of this process.

    Args:
        calls: Calls that may be made in all.
    """

    def __init__(self, calls: int) -> None:
        self.left = calls

    async def take(self, calls: int) -> int:
        """See `CallBudget.take`."""
        taken = min(calls, self.left)
        self.left -= taken
        return taken
