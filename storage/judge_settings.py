"""The settings with which each judge ran last, so that a change of them is noticed at the next start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from memalign.serialization import from_document, to_document
from storage.audit import Audit
from storage.document_forms import form_of
from storage.documents import Document
from storage.judge_renaming import StoredJudges
from storage.posts import PostQueue
from storage.records import AuditLine, Post
from storage.repository import Repository, Store, reads, writes


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

    @property
    def instructions_hash(self) -> str:
        """The SHA-256 of the instructions, hexadecimal; blanks and line breaks do not matter."""
        words = " ".join(self.instructions.split())
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


class JudgeSettingsLog(Repository):
    """Fingerprints by judge. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, judges: StoredJudges, posts: PostQueue, audit: Audit) -> None:
        super().__init__(store)
        self._judges = judges
        self._posts = posts
        self._audit = audit
        self._fingerprints = store.documents.declare("judge_settings", form=form_of(JudgeFingerprint))

    @reads
    def fingerprints(self) -> Mapping[str, JudgeFingerprint]:
        """Return the settings with which judges ran last; those of earlier versions are missing."""
        return {body.doc_id: from_document(JudgeFingerprint, body) for body in self._fingerprints.range()}

    @writes
    def note(self, judge: str, fingerprint: JudgeFingerprint, notice: Post, at_ms: int) -> bool:
        """Note the settings with which a judge runs from now on.

        Args:
            judge: its name.
            fingerprint: its settings.
            notice: tells its channel that its instructions were changed.
            at_ms: the time, in milliseconds since 1970.

        Returns:
            True if its instructions are others than before, and it has learned anything by those: then the notice is
            in the outbox, and a line in the audit.
        """
        body = self._fingerprints.get(doc_id=judge)
        before = None if body is None else from_document(JudgeFingerprint, body)
        if before == fingerprint:
            return False
        self._fingerprints.upsert(Document(to_document(fingerprint), judge))
        is_changed = before is not None and before.instructions_hash != fingerprint.instructions_hash
        if not is_changed or not self._judges.find(judge).has_learned:
            return False
        ids = (fingerprint.instructions_hash[:16],)
        self._audit.write(AuditLine(at_ms=at_ms, what="instructions_changed", judge=judge, ids=ids))
        return self._posts.add(notice)
