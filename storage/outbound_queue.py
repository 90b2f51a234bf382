"""Events that receivers outside are to be told of, written with the changes that they tell of; inside a transaction.

A row holds ids, never words: what is forgotten meanwhile cannot be told.
"""

import secrets
import time
from collections.abc import Iterable, Mapping

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document, Documents
from storage.keys import below, exactly, key, stamp
from storage.queue import ALL, Queue
from storage.records import (
    FORGOTTEN_TYPES,
    EventBacklog,
    EventSubscription,
    OutboundChange,
    OutboundEvent,
)

EVENT_ID_BYTES = 16


class OutboundQueue:
    """The tables of subscriptions, and of events that wait for their receivers."""

    def __init__(self, documents: Documents) -> None:
        self._subscriptions = documents.declare("event_subscriptions", form=form_of(EventSubscription))
        self.rows = Queue(
            documents,
            "outbound_events",
            order=lambda body: key(body["receiver"], stamp(body["number"])),
            group="receiver",
            indexes={
                "subject": _by_subject,
                "trace": _by_trace,
                "person": _by_person,
                "refused": _by_refusal,
            },
            form=form_of(OutboundEvent),
        )

    # --- subscriptions

    def subscriptions(self) -> list[EventSubscription]:
        """Return the changes that each receiver is told of."""
        return [from_document(EventSubscription, body) for body in self._subscriptions.range()]

    def find_subscription(self, receiver: str) -> EventSubscription | None:
        """Return the changes that a receiver is told of; None for one that is told of none any more."""
        body = self._subscriptions.get(doc_id=receiver)
        return None if body is None else from_document(EventSubscription, body)

    def put_subscription(self, subscription: EventSubscription) -> None:
        """Tell a receiver of these changes from now on, and let go of others that wait for it."""
        self._subscriptions.upsert(Document(to_document(subscription), subscription.receiver))
        for body in self.rows.of_group(subscription.receiver):
            if not is_wanted(from_document(OutboundEvent, body).change, subscription):
                self.rows.drop(body.doc_id)

    def drop_subscription(self, receiver: str) -> None:
        """Tell a receiver nothing any more, and let go of what waits for it."""
        self._subscriptions.remove(doc_ids=[receiver])
        for body in self.rows.of_group(receiver):
            self.rows.drop(body.doc_id)

    # --- events

    def add(self, change: OutboundChange) -> None:
        """Tell each receiver that wants it of a change, after all that it is told of already.

        It takes the place of an event about the same that still waits: both would tell the state of then.
        """
        for subscription in self.subscriptions():
            if is_wanted(change, subscription):
                self._add(subscription.receiver, change)

    def forget_trace(self, trace_id: str) -> None:
        """Tell that a trace was forgotten, and nothing else of it any more."""
        self.drop_of_trace(trace_id)
        self.add(OutboundChange(type="trace.forgotten", at_ms=current_ms(), trace_id=trace_id))

    def forget_person(self, person: str) -> None:
        """Tell that a person's words were forgotten, and nothing else of them any more."""
        self._drop(self.rows.table.ids(*below(person), index="person"))
        self.add(OutboundChange(type="person.forgotten", at_ms=current_ms(), person=person))

    def drop_of_trace(self, trace_id: str) -> None:
        """Let go of what waits to be told of a trace."""
        self._drop(self.rows.table.ids(*below(trace_id), index="trace"))

    def backlog(self, receiver: str) -> EventBacklog:
        """Return how many events wait for a receiver, without reading them."""
        table, bounds = self.rows.table, below(receiver)
        last = table.range(*bounds, index="refused", limit=1, order="down")
        return EventBacklog(
            waiting=len(table.ids(*bounds, index=ALL)),
            refused=len(table.ids(*bounds, index="refused")),
            reason=last[0]["reason"] if last else None,
        )

    def _add(self, receiver: str, change: OutboundChange) -> None:
        place = _subject(receiver, to_document(change))
        self._drop(self.rows.table.ids(*exactly(place), index="subject"))
        last = self.rows.table.range(*below(receiver), index=ALL, limit=1, order="down")
        event = OutboundEvent(
            event_id=f"evt_{secrets.token_hex(EVENT_ID_BYTES)}",
            receiver=receiver,
            number=int(last[0]["number"]) + 1 if last else 1,
            change=change,
        )
        self.rows.put(event.event_id, to_document(event))

    def _drop(self, event_ids: Iterable[str]) -> None:
        for event_id in list(event_ids):
            self.rows.drop(event_id)


def is_wanted(change: OutboundChange, subscription: EventSubscription) -> bool:
    """Return whether a receiver is told of a change."""
    is_of_judge = not subscription.judges or change.judge in subscription.judges
    return change.type in subscription.types and (is_of_judge or change.type in FORGOTTEN_TYPES)


def current_ms() -> int:
    """Return the time of a change that comes without one, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _subject(receiver: str, change: Mapping[str, Json]) -> str:
    names = ("type", "judge", "trace_id", "verdict_id", "guideline_id", "person")
    return key(receiver, *(change[name] for name in names))


def _by_subject(body: Mapping[str, Json]) -> Iterable[str]:
    return [_subject(body["receiver"], body["change"])]


def _by_trace(body: Mapping[str, Json]) -> Iterable[str]:
    trace_id = body["change"]["trace_id"]
    return [key(trace_id, body["event_id"])] if trace_id else []


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    person = body["change"]["person"]
    return [key(person, body["event_id"])] if person else []


def _by_refusal(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["receiver"], stamp(body["number"]))] if body["attempts"] else []
