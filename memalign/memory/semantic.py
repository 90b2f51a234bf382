"""Semantic memory: guidelines and the words they rest on. A value; every change gives a new one.

What is derived (the guidelines' order, who is overruled) follows from the facts alone, so that the same facts
give the same memory, in whatever order they came or went.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from memalign.ports import Vector
from memalign.records import Episode, Guideline, Source

WAITING_TEXT = "(To be distilled again from the feedback that remains.)"
"""Stands for the text of a guideline that lost a source: that text may hold the lost source's words."""

_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticMemory:
    """The guidelines of one judge."""

    guidelines: tuple[Guideline, ...] = ()
    vectors: Mapping[str, Vector] = field(default_factory=dict, compare=False)
    """By guideline id, as far as they are known."""

    @property
    def in_use(self) -> tuple[Guideline, ...]:
        """What judges and distillers are shown."""
        return tuple(guideline for guideline in self.guidelines if guideline.in_use)

    @property
    def waiting(self) -> tuple[Guideline, ...]:
        """What has to be distilled again."""
        return tuple(guideline for guideline in self.guidelines if guideline.waiting)

    def resting_on(self, trace_ids: Collection[str]) -> tuple[Guideline, ...]:
        """The guidelines with a source on one of these traces."""
        return tuple(
            guideline
            for guideline in self.guidelines
            if any(source.trace_id in trace_ids for source in guideline.sources)
        )

    def without(self, lost: Collection[tuple[str, str]]) -> "SemanticMemory":
        """Take the opinions of (trace id, person) away.

        A guideline that loses all its sources goes; one that keeps some waits to be distilled again.
        """
        if not lost:
            return self
        kept = (_without(guideline, lost) for guideline in self.guidelines)
        return self.holding(guideline for guideline in kept if guideline is not None)

    def holding(
        self, guidelines: Iterable[Guideline], vectors: Mapping[str, Vector] = _NO_VECTORS
    ) -> "SemanticMemory":
        """These guidelines instead, with the vectors known so far and the given ones."""
        held = tuple(guidelines)
        ids = {guideline.id for guideline in held if not guideline.waiting}
        known = {name: row for name, row in {**self.vectors, **vectors}.items() if name in ids}
        return SemanticMemory(guidelines=tuple(_linked(one, ids) for one in held), vectors=known)

    def arranged(self, episodes: Mapping[str, Episode]) -> "SemanticMemory":
        """Derive what follows from the episodes, which are in order of learning."""
        places = {trace_id: place for place, trace_id in enumerate(episodes)}
        arranged = sorted(
            (_labelled(_weighed(guideline, places), episodes) for guideline in self.guidelines),
            key=lambda one: (_first_place(one.sources, places), one.text, one.id),
        )
        return replace(self, guidelines=tuple(arranged))


def _without(guideline: Guideline, lost: Collection[tuple[str, str]]) -> Guideline | None:
    sources = _remaining(guideline.sources, lost)
    contradicted = _remaining(guideline.contradicted, lost)
    if not sources:
        return None
    if len(sources) < len(guideline.sources):
        return replace(guideline, text=WAITING_TEXT, sources=sources, contradicted=contradicted, waiting=True)
    return replace(guideline, contradicted=contradicted)


def _remaining(sources: Sequence[Source], lost: Collection[tuple[str, str]]) -> tuple[Source, ...]:
    return tuple(source for source in sources if (source.trace_id, source.person) not in lost)


def _linked(guideline: Guideline, ids: Collection[str]) -> Guideline:
    """Without conflicts with what is no longer there."""
    conflicts = tuple(other for other in guideline.conflicts_with if other in ids)
    if guideline.waiting:
        conflicts = ()
    return (
        guideline if conflicts == guideline.conflicts_with else replace(guideline, conflicts_with=conflicts)
    )


def _first_place(sources: Sequence[Source], places: Mapping[str, int]) -> int:
    return min(places.get(source.trace_id, len(places)) for source in sources)


def _weighed(guideline: Guideline, places: Mapping[str, int]) -> Guideline:
    """Sources in order of learning; overruled when each of its people has said the opposite since."""
    sources = tuple(sorted(guideline.sources, key=lambda source: (_moment(source, places), source.person)))
    overruled = bool(guideline.contradicted) and _overruled(sources, guideline.contradicted, places)
    if sources == guideline.sources and overruled == guideline.overruled:
        return guideline
    return replace(guideline, sources=sources, overruled=overruled)


def _overruled(sources: Sequence[Source], contradicted: Sequence[Source], places: Mapping[str, int]) -> bool:
    supports, against = _latest(sources, places), _latest(contradicted, places)
    return all(person in against and against[person] > when for person, when in supports.items())


def _labelled(guideline: Guideline, episodes: Mapping[str, Episode]) -> Guideline:
    known = [episodes[source.trace_id].label for source in guideline.sources if source.trace_id in episodes]
    labels = tuple(known) if len(known) == len(guideline.sources) else ()
    same = labels == guideline.labels and list(map(type, labels)) == list(map(type, guideline.labels))
    return guideline if same else replace(guideline, labels=labels)


def _latest(sources: Sequence[Source], places: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    latest: dict[str, tuple[int, int]] = {}
    for source in sources:
        latest[source.person] = max(latest.get(source.person, (0, -1)), _moment(source, places))
    return latest


def _moment(source: Source, places: Mapping[str, int]) -> tuple[int, int]:
    """When it was said; where no time is known, the order of learning tells."""
    return source.time_ms, places.get(source.trace_id, len(places))
