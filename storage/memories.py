"""Judges' memories: episodes, guidelines and vectors. Satisfies `memalign.ports.MemoryStore`."""

from collections.abc import Collection, Iterable, Mapping

from memalign.errors import StaleMemoryError, StorageError
from memalign.memory.guideline_merge import merged_into, opinions_of
from memalign.ports import GuidelineAction, GuidelineDecision, MemoryChange, MemorySnapshot, Vector, VectorKey
from memalign.records import Episode, Guideline
from memalign.serialization import from_document, pack_vector, to_document, unpack_vector
from storage.audit import Audit
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.judge_names import JudgeRenamings
from storage.keys import below, exactly, key, parts_of
from storage.records import AuditAction, AuditLine
from storage.repository import Repository, Store, reads, writes
from storage.thread_statuses import ThreadStatuses
from storage.traces import Traces

AUDIT_ACTIONS: Mapping[GuidelineAction, AuditAction] = {
    "add": "guideline_learned",
    "edit": "guideline_edited",
    "retire": "guideline_retired",
    "restore": "guideline_restored",
    "pin": "guideline_pinned",
    "unpin": "guideline_unpinned",
    "approve": "guideline_approved",
    "undo": "guideline_undone",
}


class Memories(Repository):
    """Memories and vectors, for the core. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        traces: Traces,
        feedback: FeedbackEvents,
        statuses: ThreadStatuses,
        audit: Audit,
        names: JudgeRenamings,
    ) -> None:
        super().__init__(store)
        documents = store.documents
        self._traces = traces
        self._feedback = feedback
        self._statuses = statuses
        self._audit = audit
        self._names = names
        self._memories = documents.declare("memories", form=fields_form(version=int, undistilled=list[str]))
        self._episodes = documents.declare("episodes", form=form_of(Episode))
        self._guidelines = documents.declare("guidelines", form=form_of(Guideline))
        self._vectors = documents.declare("vectors", form=lambda body: unpack_vector(body["vector"]))
        self._owners = documents.declare(
            "vector_owners", {"vector": lambda body: [body["vector_id"]]}, form=fields_form(vector_id=str)
        )

    @reads
    def load(self, judge: str) -> MemorySnapshot:
        """Read all of a judge's memory, episodes in order of learning; an unknown judge's is empty."""
        memory = self._memories.get(doc_id=judge) or {"version": 0, "undistilled": []}
        episodes = self._episodes.range(*below(judge), order="added")
        guidelines = self._guidelines.range(*below(judge), order="added")
        return MemorySnapshot(
            episodes={body["trace_id"]: from_document(Episode, body) for body in episodes},
            guidelines=tuple(from_document(Guideline, body) for body in guidelines),
            undistilled=frozenset(memory["undistilled"]),
            version=memory["version"],
            first_name=self._names.find_first_name(judge),
        )

    @writes
    def save(self, judge: str, change: MemoryChange) -> None:
        """Apply the change, all or nothing, with audit lines of the guidelines that come and go, or of the decision.

        Raises `StaleMemoryError` when the change was made from an earlier version than the one stored, and
        `StorageError` where it would bring back a forgotten trace.
        """
        memory = self._memories.get(doc_id=judge)
        if (0 if memory is None else memory["version"]) != change.from_version:
            raise StaleMemoryError(
                f'The memory of the judge "{judge}" was changed by another writer: load it and try again.'
            )
        self._refuse_forgotten(change)
        if change.decision is None:
            self._note_guidelines(judge, change)
        else:
            self._note_decision(judge, change.at_ms, change.decision)
        self._save_episodes(judge, change)
        self._mark_statuses(judge, change, () if memory is None else memory["undistilled"])
        self._guidelines.remove(doc_ids=[key(judge, rule_id) for rule_id in change.drop_guidelines])
        for guideline in change.put_guidelines:
            self._guidelines.upsert(Document(to_document(guideline), key(judge, guideline.id)))
        version, undistilled = change.from_version + 1, sorted(change.undistilled)
        self._memories.upsert(Document({"version": version, "undistilled": undistilled}, judge))

    @reads
    def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        """Look up vectors; unknown ones are missing from the answer."""
        bodies = {each: self._vectors.get(doc_id=_vector_id(each)) for each in keys}
        return {each: unpack_vector(body["vector"]) for each, body in bodies.items() if body is not None}

    @writes
    def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep vectors until their last owner drops them; a forgotten trace owns nothing."""
        if self._traces.has_forgotten(owner):
            return
        for each, vector in vectors.items():
            vector_id = _vector_id(each)
            if not self._vectors.contains(doc_id=vector_id):
                self._vectors.insert(Document({"vector": pack_vector(vector)}, vector_id))
            self._owners.upsert(Document({"vector_id": vector_id}, key(owner, vector_id)))

    def delete_vectors(self, owners: Collection[str]) -> None:
        """Remove the vectors that these owners alone had kept."""
        for owner in owners:
            for owner_id in self._owners.ids(*below(owner)):
                vector_id = parts_of(owner_id)[1]
                self._owners.remove(doc_ids=[owner_id])
                if not self._owners.ids(*exactly(vector_id), index="vector"):
                    self._vectors.remove(doc_ids=[vector_id])

    drop_vectors = writes(delete_vectors)

    def _refuse_forgotten(self, change: MemoryChange) -> None:
        traces = {episode.trace_id for episode in change.put_episodes}
        for rule in change.put_guidelines:
            traces |= {source.trace_id for source in (*rule.sources, *rule.contradicted)}
        forgotten = sorted(filter(self._traces.has_forgotten, traces))
        if forgotten:
            raise StorageError(f"Nothing is learned from trace {forgotten[0]}: it was forgotten meanwhile.")

    def _save_episodes(self, judge: str, change: MemoryChange) -> None:
        if any(self._is_forgotten(judge, trace_id) for trace_id in change.drop_episodes):
            # learned while it was being forgotten, and so perhaps after the vacuum of that forget
            self._store.vacuum.note_due()
        # learned anew is learned last: the place of the old version goes with it
        old = {*change.drop_episodes, *(episode.trace_id for episode in change.put_episodes)}
        self._episodes.remove(doc_ids=[key(judge, trace_id) for trace_id in old])
        for episode in change.put_episodes:
            self._episodes.insert(Document(to_document(episode), key(judge, episode.trace_id)))

    def _mark_statuses(self, judge: str, change: MemoryChange, undistilled: Collection[str]) -> None:
        """Mark the threads that tell of anything that changes."""
        guidelines = set(change.drop_guidelines)
        traces = set(undistilled) ^ change.undistilled
        traces |= {episode.trace_id for episode in change.put_episodes} | change.drop_episodes
        for rule in change.put_guidelines:
            opinions, before = set(opinions_of(rule)), self._find_guideline(judge, rule.id)
            is_told_anew = before is None or rule.doubtful or _as_told(before) != _as_told(rule)
            if before is None or rule.is_worded_by_hand or is_told_anew:
                # a person's words may quote any case, so that each thread keeps all cases they go with
                guidelines.add(rule.id)
            else:
                # one more case of a rule is told in its own thread; the threads of all others say the same as before
                opinions ^= set(opinions_of(before))
            traces |= {trace_id for trace_id, _ in opinions}
        self._statuses.mark_changes(judge, guidelines, traces)

    def _find_guideline(self, judge: str, guideline_id: str) -> Guideline | None:
        body = self._guidelines.get(doc_id=key(judge, guideline_id))
        return None if body is None else from_document(Guideline, body)

    def _is_forgotten(self, judge: str, trace_id: str) -> bool:
        """Return whether a stored episode holds anything of a forgotten trace or person."""
        body = self._episodes.get(doc_id=key(judge, trace_id))
        if body is None:
            return False
        labels = [*body["opinions"], *body["minority"]]
        return self._traces.has_forgotten(trace_id) or any(
            self._feedback.find_forgotten_ms(label["person"]) for label in labels
        )

    def _note_guidelines(self, judge: str, change: MemoryChange) -> None:
        put = {rule.id for rule in change.put_guidelines}
        self._note(judge, change, "guideline_learned", {each for each in put if not self._holds(judge, each)})
        merged = {each.guideline.id for rule in change.put_guidelines for each in rule.merged}
        # one that goes and comes back by the same change was there before and is there after
        retired = {each for each in change.drop_guidelines - merged - put if self._holds(judge, each)}
        self._note(judge, change, "guideline_retired", retired)

    def _note_decision(self, judge: str, at_ms: int, decision: GuidelineDecision) -> None:
        what, ids = AUDIT_ACTIONS[decision.action], (decision.guideline_id,)
        self._audit.write(AuditLine(at_ms=at_ms, what=what, judge=judge, person=decision.person, ids=ids))

    def _note(self, judge: str, change: MemoryChange, what: AuditAction, ids: Iterable[str]) -> None:
        if sorted_ids := tuple(sorted(ids)):
            self._audit.write(AuditLine(at_ms=change.at_ms, what=what, judge=judge, ids=sorted_ids))

    def _holds(self, judge: str, guideline_id: str) -> bool:
        return self._guidelines.contains(doc_id=key(judge, guideline_id))


def _vector_id(vector: VectorKey) -> str:
    return key(vector.model, str(vector.dimension), vector.digest)


def _as_told(rule: Guideline) -> tuple[object, ...]:
    """Return all that threads tell of a guideline beside its cases."""
    merged = tuple((each.id, each.text) for each in merged_into(rule))
    decisions = (rule.edited_by, rule.retired_by, rule.pinned, bool(rule.approved_by))
    return rule.text, rule.state, rule.lacks, rule.trial, rule.doubtful, rule.people, merged, decisions
