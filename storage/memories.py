"""Judges' memories: episodes, guidelines and vectors. Satisfies `memalign.ports.MemoryStore`."""

from collections.abc import Collection, Iterator, Mapping

from memalign.errors import StaleMemoryError, StorageError, UnknownVersionError
from memalign.memory.guideline_merge import merged_into, opinions_of
from memalign.ports import GuidelineAction, GuidelineDecision, MemoryChange, MemorySnapshot, Vector, VectorKey
from memalign.records import Episode, Guideline, Json
from memalign.serialization import from_document, pack_vector, to_document, unpack_vector
from storage.audit import Audit
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.guideline_audit import guideline_lines
from storage.judge_names import JudgeRenamings
from storage.keys import below, exactly, key, parts_of
from storage.memory_undo import MemoryUndo
from storage.outbound_queue import OutboundQueue, current_ms
from storage.records import AuditAction, AuditLine, OutboundChange, OutboundEventType
from storage.repository import Repository, Store, reads, writes
from storage.rolled_back_cases import RolledBackCases
from storage.table_rows import Body
from storage.thread_statuses import ThreadStatuses
from storage.traces import Traces
from storage.undo_records import (
    PLACE,
    Part,
    UndoRecord,
    case_record,
    current_guidelines,
    guideline_record,
    parts_after,
)

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


LESSON_TYPES: Mapping[AuditAction, OutboundEventType] = {
    "guideline_learned": "lesson.learned",
    "guideline_retired": "lesson.retired",
    "guideline_edited": "lesson.edited",
    "guideline_restored": "lesson.restored",
    "guideline_pinned": "lesson.pinned",
    "guideline_unpinned": "lesson.unpinned",
    "guideline_approved": "lesson.approved",
    "guideline_undone": "lesson.undone",
}
"""Type of the event by which receivers outside are told of a guideline."""
MAX_VECTORS_DELETED = 200
"""Vectors that one write deletes, so that nobody waits long for the store."""


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
        undo: MemoryUndo,
        rolled_back: RolledBackCases,
        outbound: OutboundQueue,
    ) -> None:
        super().__init__(store)
        documents = store.documents
        self._undo = undo
        self._rolled_back = rolled_back
        self._outbound = outbound
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
        memory = self._memory(judge)
        episodes = (from_document(Episode, body) for body in self._episodes_in_order(judge))
        guidelines = self._guidelines.range(*below(judge), order="added")
        return MemorySnapshot(
            episodes={episode.trace_id: episode for episode in episodes},
            guidelines=tuple(from_document(Guideline, body) for body in guidelines),
            undistilled=frozenset(memory["undistilled"]),
            version=memory["version"],
            number=memory["number"],
            rolled_back=self._rolled_back.of_judge(judge),
            first_name=self._names.find_first_name(judge),
        )

    @reads
    def guideline(self, judge: str, guideline_id: str) -> Guideline | None:
        """Return a guideline as it is stored; None where the judge holds it no more."""
        return self._find_guideline(judge, guideline_id)

    def find_number(self, judge: str) -> int:
        """Return the number of the newest version of a judge's memory; 0 where nothing was changed yet."""
        return int(self._memory(judge)["number"])

    @reads
    def load_version(self, judge: str, number: int) -> MemorySnapshot:
        """Read a judge's memory as it was in a version, without what was forgotten since.

        Raises `UnknownVersionError` where there is no such version.
        """
        memory = self._memory(judge)
        if not 0 <= number <= memory["number"]:
            raise UnknownVersionError(_no_such_version(judge, number, memory["number"]))
        parts = {record.part: record for record in self._current_parts(judge)}
        parts.update({record.part: record for record in self._undo.records_after(judge, number)})
        cases = sorted(
            ((each.place or 0, each.episode) for each in parts.values() if each.episode is not None),
            key=lambda case: case[0],
        )
        return MemorySnapshot(
            episodes={episode.trace_id: episode for _, episode in cases},
            guidelines=current_guidelines(parts.values()),
            version=memory["version"],
            number=number,
            first_name=self._names.find_first_name(judge),
        )

    @writes
    def save(self, judge: str, change: MemoryChange) -> int:
        """Apply the change, all or nothing, with its version, and audit lines of the guidelines that come and go.

        Returns the number of the newest version.

        Raises `StaleMemoryError` when the change was made from an earlier version than the one stored, and
        `StorageError` where it would bring back a forgotten trace.
        """
        memory = self._memory(judge)
        if memory["version"] != change.from_version:
            raise StaleMemoryError(
                f'The memory of the judge "{judge}" was changed by another writer: load it and try again.'
            )
        self._refuse_forgotten(change)
        lines = self._audit_lines(judge, change)
        for line in lines:
            self._audit.write(line)
        self._announce(judge, change, lines)
        self._mark_statuses(judge, change, memory["undistilled"])
        before = self._parts_before(judge, change)
        next_place = self._save_episodes(judge, change, self._next_place(judge, memory))
        self._guidelines.remove(doc_ids=[key(judge, rule_id) for rule_id in change.drop_guidelines])
        for guideline in change.put_guidelines:
            # fields that hold their default are not in a document, and may not stay as they were
            self._guidelines.put(Document(to_document(guideline), key(judge, guideline.id)))
        self._rolled_back.save(judge, change)
        number = self._undo.add(
            judge, memory["number"], change.at_ms, change.cause, before, parts_after(before, change)
        )
        self._put_memory(
            judge,
            version=change.from_version + 1,
            undistilled=sorted(change.undistilled),
            number=number,
            next_place=next_place,
        )
        return number

    def add_settings_version(self, judge: str, note: str, at_ms: int) -> None:
        """Add a version that changes nothing, with a sentence on a change of the judge's settings."""
        memory = self._memory(judge)
        number = self._undo.add_settings(judge, memory["number"], note, at_ms)
        self._put_memory(judge, **{**memory, "number": number})

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

    @writes
    def delete_vectors_of_other_models(
        self, model: str, dimension: int, limit: int = MAX_VECTORS_DELETED
    ) -> int:
        """Delete some of the vectors that another model made, or in another dimension; returns how many."""
        low, high = below(model, str(dimension))
        others = self._vectors.ids(high=low, limit=limit) or self._vectors.ids(high, limit=limit)
        owners = [
            owner_id for each in others for owner_id in self._owners.ids(*exactly(each), index="vector")
        ]
        self._owners.remove(doc_ids=owners)
        self._vectors.remove(doc_ids=others)
        return len(others)

    def _refuse_forgotten(self, change: MemoryChange) -> None:
        traces = {episode.trace_id for episode in change.put_episodes}
        for rule in change.put_guidelines:
            traces |= {source.trace_id for source in (*rule.sources, *rule.contradicted)}
        forgotten = sorted(filter(self._traces.has_forgotten, traces))
        if forgotten:
            raise StorageError(f"Nothing is learned from trace {forgotten[0]}: it was forgotten meanwhile.")

    def _memory(self, judge: str) -> Body:
        return {"version": 0, "undistilled": [], "number": 0} | (self._memories.get(doc_id=judge) or {})

    def _put_memory(self, judge: str, **fields: Json) -> None:
        self._memories.put(Document(fields, judge))

    def _episodes_in_order(self, judge: str) -> list[Document]:
        """Return the episodes in order of learning; those that have no place yet in order of adding, first."""
        return sorted(self._episodes.range(*below(judge), order="added"), key=lambda body: body.get(PLACE, 0))

    def _next_place(self, judge: str, memory: Body) -> int:
        """Return the next place in the order of learning; the episodes of an earlier version get theirs first."""
        if "next_place" in memory:
            return int(memory["next_place"])
        episodes = self._episodes_in_order(judge)
        for place, body in enumerate(episodes, start=1):
            self._episodes.upsert(Document({**body, PLACE: place}, body.doc_id))
        return len(episodes) + 1

    def _current_parts(self, judge: str) -> Iterator[UndoRecord]:
        for body in self._episodes_in_order(judge):
            yield case_record(body["trace_id"], body)
        for body in self._guidelines.range(*below(judge), order="added"):
            yield guideline_record(body["id"], body)

    def find_part(self, judge: str, part: Part) -> UndoRecord:
        """Return a case or a guideline as it is now."""
        kind, part_id = part
        table = self._episodes if kind == "case" else self._guidelines
        body = table.get(doc_id=key(judge, part_id))
        return case_record(part_id, body) if kind == "case" else guideline_record(part_id, body)

    def _parts_before(self, judge: str, change: MemoryChange) -> dict[Part, UndoRecord]:
        cases = {*change.drop_episodes, *(episode.trace_id for episode in change.put_episodes)}
        rules = {*change.drop_guidelines, *(rule.id for rule in change.put_guidelines)}
        parts: list[Part] = [*(("case", each) for each in cases), *(("guideline", each) for each in rules)]
        return {part: self.find_part(judge, part) for part in sorted(parts)}

    def _places_to_go_back_to(self, judge: str, change: MemoryChange) -> dict[str, int]:
        """Return the places that cases had in the version that is gone back to."""
        target = change.cause.rollback_to
        records = [] if target is None else self._undo.records_after(judge, target)
        return {each.part_id: each.place for each in records if each.place is not None}

    def _save_episodes(self, judge: str, change: MemoryChange, next_place: int) -> int:
        """Save the episodes, and return the next place in the order of learning."""
        if any(self._is_forgotten(judge, trace_id) for trace_id in change.drop_episodes):
            # learned while it was being forgotten, and so perhaps after the vacuum of that forget
            self._store.vacuum.note_due()
        # learned anew is learned last: the place of the old version goes with it
        old = {*change.drop_episodes, *(episode.trace_id for episode in change.put_episodes)}
        self._episodes.remove(doc_ids=[key(judge, trace_id) for trace_id in old])
        earlier = self._places_to_go_back_to(judge, change)
        for place, episode in enumerate(change.put_episodes, start=next_place):
            body = {**to_document(episode), PLACE: earlier.get(episode.trace_id, place)}
            self._episodes.insert(Document(body, key(judge, episode.trace_id)))
        return next_place + len(change.put_episodes)

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

    def _audit_lines(self, judge: str, change: MemoryChange) -> list[AuditLine]:
        """Return the lines on the guidelines that a change brings and takes, or on the decision that it carries out."""
        if change.cause.decision is not None:
            return [_decision_line(judge, change.at_ms, change.cause.decision)]
        concerned = {rule.id for rule in change.put_guidelines} | change.drop_guidelines
        known = {each for each in concerned if self._guidelines.contains(doc_id=key(judge, each))}
        found = ((each, self._find_guideline(judge, each)) for each in sorted(known))
        before = {each: rule for each, rule in found if rule is not None}
        return list(guideline_lines(judge, change, before, known))

    def _announce(self, judge: str, change: MemoryChange, lines: Collection[AuditLine]) -> None:
        """Tell receivers outside of the guidelines that come, go, or read otherwise than before."""
        told = {rule_id: LESSON_TYPES[line.what] for line in lines for rule_id in line.ids}
        after: dict[str, tuple[str, str] | None] = dict.fromkeys(change.drop_guidelines)
        after |= {rule.id: (rule.text, rule.state) for rule in change.put_guidelines}
        for rule_id in after.keys() - told.keys():
            before = self._find_guideline(judge, rule_id)
            if after[rule_id] != (None if before is None else (before.text, before.state)):
                told[rule_id] = "lesson.changed"  # also one that another one absorbs, or is parted from
        for rule_id, event_type in sorted(told.items()):
            self._outbound.add(
                OutboundChange(
                    type=event_type,
                    at_ms=change.at_ms or current_ms(),
                    judge=judge,
                    guideline_id=rule_id,
                )
            )


def _decision_line(judge: str, at_ms: int, decision: GuidelineDecision) -> AuditLine:
    return AuditLine(
        at_ms=at_ms,
        what=AUDIT_ACTIONS[decision.action],
        judge=judge,
        person=decision.person,
        ids=(decision.guideline_id,),
    )


def _no_such_version(judge: str, number: int, head: int) -> str:
    known = f"its versions are 0 to {head}" if head else "nothing was changed in it yet"
    return f"The memory of {judge} has no version {number}; {known}."


def _vector_id(vector: VectorKey) -> str:
    return key(vector.model, str(vector.dimension), vector.digest)


def _as_told(rule: Guideline) -> tuple[object, ...]:
    """Return all that threads tell of a guideline beside its cases."""
    merged = tuple((each.id, each.text) for each in merged_into(rule))
    decisions = (rule.edited_by, rule.retired_by, rule.pinned, bool(rule.approved_by))
    return rule.text, rule.state, rule.lacks, rule.trial, rule.doubtful, rule.people, merged, decisions
