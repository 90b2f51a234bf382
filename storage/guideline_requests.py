"""Decisions on guidelines that people asked for and that are not carried out yet: they outlive a crash."""

from dataclasses import dataclass
from typing import Literal

from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document, where
from storage.repository import Repository, Store, reads, writes

GuidelineRequestAction = Literal[
    "add", "edit", "retire", "restore", "pin", "unpin", "approve", "undo", "rollback"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRequest:
    """One decision, as a person asked for it."""

    request_id: str
    """The same for each delivery of one press."""
    action: GuidelineRequestAction
    person: str
    judge: str
    guideline_id: str = ""
    """Empty for a rule that is to be added."""
    text: str = ""
    """The words of a rule that is added or edited."""
    mark: str = ""
    """Of an undo: the mark of the form that it undoes."""
    version: int = 0
    """The version of the memory that is gone back to."""
    replica: str = ""
    """Id of the process that was asked, and that carries it out while it lives; empty for one of an earlier version."""


class GuidelineRequests(Repository):
    """Requests in order of asking. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._requests = store.documents.declare("guideline_requests", form=form_of(GuidelineRequest))

    @writes
    def put(self, request: GuidelineRequest) -> None:
        """Keep a request until it is finished."""
        self._requests.upsert(Document(to_document(request), request.request_id))

    @reads
    def unfinished(self) -> list[GuidelineRequest]:
        """Return the requests that are not finished."""
        return [from_document(GuidelineRequest, body) for body in self._requests.range(order="added")]

    @writes
    def finish(self, request_id: str) -> None:
        """Note that the request was carried out, or cannot be."""
        body = self._requests.get(doc_id=request_id)
        if body is not None and body["text"]:
            # its person may have been forgotten meanwhile, and the vacuum of that be over
            self._store.vacuum.note_due()
        self._requests.remove(doc_ids=[request_id])

    def delete_of_person(self, person: str) -> None:
        """Delete what a forgotten person asked for."""
        self._requests.remove(where("person") == person)
