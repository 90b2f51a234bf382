"""Removing the last bytes of what was deleted; a vacuum that could not be done at once is remembered."""

from collections.abc import Iterator

from storage.documents import Document, Documents

_VACUUM = "vacuum"
_DELETIONS = "deletions"
"""Field of its document."""


class Vacuum:
    """A vacuum that is due, which is noted in the store and so outlives a crash."""

    def __init__(self, documents: Documents) -> None:
        self._engine = documents.engine
        self._due = documents.declare("maintenance")

    @property
    def is_due(self) -> bool:
        """True while bytes of what was deleted may still be in the files."""
        return self._due.contains(doc_id=_VACUUM)

    def note_due(self) -> None:
        """Note, in the transaction that deletes, that bytes stay behind."""
        self._due.upsert(Document({_DELETIONS: self._deletions() + 1}, _VACUUM))

    def steps(self) -> Iterator[bool]:
        """Vacuum if that is due, a step at each look, each outside of any transaction.

        Yields True after each step, and False at the end while another process reads: then it stays due.
        """
        if not self.is_due:
            return
        deletions, layout = self._deletions(), self._engine.layout_version
        for done in self._engine.vacuum():
            yield done
            if not done:
                return
        # what was deleted or moved meanwhile may be behind the place where the vacuum is
        with self._engine.transaction():
            if (deletions, layout) == (self._deletions(), self._engine.layout_version):
                self._due.remove(doc_ids=[_VACUUM])

    def _deletions(self) -> int:
        """Return how often deletions were noted since the vacuum became due, by whatever process."""
        body = self._due.get(doc_id=_VACUUM)
        return 0 if body is None else int(body.get(_DELETIONS, 0))
