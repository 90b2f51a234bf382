"""A receiver of events, of any kind, as the worker that tells it sees it."""

from typing import Protocol

from storage.records import EventSubscription, OutboundEvent


class EventReceiver(Protocol):
    """Something outside that is told of changes."""

    @property
    def name(self) -> str:
        """The receiver as the status calls it; it holds no secret."""
        ...

    @property
    def subscription(self) -> EventSubscription:
        """The changes that it is told of, and the key by which the store knows it."""
        ...

    async def deliver(self, event: OutboundEvent) -> bool:
        """Tell it of a change; False where there is nothing to tell any more.

        Raises:
            ReceiverUnavailableError: it takes nothing for now.
            ReceiverGoneError: it wants nothing any more.
            EventRefusedError: it does not take this event.
            EventRejectedError: it never will.
            StorageError: the store does not answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections; the next delivery opens new ones."""
        ...
