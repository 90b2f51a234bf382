"""The head of each judge's memory: its version, and what is not in its parts."""

from dataclasses import dataclass

from storage.document_forms import fields_form
from storage.documents import Document, Documents
from storage.table_rows import Body

_EMPTY: Body = {"version": 0, "undistilled": [], "number": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadVersions:
    """The versions of a judge's memory."""

    version: int
    """Grows by one with each change."""
    forget_version: int
    """The version that the last forgetting made; 0: nothing was forgotten yet."""


class MemoryHeads:
    """The table of heads, for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._memories = documents.declare("memories", form=fields_form(version=int, undistilled=list[str]))

    def get(self, judge: str) -> Body:
        """Return a judge's head; that of an unknown one is empty."""
        return _EMPTY | (self._memories.get(doc_id=judge) or {})

    def put(self, judge: str, head: Body) -> None:
        """Store a judge's head."""
        self._memories.put(Document(head, judge))

    def versions(self, judge: str) -> HeadVersions:
        """Return the versions of a judge's memory."""
        head = self.get(judge)
        return HeadVersions(version=head["version"], forget_version=head.get("forget_version", 0))
