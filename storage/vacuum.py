"""Removing the last bytes of what was deleted; a vacuum that could not be done at once is remembered."""

from storage.documents import Document, Documents

_VACUUM = "vacuum"


class Vacuum:
    """A vacuum that is due, which is noted in the store and so outlives a crash."""

    def __init__(self, documents: Documents) -> None:
        self._engine = documents.engine
        self._due = documents.declare("maintenance")

    def note_due(self) -> None:
        """Note, in the transaction that deletes, that bytes stay behind."""
        self._due.upsert(Document({}, _VACUUM))

    def run_if_due(self) -> bool:
        """Vacuum if that is due; False while another process reads. Not for use inside a transaction."""
        if not self._due.contains(doc_id=_VACUUM):
            return True
        if not self._engine.vacuum():
            return False
        self._due.remove(doc_ids=[_VACUUM])
        return True
