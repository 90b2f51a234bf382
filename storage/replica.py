"""Processes that work on one store together: duties, of which each is one process's at a time, and news of changes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection
from typing import Protocol

ANNOUNCED_TABLES = frozenset(
    ("forget_requests", "jobs", "memories", "outbox", "pending_feedback", "thread_statuses", "unread_replies")
)
"""Tables of whose changes other replicas are told at once; for the others each looks by itself."""


class Term(Protocol):
    """The time in which a process has a duty, alone of all that work on the store."""

    async def ended(self) -> None:
        """Wait until the process has the duty no more."""


class Replica(Protocol):
    """This process among those that work on the store."""

    @property
    def id(self) -> str:
        """Its id, another one at each start."""

    async def run(self) -> None:
        """Keep its duties and hear of changes, until cancelled."""

    async def lead(self, duty: str) -> Term:
        """Wait until this process has the duty."""

    def leads(self, duty: str) -> bool:
        """Return whether this process has the duty now."""

    async def dead(self, ids: Collection[str]) -> set[str]:
        """Return those of some replicas that are surely gone. Raises `StorageError`."""

    def changes(self) -> AsyncIterator[frozenset[str] | None]:
        """Yield the tables that others have changed; None: it may be any of them."""

    async def leave(self) -> None:
        """Give all duties back at once."""


class LoneReplica:
    """The one process that works on a store in a folder: all duties are its own. Satisfies `Replica`."""

    def __init__(self) -> None:
        self._id = secrets.token_hex(4)

    @property
    def id(self) -> str:
        """Its id, another one at each start."""
        return self._id

    async def run(self) -> None:
        """Wait until cancelled: there is nobody to share with."""
        await asyncio.Event().wait()

    async def lead(self, duty: str) -> Term:  # noqa: ARG002 - each is its own
        """Return a term without an end."""
        return _EndlessTerm()

    def leads(self, duty: str) -> bool:  # noqa: ARG002 - each is its own
        """Return True."""
        return True

    async def dead(self, ids: Collection[str]) -> set[str]:
        """Return all but itself: the folder's lock keeps others out."""
        return {*ids} - {self.id}

    async def changes(self) -> AsyncIterator[frozenset[str] | None]:
        """Yield nothing: nobody else changes anything."""
        await asyncio.Event().wait()
        yield None

    async def leave(self) -> None:
        """Do nothing: the lock of the folder is given back as the store is closed."""


class _EndlessTerm:
    async def ended(self) -> None:
        await asyncio.Event().wait()
