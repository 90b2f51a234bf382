"""The versions of judges' memories, each with the way back to the one before.

A version costs what its change touched, however large the memory is. Version N is the memory as it is, with the records
of all later versions undone, newest first. Forgetting goes through these records by trace and by person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from memalign.ports import ChangeCause
from memalign.records import (
    FORGOTTEN_PERSON,
    ForgetTarget,
    Json,
    MemoryVersion,
    PersonTarget,
    TraceTarget,
)
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.keys import below, key, stamp
from storage.repository import Repository, Store
from storage.traces import Traces
from storage.undo_records import (
    Part,
    UndoRecord,
    earliest_words,
    erased,
    people_behind,
    undo_places,
    words_in,
)


class MemoryUndo(Repository):
    """Versions and undo records, for use inside a transaction."""

    def __init__(self, store: Store, traces: Traces, feedback: FeedbackEvents) -> None:
        super().__init__(store)
        self._traces = traces
        self._feedback = feedback
        self._versions = store.documents.declare(
            "memory_versions", {"person": _version_places}, form=form_of(MemoryVersion)
        )
        self._records = store.documents.declare(
            "memory_undo",
            {
                "trace": lambda body: undo_places(body, "traces"),
                "person": lambda body: undo_places(body, "people"),
            },
            form=form_of(UndoRecord),
        )

    def versions(self, judge: str, limit: int = -1) -> list[MemoryVersion]:
        """Return versions, newest first."""
        bodies = self._versions.range(*below(judge), order="down", limit=limit)
        return [from_document(MemoryVersion, body) for body in bodies]

    def find_version(self, judge: str, number: int) -> MemoryVersion | None:
        """Return a version, if it is known."""
        body = self._versions.get(doc_id=key(judge, stamp(number)))
        return None if body is None else from_document(MemoryVersion, body)

    def records_after(self, judge: str, number: int) -> list[UndoRecord]:
        """Return the records that lead back to a version, newest first."""
        low, high = key(judge, stamp(number + 1)), below(judge)[1]
        return [from_document(UndoRecord, body) for body in self._records.range(low, high, order="down")]

    def records_of(self, target: ForgetTarget) -> list[UndoRecord]:
        """Return the records that hold anything of a trace or a person."""
        index, subject = _place_of(target)
        bodies = self._records.range(*below(subject), index=index)
        return [from_document(UndoRecord, body) for body in bodies]

    def add_settings(self, judge: str, head: int, note: str, at_ms: int) -> int:
        """Add a version for a change of the settings, which changes nothing in the memory; returns its number."""
        self._put_version(judge, MemoryVersion(number=head + 1, at_ms=at_ms, kind="settings", note=note))
        return head + 1

    def add(
        self,
        judge: str,
        head: int,
        at_ms: int,
        cause: ChangeCause,
        before: Mapping[Part, UndoRecord],
        after: Mapping[Part, UndoRecord],
    ) -> int:
        """Add a version for a change, unless nothing changes; all versions lose what is forgotten with it.

        Args:
            judge: the judge's name.
            head: the number of the newest version.
            at_ms: time of the change.
            cause: its cause.
            before: the parts that it may change as they were.
            after: the same parts as they are now.

        Returns:
            The number of the newest version.
        """
        changed = [record for part, record in before.items() if not record.has_same_content(after[part])]
        kept = self._without_forgotten(changed, cause.forgets)
        if not changed:
            return head
        people = cause.people
        if not people and not cause.forgets:
            # whose words are forgotten is not who asked for it
            people = people_behind(changed, [after[record.part] for record in changed])
        version = self._continued(judge, head, cause, people) or _version_of(
            head + 1, at_ms, cause, people, changed
        )
        self._put_version(judge, version)
        for record in kept:
            numbered = replace(record, judge=judge, number=version.number)
            is_same = cause.forgets and record.has_same_content(after[record.part])
            if not is_same and not self._records.contains(doc_id=numbered.record_id):
                self._put_record(numbered)
        return version.number

    def erase(self, target: ForgetTarget, texts: Iterable[str] = ()) -> list[str]:
        """Take what is forgotten out of all versions of all judges.

        Args:
            target: the trace or the person.
            texts: words of it that are known beside those in the records.

        Returns:
            All words of it that are known.
        """
        records = self.records_of(target)
        words = [*texts, *words_in(records, target)]
        for record in records:
            left = erased(record, target, words)
            if left is None:
                self._records.remove(doc_ids=[record.record_id])
            else:
                self._put_record(left)
        is_author = isinstance(target, PersonTarget) and self._erase_author(target.person)
        if records or is_author:
            self._store.vacuum.note_due()
        return words

    def _erase_author(self, person: str) -> bool:
        bodies = self._versions.range(*below(person), index="person")
        for body in bodies:
            version = from_document(MemoryVersion, body)
            names = (FORGOTTEN_PERSON if each == person else each for each in version.people)
            self._put_version(body["judge"], replace(version, people=tuple(dict.fromkeys(names))))
        return bool(bodies)

    def _without_forgotten(
        self, records: Sequence[UndoRecord], targets: Iterable[ForgetTarget]
    ) -> list[UndoRecord]:
        """Return the records as they may be kept; those of all other versions lose what is forgotten as well."""
        kept = list(records)
        for target in targets:
            words = self.erase(target, words_in(kept, target))
            kept = [left for each in kept if (left := erased(each, target, words)) is not None]
        # learned while it was being forgotten
        for target in dict.fromkeys(target for each in kept for target in self._forgotten_in(each)):
            words = words_in(kept, target)
            kept = [left for each in kept if (left := erased(each, target, words)) is not None]
        return kept

    def _forgotten_in(self, record: UndoRecord) -> Iterator[ForgetTarget]:
        for trace_id in sorted(record.traces):
            if self._traces.has_forgotten(trace_id):
                yield TraceTarget(trace_id=trace_id)
        for person, time_ms in sorted(earliest_words(record).items()):
            forgotten_ms = self._feedback.find_forgotten_ms(person)
            if forgotten_ms and time_ms <= forgotten_ms:
                yield PersonTarget(person=person)

    def _continued(
        self, judge: str, head: int, cause: ChangeCause, people: Iterable[str]
    ) -> MemoryVersion | None:
        """Return the newest version, by these people as well, where it was made by the same round of learning."""
        body = self._versions.get(doc_id=key(judge, stamp(head))) if cause.round_id else None
        if body is None or body["round_id"] != cause.round_id:
            return None
        version = from_document(MemoryVersion, body)
        return replace(version, people=tuple(dict.fromkeys((*version.people, *people))))

    def _put_version(self, judge: str, version: MemoryVersion) -> None:
        body = {**to_document(version), "judge": judge}
        self._versions.put(Document(body, key(judge, stamp(version.number))))

    def _put_record(self, record: UndoRecord) -> None:
        body = {**to_document(record), "traces": sorted(record.traces), "people": sorted(record.people)}
        self._records.put(Document(body, record.record_id))


def _place_of(target: ForgetTarget) -> tuple[str, str]:
    return ("trace", target.trace_id) if isinstance(target, TraceTarget) else ("person", target.person)


def _version_places(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(person, body["judge"], stamp(body["number"])) for person in body["people"]]


def _version_of(
    number: int, at_ms: int, cause: ChangeCause, people: Iterable[str], changed: Sequence[UndoRecord]
) -> MemoryVersion:
    forgotten = {target.person for target in cause.forgets if isinstance(target, PersonTarget)}
    cases = sum(record.kind == "case" for record in changed)
    return MemoryVersion(
        number=number,
        at_ms=at_ms,
        kind=cause.kind,
        people=tuple(person for person in people if person not in forgotten),
        action=cause.decision.action if cause.decision else "",
        rollback_to=cause.rollback_to,
        round_id=cause.round_id,
        cases_forgotten=cases if cause.forgets else 0,
        guidelines_forgotten=len(changed) - cases if cause.forgets else 0,
    )
