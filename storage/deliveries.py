"""Deliveries of Slack's that were taken or done, so that one that comes again, to whatever replica, is known."""

from collections.abc import Collection
from typing import Literal

from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import LAST, stamp
from storage.replica import LoneReplica, Replica
from storage.repository import Repository, Store, writes

KEPT_MS = 600_000
"""Longer than Slack's last retry, which comes after five minutes, and than a signature is valid."""
DeliveryClaim = Literal["ours", "in hand", "done"]
_OWNER = "owner"


class DeliveryLog(Repository):
    """Digests of deliveries. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.replica: Replica = LoneReplica()
        """This process among those that take deliveries."""
        self._deliveries = store.documents.declare(
            "deliveries", {"time": lambda body: [stamp(body["at_ms"])]}, form=fields_form(at_ms=int)
        )

    async def claim(self, digest: str, now_ms: int) -> DeliveryClaim:
        """Take a delivery to do its work, unless that is done, or in hand.

        One that a replica had in hand as it died is taken over.
        """
        owner = await self._claim(digest, now_ms, ())
        if owner and (dead := await self.replica.dead({owner})):
            owner = await self._claim(digest, now_ms, dead)
        if owner is None:
            return "done"
        return "in hand" if owner else "ours"

    @writes
    def _claim(self, digest: str, now_ms: int, dead: Collection[str]) -> str | None:
        """Return the replica that has the delivery in hand; empty: it is taken now; None: its work is done."""
        body = self._deliveries.get(doc_id=digest)
        owner = None if body is None else body.get(_OWNER, "")
        if owner == "":
            return None
        if owner is not None and owner not in dead:
            return str(owner)
        self._delete_old(now_ms)
        self._deliveries.put(Document({"at_ms": now_ms, _OWNER: self.replica.id}, digest))
        return ""

    @writes
    def note(self, digest: str, now_ms: int) -> None:
        """Note that the work of a delivery is done."""
        self._deliveries.put(Document({"at_ms": now_ms}, digest))

    @writes
    def give_back(self, digest: str) -> None:
        """Let the work of a delivery, which failed, be done by whoever gets it again."""
        self._deliveries.remove(doc_ids=[digest])

    def _delete_old(self, now_ms: int) -> None:
        """Delete what is old or, after a clock was ahead, of a later time."""
        for low, high in (("", stamp(now_ms - KEPT_MS)), (stamp(now_ms + KEPT_MS), LAST)):
            old = self._deliveries.range(low, high, index="time")
            self._deliveries.remove(doc_ids=[each.doc_id for each in old])
