"""Cases that differ from people's feedback since somebody went back to an earlier version of a memory."""

from memalign.ports import MemoryChange
from memalign.records import ForgetTarget, RolledBackCase, TraceTarget
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document
from storage.keys import below, key
from storage.repository import Repository, Store


class RolledBackCases(Repository):
    """Cases by judge and trace, for use inside a transaction."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._cases = store.documents.declare(
            "rolled_back_cases",
            {
                "trace": lambda body: [key(body["trace_id"], body["judge"])],
                "person": lambda body: [
                    key(person, body["judge"], body["trace_id"]) for person, _ in body["opinions"]
                ],
            },
            form=form_of(RolledBackCase),
        )

    def of_judge(self, judge: str) -> dict[str, RolledBackCase]:
        """Return a judge's cases by trace id."""
        bodies = self._cases.range(*below(judge))
        return {body["trace_id"]: from_document(RolledBackCase, body) for body in bodies}

    def save(self, judge: str, change: MemoryChange) -> None:
        """Put and drop the cases of a change."""
        self._cases.remove(doc_ids=[key(judge, trace_id) for trace_id in change.drop_rolled_back])
        for case in change.put_rolled_back:
            self._cases.put(Document({**to_document(case), "judge": judge}, key(judge, case.trace_id)))

    def erase(self, target: ForgetTarget) -> None:
        """Take what is forgotten out of all judges' cases."""
        if isinstance(target, TraceTarget):
            bodies = self._cases.range(*below(target.trace_id), index="trace")
            self._cases.remove(doc_ids=[body.doc_id for body in bodies])
            return
        for body in self._cases.range(*below(target.person), index="person"):
            opinions = [each for each in body["opinions"] if each[0] != target.person]
            self._cases.put(Document({**body, "opinions": opinions}, body.doc_id))
