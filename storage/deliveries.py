"""Deliveries of Slack's that were done, so that one that comes again after a restart is known."""

from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import LAST, stamp
from storage.repository import Repository, Store, reads, writes

KEPT_MS = 600_000
"""Longer than Slack's last retry, which comes after five minutes, and than a signature is valid."""


class DeliveryLog(Repository):
    """Digests of deliveries. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._deliveries = store.documents.declare(
            "deliveries", {"time": lambda body: [stamp(body["at_ms"])]}, form=fields_form(at_ms=int)
        )

    @reads
    def contains(self, digest: str) -> bool:
        """Return whether a delivery was done in the last minutes."""
        return self._deliveries.contains(doc_id=digest)

    @writes
    def note(self, digest: str, now_ms: int) -> None:
        """Note that a delivery is done, and delete what is old or, after a clock was ahead, of a later time."""
        for low, high in (("", stamp(now_ms - KEPT_MS)), (stamp(now_ms + KEPT_MS), LAST)):
            old = self._deliveries.range(low, high, index="time")
            self._deliveries.remove(doc_ids=[each.doc_id for each in old])
        self._deliveries.upsert(Document({"at_ms": now_ms}, digest))
