"""Events for receivers outside, as their worker takes, tells and notes them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from memalign.records import Json
from memalign.serialization import from_document
from storage.keys import below
from storage.outbound_queue import OutboundQueue
from storage.records import EventBacklog, EventSubscription, OutboundEvent
from storage.repository import Repository, Store, reads, writes


class OutboundEvents(Repository):
    """Subscriptions and waiting events. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, queue: OutboundQueue) -> None:
        super().__init__(store)
        self._queue = queue

    @writes
    def subscribe(self, subscriptions: Collection[EventSubscription]) -> list[str]:
        """Tell these receivers, and no others, of changes from now on; also of those that no running bot makes.

        Returns the receivers that are told nothing any more.
        """
        receivers = {each.receiver for each in subscriptions}
        former = [each.receiver for each in self._queue.subscriptions() if each.receiver not in receivers]
        for receiver in former:
            self._queue.drop_subscription(receiver)
        for each in subscriptions:
            known = self._queue.find_subscription(each.receiver)
            since_ms = None if known is None else known.failing_since_ms
            self._queue.put_subscription(replace(each, failing_since_ms=since_ms))
        return former

    async def due(self, receiver: str, now_ms: int, limit: int) -> list[OutboundEvent]:
        """Return the events that a receiver is to be told now, in order; those put off keep nobody waiting."""
        await self._release_due(self._queue.rows, now_ms)
        return await self._first(receiver, limit)

    @reads
    def _first(self, receiver: str, limit: int) -> list[OutboundEvent]:
        bodies = self._queue.rows.first(*below(receiver), limit=limit)
        return [_event_of(body) for body in bodies]

    @reads
    def backlog(self, receiver: str) -> EventBacklog:
        """Return how many events wait for a receiver."""
        return self._queue.backlog(receiver)

    @writes
    def delivered(self, event: OutboundEvent) -> None:
        """Note that a receiver has taken an event."""
        self._remove(event)
        subscription = self._queue.find_subscription(event.receiver)
        if subscription is not None and subscription.failing_since_ms is not None:
            self._queue.put_subscription(replace(subscription, failing_since_ms=None))

    @writes
    def drop(self, event: OutboundEvent) -> None:
        """Let go of an event that says nothing any more, or is given up."""
        self._remove(event)

    @writes
    def postpone(self, event: OutboundEvent, not_before_ms: int, reason: str) -> None:
        """Try an event again later that its receiver refused, and go on with those behind it."""
        self._queue.rows.postpone(event.event_id, not_before_ms, reason)

    @writes
    def note_failure(self, receiver: str, now_ms: int, longest_ms: int) -> int:
        """Note that a receiver took nothing; events are given up once it has failed, and they have waited, for so long.

        Those that tell of forgetting are not: they wait for as long as the receiver is in the settings.

        Args:
            receiver: the receiver.
            now_ms: the time, in milliseconds since 1970.
            longest_ms: how long it is tried.

        Returns:
            The number of events given up.
        """
        subscription = self._queue.find_subscription(receiver)
        if subscription is None:
            return 0
        if subscription.failing_since_ms is None or subscription.failing_since_ms > now_ms:
            self._queue.put_subscription(replace(subscription, failing_since_ms=now_ms))
            return 0
        if now_ms - subscription.failing_since_ms < longest_ms:
            return 0
        bodies = self._queue.rows.of_group(receiver)
        old = [event for event in map(_event_of, bodies) if now_ms - event.change.at_ms >= longest_ms]
        given_up = [event for event in old if not event.tells_of_forgetting]
        for event in given_up:
            self._queue.rows.drop(event.event_id)
        return len(given_up)

    def _remove(self, event: OutboundEvent) -> None:
        if event.tells_of_forgetting:  # it names what was forgotten
            self._store.vacuum.note_due()
        self._queue.rows.drop(event.event_id)


def _event_of(body: Mapping[str, Json]) -> OutboundEvent:
    return from_document(OutboundEvent, body)
