"""Work in an order, part of which must wait for a time: nobody reads past the waiting to find the ready."""

from collections.abc import Callable, Iterable, Mapping

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


class Queue:
    """A table of documents with the field `not_before_ms`, indexed by what is ready and what must wait.

    Whoever takes from a queue looks at it with `first`, and remembers what it works on: one process at a time, or
    several by leases, as those of jobs (`storage.job_queue`).
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
            return [order(body)] if is_listed(body) and not body["not_before_ms"] else []

        def later(body: Mapping[str, Json]) -> Iterable[str]:
            return [stamp(body["not_before_ms"])] if is_listed(body) and body["not_before_ms"] else []

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
            self.put(item_id, postponed(body, not_before_ms, reason))

    def has_due(self, now_ms: int) -> bool:
        """Return whether anything that had to wait has waited long enough, so that `release` would write."""
        return bool(
            self.table.range(high=stamp(now_ms + 1), index=LATER, limit=1)
            or self.table.range(stamp(now_ms + LONGEST_WAIT_MS), index=LATER, limit=1)
        )

    def release(self, now_ms: int) -> None:
        """Put back into the order what has waited long enough, some at a time.

        So is what would wait longer than anything may: the clock was ahead when it was put off.
        """
        self._put_in_order(self.table.range(high=stamp(now_ms + 1), index=LATER, limit=MAX_RELEASED))
        self._put_in_order(self.table.range(stamp(now_ms + LONGEST_WAIT_MS), index=LATER, limit=MAX_RELEASED))

    def postponed_ids(self, wanted: Callable[[Body], bool]) -> list[str]:
        """Return the ids of what waits for its time and is wanted."""
        return [item.doc_id for item in self.table.range(index=LATER) if wanted(item)]

    def release_now(self, item_ids: Iterable[str]) -> None:
        """Put back into the order what waits, though its time has not come."""
        items = (self.table.get(doc_id=item_id) for item_id in item_ids)
        self._put_in_order(item for item in items if item is not None)

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

    def waits_any(self, wanted: Callable[[Body], bool]) -> bool:
        """Return whether anything that must wait for its time is wanted."""
        return any(wanted(item) for item in self.table.range(index=LATER))

    def _put_in_order(self, items: Iterable[Document]) -> None:
        for item in items:
            self.put(item.doc_id, {**item, "not_before_ms": 0})


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
