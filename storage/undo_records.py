"""The former state of the parts that a change of a judge's memory replaced: cases and guidelines. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from memalign.memory.erasure import (
    episode_without,
    guideline_without,
    people_in_episode,
    people_in_guideline,
    traces_in_guideline,
    words_of,
)
from memalign.memory.guideline_merge import merged_into
from memalign.memory.version_diff import without_bookkeeping
from memalign.ports import MemoryChange
from memalign.records import (
    Episode,
    ForgetTarget,
    Guideline,
    Json,
    OpinionKey,
    PersonLabel,
    TraceTarget,
)
from memalign.serialization import from_document, to_document
from storage.keys import key, stamp
from storage.table_rows import Body, pack

Part = tuple[Literal["case", "guideline"], str]
"""A case by its trace id, or a guideline by its id."""
PLACE = "place"
"""Field of an episode's document: its place in the judge's order of learning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRecord:
    """The form that a case or a guideline had before a version."""

    kind: Literal["case", "guideline"]
    part_id: str
    """Trace id, or guideline id."""
    judge: str = ""
    number: int = 0
    """The version before which it had this form."""
    episode: Episode | None = None
    """None where there was no case."""
    place: int | None = None
    """Place of the case in the order of learning."""
    guidelines: tuple[Guideline, ...] = ()
    """The guideline, if there was one; several where a forget has parted what it stood for."""

    @property
    def part(self) -> Part:
        """The case or the guideline."""
        return self.kind, self.part_id

    @property
    def record_id(self) -> str:
        """The record's key in the store."""
        return key(self.judge, stamp(self.number), self.kind, self.part_id)

    @property
    def people(self) -> set[str]:
        """Everybody whose name or words it holds."""
        people = set() if self.episode is None else people_in_episode(self.episode)
        return people.union(*map(people_in_guideline, self.guidelines))

    @property
    def traces(self) -> set[str]:
        """The traces that it rests on."""
        own = {self.part_id} if self.kind == "case" else set()
        return own.union(*map(traces_in_guideline, self.guidelines))

    @property
    def opinions(self) -> tuple[PersonLabel, ...]:
        """The opinions on the case."""
        return () if self.episode is None else (*self.episode.opinions, *self.episode.minority)

    def has_same_content(self, other: "UndoRecord") -> bool:
        """Return whether both hold the same, in whatever place."""
        return _content(self) == _content(other)


def case_record(trace_id: str, body: Body | None) -> UndoRecord:
    """Return a case as it is stored; without an episode where there is none."""
    if body is None:
        return UndoRecord(kind="case", part_id=trace_id)
    episode = from_document(Episode, body)
    return UndoRecord(kind="case", part_id=trace_id, episode=episode, place=body.get(PLACE))


def guideline_record(guideline_id: str, body: Body | None) -> UndoRecord:
    """Return a guideline as it is stored; without one where there is none."""
    rules = () if body is None else (from_document(Guideline, body),)
    return UndoRecord(kind="guideline", part_id=guideline_id, guidelines=rules)


def parts_after(before: Mapping[Part, UndoRecord], change: MemoryChange) -> dict[Part, UndoRecord]:
    """Return the parts of a change as they are after it."""
    after = {part: replace(each, episode=None, guidelines=()) for part, each in before.items()}
    for episode in change.put_episodes:
        part: Part = ("case", episode.trace_id)
        after[part] = replace(after[part], episode=episode)
    for rule in change.put_guidelines:
        part = ("guideline", rule.id)
        after[part] = replace(after[part], guidelines=(rule,))
    return after


def undo_places(body: Mapping[str, Json], name: Literal["traces", "people"]) -> Iterable[str]:
    """Return the keys under which an index lists a record: its traces, or its people."""
    return [
        key(each, body["judge"], stamp(body["number"]), body["kind"], body["part_id"]) for each in body[name]
    ]


def erased(record: UndoRecord, target: ForgetTarget, texts: Iterable[str]) -> UndoRecord | None:
    """Return a record without what is forgotten; None where it is about that alone."""
    if record.kind == "case":
        if target == TraceTarget(trace_id=record.part_id):
            return None
        left = None if record.episode is None else episode_without(record.episode, target)
        return replace(record, episode=left)
    words = list(texts)
    parts = (part for rule in record.guidelines for part in guideline_without(rule, target, words))
    return replace(record, guidelines=tuple(parts))


def words_in(records: Iterable[UndoRecord], target: ForgetTarget) -> list[str]:
    """Return the words of a trace or a person that cases hold."""
    return [
        word for record in records if record.episode is not None for word in words_of(record.episode, target)
    ]


def earliest_words(record: UndoRecord) -> dict[str, int]:
    """Return the time of each person's earliest words, in milliseconds since 1970; 0 where it is not known."""
    times: dict[str, int] = {}
    for person, time_ms in _words(record):
        times[person] = min(time_ms, times.get(person, time_ms))
    return times


def people_behind(before: Sequence[UndoRecord], after: Sequence[UndoRecord]) -> tuple[str, ...]:
    """Return the people whose feedback a change follows; nobody where it follows none, as when rules are made anew.

    Args:
        before: What changes.
        after: The same parts after the change.
    """
    people = {
        person
        for old, new in zip(before, after, strict=True)
        for person, *_ in _statements(old) ^ _statements(new)
    }
    if not people:
        known = set[OpinionKey]().union(*map(_sources, before))
        people = {person for record in after for _, person in _sources(record) - known}
    return tuple(sorted(people))


def current_guidelines(records: Iterable[UndoRecord]) -> tuple[Guideline, ...]:
    """Return all guidelines of some records, each once; one that stands by itself goes before a parted one."""
    rules: dict[str, Guideline] = {}
    for record in records:
        for rule in record.guidelines:
            if rule.id == record.part_id or rule.id not in rules:
                rules[rule.id] = rule
    return tuple(rules.values())


def _content(record: UndoRecord) -> tuple[bytes, ...]:
    rules = map(without_bookkeeping, record.guidelines)
    parts = (*((record.episode,) if record.episode else ()), *rules)
    return tuple(pack(to_document(part)) for part in parts)


def _statements(record: UndoRecord) -> set[tuple[str, bytes]]:
    return {(each.person, pack(to_document(replace(each, time_ms=0)))) for each in record.opinions}


def _sources(record: UndoRecord) -> set[OpinionKey]:
    return {source.key for rule in record.guidelines for source in (*rule.sources, *rule.contradicted)}


def _words(record: UndoRecord) -> Iterator[tuple[str, int]]:
    for opinion in record.opinions:
        yield opinion.person, opinion.time_ms
    for rule in record.guidelines:
        for each in (rule, *merged_into(rule)):
            for source in (*each.sources, *each.contradicted):
                yield source.person, source.time_ms
            for decision in (each.added_by, each.edited_by):
                if decision is not None:
                    yield decision.person, decision.time_ms
