"""Semantic memory: guidelines and the words they rest on. A value; every change gives a new one.

What is derived (the guidelines' order, which are overruled) follows from the facts alone, so that the same facts give
the same memory, whatever order they came and went in.
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
    """By guideline id, each of shape (dimension,), as far as they are known."""

    @property
    def in_use(self) -> tuple[Guideline, ...]:
        """The guidelines that judges and distillers are shown."""
        return tuple(guideline for guideline in self.guidelines if guideline.in_use)

    @property
    def waiting(self) -> tuple[Guideline, ...]:
        """The guidelines that have to be distilled again."""
        return tuple(guideline for guideline in self.guidelines if guideline.waiting)

    def resting_on(self, trace_ids: Collection[str]) -> tuple[Guideline, ...]:
        """Find the guidelines with a source on some traces.

        Args:
            trace_ids: Ids of the traces.

        Returns:
            The guidelines, in order.
        """
        return tuple(
            guideline
            for guideline in self.guidelines
            if any(source.trace_id in trace_ids for source in guideline.sources)
        )

    def without_opinions(self, opinions: Collection[tuple[str, str]]) -> "SemanticMemory":
        """Take opinions away.

        Args:
            opinions: Each as (trace id, person).

        Returns:
            The memory without the guidelines that lose all their sources; one that keeps some waits to be distilled
            again.
        """
        if not opinions:
            return self
        remaining = (_without_opinions(guideline, opinions) for guideline in self.guidelines)
        return self.with_guidelines(guideline for guideline in remaining if guideline is not None)

    def with_guidelines(
        self, guidelines: Iterable[Guideline], vectors: Mapping[str, Vector] = _NO_VECTORS
    ) -> "SemanticMemory":
        """Replace the guidelines.

        Args:
            guidelines: All guidelines of the new memory.
            vectors: Further vectors by guideline id; none by default.

        Returns:
            The new memory, with the vectors known so far and those given.
        """
        guidelines = tuple(guidelines)
        ids = {guideline.id for guideline in guidelines if not guideline.waiting}
        rows = {rule_id: row for rule_id, row in {**self.vectors, **vectors}.items() if rule_id in ids}
        linked = tuple(_with_conflicts_among(guideline, ids) for guideline in guidelines)
        return SemanticMemory(guidelines=linked, vectors=rows)

    def with_derived(self, episodes: Mapping[str, Episode]) -> "SemanticMemory":
        """Derive order, labels and overruling from the episodes.

        Args:
            episodes: By trace id, in order of learning.

        Returns:
            The memory with guidelines in the order of their first source.
        """
        places = {trace_id: place for place, trace_id in enumerate(episodes)}
        guidelines = sorted(
            (_with_labels(_with_ruling(guideline, places), episodes) for guideline in self.guidelines),
            key=lambda guideline: (_first_place(guideline.sources, places), guideline.text, guideline.id),
        )
        return replace(self, guidelines=tuple(guidelines))


def _without_opinions(guideline: Guideline, opinions: Collection[tuple[str, str]]) -> Guideline | None:
    sources = _remaining(guideline.sources, opinions)
    contradicted = _remaining(guideline.contradicted, opinions)
    if not sources:
        return None
    if len(sources) < len(guideline.sources):
        return replace(guideline, text=WAITING_TEXT, sources=sources, contradicted=contradicted, waiting=True)
    return replace(guideline, contradicted=contradicted)


def _remaining(sources: Sequence[Source], opinions: Collection[tuple[str, str]]) -> tuple[Source, ...]:
    return tuple(source for source in sources if (source.trace_id, source.person) not in opinions)


def _with_conflicts_among(guideline: Guideline, ids: Collection[str]) -> Guideline:
    conflicts = tuple(other for other in guideline.conflicts_with if other in ids)
    if guideline.waiting:
        conflicts = ()
    return (
        guideline if conflicts == guideline.conflicts_with else replace(guideline, conflicts_with=conflicts)
    )


def _first_place(sources: Sequence[Source], places: Mapping[str, int]) -> int:
    return min(places.get(source.trace_id, len(places)) for source in sources)


def _with_ruling(guideline: Guideline, places: Mapping[str, int]) -> Guideline:
    """Put sources in order of learning; overrule where each of its people has said the opposite since."""
    sources = tuple(sorted(guideline.sources, key=lambda source: (_recency(source, places), source.person)))
    overruled = bool(guideline.contradicted) and _is_overruled(sources, guideline.contradicted, places)
    if sources == guideline.sources and overruled == guideline.overruled:
        return guideline
    return replace(guideline, sources=sources, overruled=overruled)


def _is_overruled(
    sources: Sequence[Source], contradicted: Sequence[Source], places: Mapping[str, int]
) -> bool:
    supports, opposes = _latest(sources, places), _latest(contradicted, places)
    return all(person in opposes and opposes[person] > when for person, when in supports.items())


def _with_labels(guideline: Guideline, episodes: Mapping[str, Episode]) -> Guideline:
    known = [episodes[source.trace_id].label for source in guideline.sources if source.trace_id in episodes]
    labels = tuple(known) if len(known) == len(guideline.sources) else ()
    # True == 1, so that labels of another type may be equal
    same = labels == guideline.labels and list(map(type, labels)) == list(map(type, guideline.labels))
    return guideline if same else replace(guideline, labels=labels)


def _latest(sources: Sequence[Source], places: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    latest: dict[str, tuple[int, int]] = {}
    for source in sources:
        latest[source.person] = max(latest.get(source.person, (0, -1)), _recency(source, places))
    return latest


def _recency(source: Source, places: Mapping[str, int]) -> tuple[int, int]:
    """Return the time of the opinion; where none is known, the order of learning decides."""
    return source.time_ms, places.get(source.trace_id, len(places))
