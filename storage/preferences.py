"""Choices of people that outlast a restart: judges that are paused, and people who want no private questions."""

from collections.abc import Mapping

from memalign.serialization import from_document, to_document
from storage.candidates import Candidates
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.posts import PostQueue
from storage.records import JudgePause, Post
from storage.repository import Repository, Store, reads, writes


class Preferences(Repository):
    """Paused judges and muted people. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, posts: PostQueue, candidates: Candidates) -> None:
        super().__init__(store)
        self._candidates = candidates
        self._posts = posts
        self._pauses = store.documents.declare("judge_pauses", form=form_of(JudgePause))
        self._muted = store.documents.declare("muted_people", form=fields_form(at_ms=int))

    @reads
    def pauses(self) -> Mapping[str, JudgePause]:
        """Return the paused judges by name."""
        return {body.doc_id: from_document(JudgePause, body) for body in self._pauses.range()}

    @writes
    def pause(self, judge: str, pause: JudgePause, notice: Post) -> bool:
        """Pause a judge, drop its candidates for cards, and tell its channel by the notice.

        Returns:
            False, and nothing changed, when it is paused already.
        """
        if self._pauses.contains(doc_id=judge):
            return False
        self._candidates.delete_of_judge(judge)
        self._pauses.insert(Document(to_document(pause), judge))
        return self._posts.add(notice)

    @writes
    def resume(self, judge: str, notice: Post) -> bool:
        """End a judge's pause, and tell its channel by the notice; False and nothing changed when there is none."""
        return bool(self._pauses.remove(doc_ids=[judge])) and self._posts.add(notice)

    @reads
    def is_muted(self, person: str) -> bool:
        """Return whether a person wants no private questions."""
        return self._muted.contains(doc_id=person)

    @writes
    def mute(self, person: str, at_ms: int) -> bool:
        """Note that a person wants no private questions; False when that is known."""
        if self._muted.contains(doc_id=person):
            return False
        self._muted.insert(Document({"at_ms": at_ms}, person))
        return True

    @writes
    def unmute(self, person: str) -> bool:
        """Note that a person wants private questions again; False when they did not refuse them."""
        return bool(self._muted.remove(doc_ids=[person]))

    # --- for use inside a transaction

    def delete_of_person(self, person: str) -> None:
        """Delete what a person chose; a judge that they paused stays paused, by nobody in particular."""
        self._muted.remove(doc_ids=[person])
        for body in self._pauses.range():
            if body["person"] == person:
                self._pauses.upsert(Document({**body, "person": None}, body.doc_id))
