"""Errors of receivers of events: the end of a sentence that begins with the receiver, fit for the status."""

from memalign.errors import MemAlignError


class EventDeliveryError(MemAlignError):
    """A receiver did not take an event."""


class ReceiverUnavailableError(EventDeliveryError):
    """The receiver cannot be reached, has too much to do, fails, or lets nobody in: all events wait."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """Take the reason, and the seconds after which it asks to be called again; 0 where it does not say."""
        super().__init__(reason)
        self.retry_after = retry_after


class ReceiverGoneError(EventDeliveryError):
    """The receiver wants no events any more."""


class EventRefusedError(EventDeliveryError):
    """The receiver refuses this event, which is tried again while others go on."""


class EventRejectedError(EventDeliveryError):
    """The receiver refuses this event for good, by the rules of its protocol."""
