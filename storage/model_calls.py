"""Counts of the model calls that were spent on a day beside judging what is shown, and learning."""

from collections.abc import Mapping
from typing import Literal, get_args

from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key
from storage.repository import Repository, Store, reads, writes

CallPurpose = Literal["trials", "candidates", "second_opinions", "shadow_verdicts", "labelled_traces"]
"""Trials of guidelines on earlier cases; verdicts on traces that may be shown; other judges' verdicts on these;
verdicts of other memories beside the one shown; verdicts on traces that people labelled in a tracing tool."""
CALL_PURPOSES: tuple[CallPurpose, ...] = get_args(CallPurpose)


class ModelCalls(Repository):
    """Counts by purpose and day, over restarts. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._days = store.documents.declare("model_calls", form=fields_form(calls=int))

    @writes
    def take(
        self, purpose: CallPurpose, day: str, calls: int, *, total: int, limit: int | None = None
    ) -> int:
        """Count calls that are about to be made; those of earlier days are dropped.

        Args:
            purpose: what they are for.
            day: the calendar day, as `2026-11-20`.
            calls: number of calls wanted.
            total: calls that all purposes together may take on a day.
            limit: calls that this purpose may take of them; None: all.

        Returns:
            The number that may be made, from 0 to `calls`.
        """
        place = key(purpose, day)
        before = self._find_count(purpose, day)
        left = total - sum(self._find_count(each, day) for each in CALL_PURPOSES)
        taken = max(0, min(calls, left, calls if limit is None else limit - before))
        self._days.remove(doc_ids=self._days.ids(below(purpose)[0], place))
        if taken:
            self._days.upsert(Document({"calls": before + taken}, place))
        return taken

    @reads
    def counts(self, day: str) -> Mapping[str, int]:
        """Return how many calls each purpose has taken on a day."""
        return {purpose: self._find_count(purpose, day) for purpose in CALL_PURPOSES}

    def _find_count(self, purpose: CallPurpose, day: str) -> int:
        body = self._days.get(doc_id=key(purpose, day))
        return 0 if body is None else int(body["calls"])
