"""Names of judges: the one under which each began, and those that were given up for another.

A judge keeps the ids of its guidelines when it is renamed. So a name that was given up begins anew: a later judge of
that name makes other ids.
"""

from collections.abc import Mapping

from storage.document_forms import fields_form
from storage.documents import Document
from storage.repository import Repository, Store, reads


class JudgeRenamings(Repository):
    """Judges that were renamed. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._names = store.documents.declare("judge_names", form=fields_form(first_name=str, renamed_to=str))

    @reads
    def renamed(self) -> Mapping[str, str]:
        """Return for each name that was given up the one that its judge was given then."""
        return {body.doc_id: body["renamed_to"] for body in self._names.range() if body["renamed_to"]}

    # --- for use inside a transaction

    def find_first_name(self, judge: str) -> str:
        """Return the name that a judge's guidelines are hashed with; empty where that is its own."""
        body = self._names.get(doc_id=judge)
        return "" if body is None else str(body["first_name"])

    def note(self, old: str, new: str, at_ms: int) -> None:
        """Note that a judge is called `new` from now on; its earlier name stands for it."""
        self._names.upsert(Document({"first_name": self.find_first_name(old) or old, "renamed_to": ""}, new))
        self._names.upsert(Document({"first_name": f"{old}\n{at_ms}", "renamed_to": new}, old))
