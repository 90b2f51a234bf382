"""Work in an order, part of which must wait for a time: nobody reads past the waiting to find the ready."""

from collections.abc import Callable

from memalign.records import Json
from storage.documents import Documents
from storage.keys import LAST, key, stamp
from storage.rows import Body


class Queue:
    """Documents with the fields `order` (a key) and `not_before_ms`, in three tables, each read by key only.

    Every document has one id in the ready table (by order) or in the later table (by time), or in neither
    while it is held.
    """

    def __init__(self, documents: Documents, name: str) -> None:
        self.all = documents.shelf(name)
        self._ready = documents.shelf(f"{name}_ready")
        self._later = documents.shelf(f"{name}_later")
        self._counts = documents.shelf("queue_lengths")
        self._name = name

    def __len__(self) -> int:
        # counting rows reads the whole index; adding up does not
        length: int = (self._counts.find(self._name) or {"length": 0})["length"]
        return length

    def put(self, item_id: str, body: Body) -> None:
        """Add the item, or give it a new place."""
        self.hold(item_id, body)
        later = body["not_before_ms"] > 0
        (self._later if later else self._ready).put(_place(body), {"id": item_id})

    def hold(self, item_id: str, body: Body) -> None:
        """Keep the item without a place in the order."""
        known = self.all.find(item_id)
        if known is None:
            self._counts.put(self._name, {"length": len(self) + 1})
        else:
            self._unlist(known)
        self.all.put(item_id, body)

    def drop(self, item_id: str) -> None:
        """Remove the item, if it is there."""
        known = self.all.find(item_id)
        if known is not None:
            self._unlist(known)
            self.all.discard(item_id)
            self._counts.put(self._name, {"length": len(self) - 1})

    def release(self, now_ms: int) -> None:
        """Put back into the order what has waited long enough."""
        due = self._later.span("", stamp(now_ms + 1))
        for place, pointer in due:
            body = self.all.find(pointer["id"])
            if body is not None:
                self._ready.put(body["order"], pointer)
            self._later.discard(place)

    def hasten(self, wanted: Callable[[Body], bool]) -> None:
        """Put back into the order what waits and is wanted, whether or not its time has come."""
        for place, pointer in self._later.span(""):
            body = self.all.find(pointer["id"])
            if body is not None and wanted(body):
                self._ready.put(body["order"], pointer)
                self._later.discard(place)

    def first(self, low: str = "", high: str = LAST, *, limit: int = -1) -> list[tuple[str, Body]]:
        """Ids and documents of what is ready, in order, between two order keys."""
        pointers = self._ready.span(low, high, limit=limit)
        found = ((pointer["id"], self.all.find(pointer["id"])) for _, pointer in pointers)
        return [(item_id, body) for item_id, body in found if body is not None]

    def waits(self, now_ms: int) -> bool:
        """Whether `release` has anything to do."""
        return bool(self._later.span("", stamp(now_ms + 1), limit=1))

    def any_later(self, wanted: Callable[[Body], bool]) -> bool:
        """Whether anything that must wait for its time is wanted."""
        bodies = (self.all.find(pointer["id"]) for _, pointer in self._later.span(""))
        return any(body is not None and wanted(body) for body in bodies)

    def _unlist(self, known: Body) -> None:
        self._ready.discard(known["order"])
        self._later.discard(key(stamp(known["not_before_ms"]), known["order"]))


def _place(body: Body) -> str:
    not_before: int = body["not_before_ms"]
    order: str = body["order"]
    return key(stamp(not_before), order) if not_before > 0 else order


def postponed(body: Body, not_before_ms: int, reason: str) -> dict[str, Json]:
    """The document after one more vain attempt."""
    return {
        **body,
        "attempts": body["attempts"] + 1,
        "not_before_ms": not_before_ms,
        "reason": reason,
    }
