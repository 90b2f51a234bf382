"""Counts of the model calls that were spent on a day beside judging and learning."""

from typing import Literal

from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key
from storage.repository import Repository, Store, reads, writes

CallPurpose = Literal["trials"]
"""Trials of guidelines on earlier cases."""


class ModelCalls(Repository):
    """Counts by purpose and day, over restarts. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._days = store.documents.declare("model_calls", form=fields_form(calls=int))

    @writes
    def take(self, purpose: CallPurpose, day: str, calls: int, limit: int) -> int:
        """Count calls that are about to be made; those of earlier days are dropped.

        Args:
            purpose: what they are for.
            day: the calendar day, as `2026-11-20`.
            calls: number of calls wanted.
            limit: calls that this purpose may take on a day.

        Returns:
            The number that may be made, from 0 to `calls`.
        """
        place = key(purpose, day)
        body = self._days.get(doc_id=place)
        before = 0 if body is None else int(body["calls"])
        taken = max(0, min(calls, limit - before))
        self._days.remove(doc_ids=self._days.ids(below(purpose)[0], place))
        if taken:
            self._days.upsert(Document({"calls": before + taken}, place))
        return taken

    @reads
    def count(self, purpose: CallPurpose, day: str) -> int:
        """Return how many calls a purpose has taken on a day."""
        body = self._days.get(doc_id=key(purpose, day))
        return 0 if body is None else int(body["calls"])
