"""Modals in which people are answering just now: nobody is asked in the thread what a modal asks them already."""

from collections.abc import Iterable, Mapping

from memalign.records import Json
from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key, stamp
from storage.repository import Repository, Store, reads, writes

MODAL_MINUTES = 5
"""Time after which a modal counts as left: Slack tells of a modal that is closed only where somebody closes it."""
_MODAL_MS = MODAL_MINUTES * 60_000


class OpenModals(Repository):
    """The people who have a modal open on a verdict. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._modals = store.documents.declare(
            "open_modals",
            {"person": _by_person, "time": lambda body: [stamp(body["opened_ms"])]},
            form=fields_form(person=str, verdict_id=str, opened_ms=int),
        )

    @writes
    def opened(self, person: str, verdict_id: str, now_ms: int) -> None:
        """Note that the person has a modal open on the verdict from now on; those that were left are dropped."""
        self._modals.remove(doc_ids=self._modals.ids("", stamp(now_ms - _MODAL_MS), index="time"))
        body = {"person": person, "verdict_id": verdict_id, "opened_ms": now_ms}
        self._modals.put(Document(body, key(verdict_id, person)))

    @writes
    def closed(self, person: str, verdict_id: str) -> bool:
        """Note that the person's modal on the verdict was submitted or closed; False where none was open."""
        return bool(self._modals.remove(doc_ids=[key(verdict_id, person)]))

    @reads
    def open_until_ms(self, verdict_id: str, now_ms: int) -> Mapping[str, int]:
        """Return by person when their modal on the verdict counts as left, in milliseconds since 1970."""
        return {
            body["person"]: body["opened_ms"] + _MODAL_MS
            for body in self._modals.range(*below(verdict_id))
            if now_ms - _MODAL_MS < body["opened_ms"]
        }

    def delete_of_verdict(self, verdict_id: str) -> None:
        """Delete what is known of modals on the verdict."""
        self._modals.remove(doc_ids=self._modals.ids(*below(verdict_id)))

    def delete_of_person(self, person: str) -> None:
        """Delete what is known of the person's modals."""
        self._modals.remove(doc_ids=self._modals.ids(*below(person), index="person"))


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["person"], body["verdict_id"])]
