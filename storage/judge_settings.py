"""The settings with which each judge ran last, so that a change of them is noticed at the next start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document
from storage.judge_renaming import StoredJudges
from storage.memories import Memories
from storage.posts import PostQueue
from storage.records import Post
from storage.repository import Repository, Store, reads, writes

INSTRUCTIONS_CHANGED = "The instructions were changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeFingerprint:
    """The settings of one judge on which its learning rests."""

    feedback_value_type: str
    """bool, int, float, str, or a JSON list of categories."""
    value_range: tuple[float, float] | None = None
    """Lowest and highest value of a numeric judge; None: no bounds."""
    instructions: str
    embedding_model: str
    embedding_dim: int

    def changes_since(self, before: "JudgeFingerprint") -> list[str]:
        """Return a sentence for each setting that is another one than before."""
        is_same_type = (before.feedback_value_type, before.value_range) == (
            self.feedback_value_type,
            self.value_range,
        )
        is_same_embedding = (before.embedding_model, before.embedding_dim) == (
            self.embedding_model,
            self.embedding_dim,
        )
        return [
            *([] if before.instructions_hash == self.instructions_hash else [INSTRUCTIONS_CHANGED]),
            *([] if is_same_type else ["The values it gives were changed."]),
            *([] if is_same_embedding else ["The embedding model was changed."]),
        ]

    @property
    def instructions_hash(self) -> str:
        """The SHA-256 of the instructions, hexadecimal; blanks and line breaks do not matter."""
        words = " ".join(self.instructions.split())
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


class JudgeSettingsLog(Repository):
    """Fingerprints by judge. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, judges: StoredJudges, memories: Memories, posts: PostQueue) -> None:
        super().__init__(store)
        self._judges = judges
        self._memories = memories
        self._posts = posts
        self._fingerprints = store.documents.declare("judge_settings", form=form_of(JudgeFingerprint))

    @reads
    def fingerprints(self) -> Mapping[str, JudgeFingerprint]:
        """Return the settings with which judges ran last; those of earlier versions are missing."""
        return {body.doc_id: from_document(JudgeFingerprint, body) for body in self._fingerprints.range()}

    @writes
    def note(self, judge: str, fingerprint: JudgeFingerprint, notice: Post, at_ms: int) -> bool:
        """Note the settings with which a judge runs from now on; what it has learned gets a version that says so.

        Args:
            judge: its name.
            fingerprint: its settings.
            notice: tells its channel that its instructions were changed.
            at_ms: the time, in milliseconds since 1970.

        Returns:
            True if its instructions are others than before, and it has learned anything by those: then the notice is
            in the outbox.
        """
        body = self._fingerprints.get(doc_id=judge)
        before = None if body is None else from_document(JudgeFingerprint, body)
        if before == fingerprint:
            return False
        self._fingerprints.upsert(Document(to_document(fingerprint), judge))
        if before is None or not self._judges.find(judge).has_learned:
            return False
        if changes := fingerprint.changes_since(before):
            self._memories.add_settings_version(judge, " ".join(changes), at_ms)
        return INSTRUCTIONS_CHANGED in changes and self._posts.add(notice)
