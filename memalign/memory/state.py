"""One judge's two memories at one moment, and how each kind of change makes the next."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from memalign.memory.episodic import EpisodicMemory
from memalign.memory.merge import GuidelineMerger
from memalign.memory.semantic import SemanticMemory
from memalign.ports import Distilled, MemoryChange, Record, Vector
from memalign.records import Episode, Guideline, PersonLabel, Source

_versions = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryState:
    """What a judge's memory holds. Never changes; every change makes a new one."""

    judge: str
    binary: bool
    """Whether the judge's labels are two, one the opposite of the other."""
    episodic: EpisodicMemory = field(default_factory=EpisodicMemory)
    semantic: SemanticMemory = field(default_factory=SemanticMemory)
    undistilled: frozenset[str] = frozenset()
    """Traces whose rationales have not been distilled yet."""
    version: int = field(default_factory=lambda: next(_versions), compare=False)
    """Different for every state in the process, and growing."""

    @classmethod
    def empty(cls, judge: str, *, binary: bool) -> "MemoryState":
        """Nothing learned yet."""
        return cls(judge=judge, binary=binary)

    @property
    def episodes(self) -> Mapping[str, Episode]:
        """By trace id, in order of learning."""
        return self.episodic.episodes

    def next(
        self, episodic: EpisodicMemory, semantic: SemanticMemory, undistilled: Collection[str]
    ) -> "MemoryState":
        """The state after a change, with all that follows from its parts."""
        return replace(
            self,
            episodic=episodic,
            semantic=semantic.arranged(episodic.episodes),
            undistilled=frozenset(undistilled) & episodic.episodes.keys(),
            version=next(_versions),
        )

    def forgetting(self, trace_ids: Collection[str]) -> "MemoryState":
        """Without these traces: their episodes go, and so does what rested on them."""
        return self.next(
            self.episodic.changed(drop=trace_ids),
            self.semantic.without(opinions_on(self.semantic, trace_ids)),
            self.undistilled - frozenset(trace_ids),
        )

    def learning(
        self,
        *,
        put: Collection[Episode],
        retracted: Collection[str],
        lost: Collection[tuple[str, str]],
        vectors: Mapping[str, Vector],
        undistilled: Collection[str],
    ) -> "MemoryState":
        """With these episodes instead of their older versions, and without opinions that no longer stand."""
        return self.next(
            self.episodic.changed(put=put, retract=retracted, vectors=vectors),
            self.semantic.without(lost),
            undistilled,
        )

    def adopting(
        self,
        distilled: Distilled,
        settled: Collection[str],
        vectors: Mapping[str, Vector],
        now_ms: int,
    ) -> "MemoryState":
        """With what was distilled: `vectors` by text, `settled` the guidelines distilled again."""
        adoption = GuidelineMerger(
            self.judge, self.semantic, self.episodes, binary=self.binary, vectors=vectors, now_ms=now_ms
        )
        return self.next(self.episodic, adoption.take(distilled, settled), self.undistilled)

    def change_from(self, before: "MemoryState") -> MemoryChange:
        """What a store has to do to get from one state to this one."""
        old, new = before.episodes, self.episodes
        known = {guideline.id: guideline for guideline in before.semantic.guidelines}
        held = {guideline.id: guideline for guideline in self.semantic.guidelines}
        return MemoryChange(
            put_episodes=tuple(episode for name, episode in new.items() if old.get(name) is not episode),
            drop_episodes=frozenset(old.keys() - new.keys()),
            put_guidelines=tuple(one for name, one in held.items() if known.get(name) != one),
            drop_guidelines=frozenset(known.keys() - held.keys()),
            undistilled=self.undistilled,
        )


def records_of(
    episodes: Mapping[str, Episode], guidelines: Collection[Guideline], trace_ids: Collection[str]
) -> list[Record]:
    """What to distil again, in order: what these guidelines rest on, and the reasons on these traces."""
    sources = {
        (source.trace_id, source.person)
        for guideline in guidelines
        for source in (*guideline.sources, *guideline.contradicted)
    }
    if not sources and not trace_ids:
        return []
    return [
        record_of(episode, opinion)
        for trace_id, episode in episodes.items()
        for opinion in episode.opinions
        if opinion.rationale and (trace_id in trace_ids or (trace_id, opinion.person) in sources)
    ]


def record_of(episode: Episode, opinion: PersonLabel) -> Record:
    """One person's reason, as material to distil from."""
    source = Source(
        trace_id=episode.trace_id, person=opinion.person, quote=opinion.rationale, time_ms=opinion.time_ms
    )
    return Record(source=source, label=episode.label, fields=episode.fields)


def opinions_on(semantic: SemanticMemory, trace_ids: Collection[str]) -> set[tuple[str, str]]:
    """(trace id, person) of all that guidelines hold of these traces, for them or against them."""
    return {
        (source.trace_id, source.person)
        for guideline in semantic.guidelines
        for source in (*guideline.sources, *guideline.contradicted)
        if source.trace_id in trace_ids
    }
