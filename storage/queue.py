"""Work in an order, part of which must wait for a time: nobody reads past the waiting to find the ready."""

from collections.abc import Callable, Iterable, Mapping

from memalign.records import Json
from storage.documents import Document, Documents
from storage.keys import LAST, stamp
from storage.table_rows import Body, Places

READY = "ready"
LATER = "later"


class Queue:
    """A table of documents with the field `not_before_ms`, indexed by what is ready and what must wait.

    One process takes from it at a time, so that a lease is whatever that process holds in its memory. Where
    several do, `first` is the place to lock what it reads.
    """

    def __init__(
        self,
        documents: Documents,
        name: str,
        *,
        order: Callable[[Mapping[str, Json]], str],
        is_listed: Callable[[Mapping[str, Json]], bool] = lambda _: True,
        indexes: Mapping[str, Places] | None = None,
    ) -> None:
        """Declare the table.

        Args:
            documents: where to.
            name: the table's.
            order: a document's key in the order in which work is taken.
            is_listed: whether the document is in the order at all, waiting or not.
            indexes: further indexes of the table.
        """

        def ready(body: Mapping[str, Json]) -> Iterable[str]:
            return [order(body)] if is_listed(body) and not body["not_before_ms"] else []

        def later(body: Mapping[str, Json]) -> Iterable[str]:
            return [stamp(body["not_before_ms"])] if is_listed(body) and body["not_before_ms"] else []

        self.table = documents.declare(name, {READY: ready, LATER: later, **(indexes or {})})

    def __len__(self) -> int:
        return len(self.table)

    def put(self, item_id: str, body: Mapping[str, Json]) -> None:
        """Add the item, or give it a new state."""
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
        return bool(self.table.range(high=stamp(now_ms + 1), index=LATER, limit=1))

    def release(self, now_ms: int) -> None:
        """Put back into the order what has waited long enough; its `not_before_ms` is 0 then."""
        self._put_in_order(self.table.range(high=stamp(now_ms + 1), index=LATER))

    def release_now(self, wanted: Callable[[Body], bool]) -> None:
        """Put back into the order what waits and is wanted, though its time has not come."""
        self._put_in_order(item for item in self.table.range(index=LATER) if wanted(item))

    def first(self, low: str = "", high: str = LAST, *, limit: int = -1) -> list[Document]:
        """Return what is ready, in order, between two order keys."""
        return self.table.range(low, high, index=READY, limit=limit)

    def waits_any(self, wanted: Callable[[Body], bool]) -> bool:
        """Return whether anything that must wait for its time is wanted."""
        return any(wanted(item) for item in self.table.range(index=LATER))

    def _put_in_order(self, items: Iterable[Document]) -> None:
        for item in items:
            self.put(item.doc_id, {**item, "not_before_ms": 0})


def postponed(body: Mapping[str, Json], not_before_ms: int, reason: str) -> Body:
    """Return the document after one more failed attempt."""
    return {
        **body,
        "attempts": body["attempts"] + 1,
        "not_before_ms": not_before_ms,
        "reason": reason,
    }
