"""Renaming a judge: all that is kept of it goes on under another name, whole or not at all."""

from dataclasses import dataclass
from typing import cast

from memalign.errors import StorageError
from storage.audit import Audit
from storage.documents import Document, DocumentTable
from storage.judge_names import JudgeRenamings
from storage.judge_places import JUDGE_PLACES, JudgePlaces
from storage.keys import below
from storage.records import AuditLine
from storage.repository import Repository, Store, reads, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJudge:
    """The numbers of what is kept of one judge."""

    name: str
    guidelines: int = 0
    cases: int = 0
    verdicts: int = 0

    @property
    def has_learned(self) -> bool:
        """True if it has guidelines or cases."""
        return bool(self.guidelines or self.cases)


class StoredJudges(Repository):
    """Judges as the store knows them, and their renaming. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, names: JudgeRenamings, audit: Audit) -> None:
        super().__init__(store)
        self._names = names
        self._audit = audit

    @reads
    def learned(self) -> list[StoredJudge]:
        """Return the judges that have learned anything, by name."""
        judges = (self.find(body.doc_id) for body in self._table("memories").range())
        return [judge for judge in judges if judge.has_learned]

    @writes
    def rename(self, old: str, new: str, at_ms: int) -> StoredJudge:
        """Give all that is kept of a judge another name; ids of guidelines, verdicts and messages stay.

        Args:
            old: the present name.
            new: the name from now on. What a judge of that name has not learned anything from yet stays beside it.
            at_ms: the time, in milliseconds since 1970.

        Returns:
            The judge as it is kept from now on.

        Raises:
            StorageError: nothing is kept under the old name, or something was learned under the new one, even if a
                roll-back has left it out.
        """
        problem = self._learning_under(new)
        if problem and not self._is_stored(old):
            raise StorageError(_nothing_stored(old))
        if problem:
            raise StorageError(
                f'The judge "{new}" {problem}, so "{old}" cannot take its name. '
                f'Choose another name, or rename that one first: memalign rename-judge "{new}" "{new}-2".'
            )
        self._delete_empty_history(new)
        renamed = [self._rename_in(name, places, old, new) for name, places in JUDGE_PLACES.items()]
        if not any(renamed):
            raise StorageError(_nothing_stored(old))
        self._names.note(old, new, at_ms)
        self._audit.write(AuditLine(at_ms=at_ms, what="judge_renamed", judge=new, ids=(old,)))
        return self.find(new)

    def _rename_in(self, name: str, places: JudgePlaces, old: str, new: str) -> int:
        """Rename the judge in one table; returns in how many documents."""
        table = self._table(name)
        # in order of adding, which is the order of learning; a damaged document does not tell, and stays as it is
        documents = [body for body in table.range(order="added") if places.holds(body.doc_id, body, old)]
        renamed = [
            Document(places.renamed(body, old, new), places.renamed_id(body.doc_id, old, new))
            for body in documents
        ]
        own_ids, new_ids = ({each.doc_id for each in part} for part in (documents, renamed))
        table.remove(doc_ids=own_ids - new_ids)
        # a document that keeps its id keeps its place in the order
        table.put_multiple(renamed)
        return len(documents)

    def _is_stored(self, judge: str) -> bool:
        """Return True if any document is of the judge."""
        return any(
            places.holds(body.doc_id, body, judge)
            for name, places in JUDGE_PLACES.items()
            for body in self._table(name).range(order="added")
        )

    def _learning_under(self, name: str) -> str:
        """Return the words on what a judge has learned, or could go back to; empty for nothing."""
        known = self.find(name)
        if known.has_learned:
            return f"has learned from {_cases(known)} itself"
        has_versions = self._table("memory_undo").ids(*below(name), limit=1)
        return "can go back to versions of its own" if has_versions else ""

    def _delete_empty_history(self, judge: str) -> None:
        """Delete the versions of a memory in which nothing ever was, or is left: their numbers are another's now."""
        self._table("memories").remove(doc_ids=[judge])
        versions = self._table("memory_versions")
        versions.remove(doc_ids=versions.ids(*below(judge)))

    def find(self, judge: str) -> StoredJudge:
        """Return the numbers of what is kept of a judge; for use inside a transaction."""
        return StoredJudge(
            name=judge,
            guidelines=len(self._table("guidelines").ids(*below(judge))),
            cases=len(self._table("episodes").ids(*below(judge))),
            verdicts=len(self._table("verdicts").ids(*below(judge), index="judge")),
        )

    def _table(self, name: str) -> DocumentTable:
        return cast("DocumentTable", self._store.documents.table(name))


def _nothing_stored(judge: str) -> str:
    return f'Nothing is stored of a judge named "{judge}", so nothing was renamed.'


def _cases(judge: StoredJudge) -> str:
    return "one case" if judge.cases == 1 else f"{judge.cases} cases"
