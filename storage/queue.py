"""Work in an order, part of which must wait for a time: nobody reads past the waiting to find the ready."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from memalign.records import Json
from storage.document_forms import Form, any_form
from storage.documents import Document, Documents, QueryInstance, where
from storage.keys import LAST, below, key, stamp
from storage.table_rows import Body, Places

LONGEST_WAIT_MS = 2 * 60 * 60 * 1000
"""Longer than any pause, those that Slack or a model's service ask for included."""
MAX_RELEASED = 500
"""Items that are put back by one write, so that nobody waits long for the store."""
READY = "ready"
LATER = "later"
ALL = "all by group"
LEASED_UNTIL = "leased_until_ms"
"""Field of documents that were ever leased, 0 after; their records need not know of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A right to one item: until it ends nobody else is given the item."""

    item: Document
    until_ms: int
    """Its end, in milliseconds since 1970."""


class Queue:
    """A table of documents with the field `not_before_ms`, indexed by what is ready and what must wait.

    One process that alone takes from a queue may look at it with `first`, and remember what it works on. Several
    `take` leases, each call in a transaction of its own: what is leased waits for the end of its lease.
    """

    def __init__(
        self,
        documents: Documents,
        name: str,
        *,
        order: Callable[[Mapping[str, Json]], str],
        group: str,
        is_listed: Callable[[Mapping[str, Json]], bool] = lambda _: True,
        indexes: Mapping[str, Places] | None = None,
        form: Form = any_form,
    ) -> None:
        """Declare the table.

        Args:
            documents: where to.
            name: the table's.
            order: a document's key in the order in which work is taken.
            group: the field that tells what a document's work is for, such as the judge.
            is_listed: whether the document is in the order at all, waiting or not.
            indexes: further indexes of the table.
            form: that of its documents.
        """

        def ready(body: Mapping[str, Json]) -> Iterable[str]:
            return [order(body)] if is_listed(body) and not _waits_until(body) else []

        def later(body: Mapping[str, Json]) -> Iterable[str]:
            return [stamp(_waits_until(body))] if is_listed(body) and _waits_until(body) else []

        def by_group(body: Mapping[str, Json]) -> Iterable[str]:
            return [key(body[group], order(body))]

        self._group = group
        declared = {READY: ready, LATER: later, ALL: by_group, **(indexes or {})}
        self.table = documents.declare(name, declared, form=form)

    def __len__(self) -> int:
        return len(self.table)

    def put(self, item_id: str, body: Mapping[str, Json]) -> None:
        """Add the item, or give its fields these values; the others stay."""
        self.table.upsert(Document(body, item_id))

    def drop(self, item_id: str) -> None:
        """Remove the item, if it is there."""
        self.table.remove(doc_ids=[item_id])

    def postpone(self, item_id: str, not_before_ms: int, reason: str) -> None:
        """Record a failed attempt; an item that is gone stays gone."""
        body = self.table.get(doc_id=item_id)
        if body is not None:
            self.put(item_id, {**postponed(body, not_before_ms, reason), **_ended_lease(body)})

    def has_due(self, now_ms: int) -> bool:
        """Return whether anything that had to wait has waited long enough, so that `release` would write."""
        return bool(
            self.table.range(high=stamp(now_ms + 1), index=LATER, limit=1)
            or self.table.range(stamp(now_ms + LONGEST_WAIT_MS), index=LATER, limit=1)
        )

    def release(self, now_ms: int) -> None:
        """Put back into the order what has waited long enough, or whose lease has ended, some at a time.

        So is what would wait longer than anything may: the clock was ahead when it was put off.
        """
        self._put_in_order(self.table.range(high=stamp(now_ms + 1), index=LATER, limit=MAX_RELEASED))
        self._put_in_order(self.table.range(stamp(now_ms + LONGEST_WAIT_MS), index=LATER, limit=MAX_RELEASED))

    def postponed_ids(self, wanted: Callable[[Body], bool]) -> list[str]:
        """Return the ids of what waits for its time and is wanted; not of what is leased."""
        waiting = self.table.range(index=LATER)
        return [item.doc_id for item in waiting if wanted(item) and not item.get(LEASED_UNTIL)]

    def release_now(self, item_ids: Iterable[str]) -> None:
        """Put back into the order what waits, though its time has not come; not what is leased."""
        items = (self.table.get(doc_id=item_id) for item_id in item_ids)
        self._put_in_order(item for item in items if item is not None and not item.get(LEASED_UNTIL))

    def first(self, low: str = "", high: str = LAST, *, limit: int = -1) -> list[Document]:
        """Return what is ready, in order, between two order keys."""
        return self.table.range(low, high, index=READY, limit=limit)

    def oldest(self) -> list[Document]:
        """Return what comes first in the order of each group, ready or not."""
        oldest: list[Document] = []
        heads = self.table.range(index=ALL, limit=1)
        while heads:
            oldest += heads
            heads = self.table.range(below(heads[0][self._group])[1], index=ALL, limit=1)
        return oldest

    def of_group(self, group: str) -> list[Document]:
        """Return all of a group in order, ready or not."""
        return self.table.range(*below(group), index=ALL)

    def take(self, now_ms: int, limit: int, lease_ms: int) -> list[Lease]:
        """Lease what is ready, in order; all of it by the caller's one transaction.

        Args:
            now_ms: the time, in milliseconds since 1970.
            limit: how many items at most.
            lease_ms: how long nobody else is given them; from 1 up to, but without, `LONGEST_WAIT_MS`.
        """
        self.release(now_ms)
        leases = [Lease(item=item, until_ms=now_ms + lease_ms) for item in self.first(limit=limit)]
        for lease in leases:
            self._note(lease)
        return leases

    def renew(self, lease: Lease, now_ms: int, lease_ms: int) -> Lease | None:
        """Let a lease end `lease_ms` from now on; None when it has ended, or the item is gone or was put off."""
        if now_ms >= lease.until_ms or not self._is_held(lease):
            return None
        renewed = replace(lease, until_ms=now_ms + lease_ms)
        self._note(renewed)
        return renewed

    def end_lease(self, lease: Lease) -> None:
        """Put the item back into its place in the order, undone; nothing happens when the lease is not held."""
        if self._is_held(lease):
            self.put(lease.item.doc_id, {LEASED_UNTIL: 0})

    def waits_any(self, wanted: Callable[[Body], bool]) -> bool:
        """Return whether anything that must wait for its time is wanted."""
        return any(wanted(item) for item in self.table.range(index=LATER))

    def _put_in_order(self, items: Iterable[Document]) -> None:
        for item in items:
            self.put(item.doc_id, {**item, "not_before_ms": 0, **_ended_lease(item)})

    def _note(self, lease: Lease) -> None:
        # the item may have changed since it was taken: this field alone is written
        self.put(lease.item.doc_id, {LEASED_UNTIL: lease.until_ms})

    def _is_held(self, lease: Lease) -> bool:
        body = self.table.get(doc_id=lease.item.doc_id)
        # whoever was given the item since has a lease that ends later
        return body is not None and body.get(LEASED_UNTIL) == lease.until_ms


def is_put_off(now_ms: int) -> QueryInstance:
    """Return the query for what has to wait; not longer than anything may: the clock was ahead then."""
    not_before_ms = where("not_before_ms")
    return (not_before_ms > now_ms) & (not_before_ms < now_ms + LONGEST_WAIT_MS)


def postponed(body: Mapping[str, Json], not_before_ms: int, reason: str) -> Body:
    """Return the document after one more failed attempt."""
    return {
        **body,
        "attempts": body.get("attempts", 0) + 1,
        "not_before_ms": not_before_ms,
        "reason": reason,
    }


def _waits_until(body: Mapping[str, Json]) -> int:
    """Return the time that the document waits for; 0: it is ready."""
    return max(int(body["not_before_ms"]), int(body.get(LEASED_UNTIL, 0)))


def _ended_lease(body: Mapping[str, Json]) -> Body:
    """Return the field that ends the document's lease, if it ever had one."""
    return {LEASED_UNTIL: 0} if LEASED_UNTIL in body else {}
