"""Episodic memory: labelled cases, found again by the similarity of their text.

An `EpisodicMemory` is a value. The index behind it is a cache over its vectors: the newest version owns it and
extends it in place; an older version that is searched makes its own. All versions of one memory live in one event
loop.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from types import MappingProxyType

import numpy as np
from rpds import HashTrieMap

from memalign.memory.case_similarity import NEAR_COPY_COSINE, CaseSimilarity
from memalign.memory.episode_log import EpisodeLog
from memalign.memory.vector_index import VectorIndex, cosine, search_exactly
from memalign.ports import Vector
from memalign.records import CaseText, Episode, Label, RetrievedEpisode

MIN_EPISODES_FOR_GRAPH = 25_000
"""Below it exact search is fast enough, and a change costs the same at any size: to add a vector to the graph takes
some 4 ms at 20,000 vectors, to the exact index some microseconds."""
MAX_CANDIDATES = 200
"""Most similar cases from which those to show are chosen; as many as a search in the graph looks at."""

LabelKey = tuple[str, Label]
NO_TEXT = CaseText("")
_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


class EpisodicMemory:
    """The episodes of one judge, in order of learning, with the vectors that are known. Never changes.

    Args:
        episodes: By trace id, in order of learning; none by default.
        vectors: By trace id, each of shape (dimension,); none by default. An episode without one cannot be found
            until it has been embedded.
        outdated: Trace ids of the episodes whose vectors were made of an earlier form of their text; none by default.
            They serve until they are made again.
    """

    def __init__(
        self,
        episodes: Mapping[str, Episode] = MappingProxyType({}),
        vectors: Mapping[str, Vector] = _NO_VECTORS,
        outdated: Collection[str] = (),
    ) -> None:
        self.episodes = EpisodeLog.of(episodes)
        self.vectors = vectors if isinstance(vectors, HashTrieMap) else HashTrieMap(vectors)
        self.outdated = frozenset(outdated)
        self._origin: EpisodicMemory = self
        """The version from which `_touched` counts."""
        self._touched: frozenset[str] = frozenset()
        self._index: VectorIndex | None = None
        self._similarity = CaseSimilarity()

    @property
    def to_embed(self) -> tuple[str, ...]:
        """Trace ids of the episodes that have still to be embedded."""
        if len(self.vectors) == len(self.episodes) and not self.outdated:
            return ()
        return tuple(
            trace_id
            for trace_id in self.episodes
            if trace_id not in self.vectors or trace_id in self.outdated
        )

    def changed(
        self,
        *,
        put: Collection[Episode] = (),
        retract: Collection[str] = (),
        drop: Collection[str] = (),
        vectors: Mapping[str, Vector] = _NO_VECTORS,
    ) -> "EpisodicMemory":
        """Make a new version.

        Args:
            put: Episodes to add; one that replaces an older version moves to the end.
            retract: Trace ids whose episodes go; their vectors may stay in the index, marked as deleted.
            drop: Trace ids whose episodes go without a trace, out of the index too.
            vectors: By trace id; those of unknown traces are passed over.

        Returns:
            The new version. It takes the index over where that can be extended in place.
        """
        removed = {*drop, *retract, *(episode.trace_id for episode in put)} & self.episodes.keys()
        episodes, rows = self.episodes.changed(put, removed), self.vectors
        for trace_id in removed:
            rows = rows.discard(trace_id)
        fresh = {trace_id: row for trace_id, row in vectors.items() if trace_id in episodes}
        rows = rows.update(fresh)
        version = EpisodicMemory(episodes, rows, self.outdated - removed - fresh.keys())
        version._similarity = self._similarity
        version._origin = self._origin
        version._touched = self._touched.union(removed, fresh, (episode.trace_id for episode in put))
        index = self._index
        if index is not None and index.owner is self and not (index.graph and drop):
            index.remove({*removed, *fresh})
            index.owner = None
            if index.has_room_for(len(fresh)):
                index.add(fresh)
                version._take_over(index)
        return version

    def note_stored(self) -> None:
        """Count changes from this version on: those before it are stored."""
        self._origin, self._touched = self, frozenset()

    def changed_ids(self, before: "EpisodicMemory") -> Collection[str]:
        """Name the traces whose episode or vector may differ from another version's.

        Args:
            before: Another version.

        Returns:
            Trace ids, in order of learning; those without an episode last.
        """
        if self._origin is before:
            return sorted(self._touched, key=lambda name: (self.episodes.place(name), name))
        return list(dict.fromkeys((*self.episodes, *before.episodes)))

    @property
    def needs_graph(self) -> bool:
        """True if this version is large and has no graph: `build_graph` is due, off the event loop."""
        return len(self.vectors) >= MIN_EPISODES_FOR_GRAPH and not self._own_index(graph=True)

    def build_graph(self) -> None:
        """Build the graph, blocking; searches go on without it meanwhile."""
        self._take_over(VectorIndex(self.vectors, graph=True))

    def nearest(
        self,
        query: Vector,
        count: int,
        *,
        text: CaseText = NO_TEXT,
        exclude_trace_id: str | None,
        min_similarity: float | None = None,
    ) -> tuple[RetrievedEpisode, ...]:
        """Find the most similar episodes; see `ranked`.

        Args:
            query: Vector of the text to compare with, of shape (dimension,).
            count: Most episodes.
            text: The text; by default vectors alone are compared.
            exclude_trace_id: The episode of this trace is left out.
            min_similarity: Least cosine; by default found from the memory, see `CaseSimilarity`.

        Returns:
            Episodes, most similar first.
        """
        ranked = self.ranked(
            query, count, text=text, exclude_trace_id=exclude_trace_id, min_similarity=min_similarity
        )
        return tuple(islice(ranked, max(count, 0)))

    @property
    def least_cosine(self) -> float:
        """The cosine that two cases reach which have nothing special in common, see `CaseSimilarity`."""
        if self.vectors:
            self._similarity.fit(self.episodes, self.vectors)
        return self._similarity.least_cosine

    def nearest_cosine(self, query: Vector, *, exclude_trace_id: str | None) -> float | None:
        """Find how near the nearest episode is, whatever its words, its label and the floor.

        Args:
            query: Vector of the text to compare with, of shape (dimension,).
            exclude_trace_id: The episode of this trace is left out.

        Returns:
            The cosine; None without any other episode.
        """
        names = self._search(query, 2) if self.vectors else []
        return max(
            (cosine(query, self.vectors[name]) for name in names if name != exclude_trace_id), default=None
        )

    def ranked(
        self,
        query: Vector,
        count: int,
        *,
        text: CaseText,
        exclude_trace_id: str | None,
        min_similarity: float | None = None,
    ) -> Iterator[RetrievedEpisode]:
        """Rank the episodes nearest by their vectors by their similarity; cases of nearly the same words are one.

        Args:
            query: Vector of the text to compare with, of shape (dimension,).
            count: Least number of episodes, if there are as many.
            text: The text; without any, vectors alone are compared.
            exclude_trace_id: The episode of this trace is left out.
            min_similarity: Least cosine; by default found from the memory, see `CaseSimilarity`.

        Returns:
            Iterates over episodes, most similar first; among equals the one with the newest label comes first.
        """
        if count <= 0 or not self.vectors:
            return iter(())
        self._similarity.fit(self.episodes, self.vectors)
        wanted = max(MAX_CANDIDATES, count + 1)
        while True:
            names = [name for name in self._search(query, wanted) if name != exclude_trace_id]
            cases = self._distinct(self._precedents(query, text, names, min_similarity))
            first = list(islice(cases, count))
            if len(first) == count or wanted >= len(self.vectors):
                return chain(first, cases)
            wanted *= 2

    def _precedents(
        self, query: Vector, text: CaseText, names: Sequence[str], min_similarity: float | None
    ) -> list[RetrievedEpisode]:
        """Return the cases that are similar enough, best first."""
        if not names:
            return []
        episodes = [self.episodes[name] for name in names]
        # one by one: in a product of matrices the last digits of a row depend on its place
        cosines = np.array([cosine(query, self.vectors[name]) for name in names])
        scores = self._similarity.scores(text, [episode.case_text for episode in episodes], cosines)
        places = np.flatnonzero(self._similarity.are_precedents(scores, cosines, min_similarity)).tolist()
        order = sorted(places, key=lambda place: (-scores[place], -_newest_ms(episodes[place]), names[place]))
        return [
            RetrievedEpisode(episode=episodes[place], similarity=float(cosines[place])) for place in order
        ]

    def _distinct(self, cases: Sequence[RetrievedEpisode]) -> Iterator[RetrievedEpisode]:
        """Put near-copies together, each group in the place of its best case."""
        if not cases:
            return
        rows = np.stack([self.vectors[case.episode.trace_id] for case in cases])
        left = np.ones(len(cases), dtype=bool)
        for place, row in enumerate(rows):
            if left[place]:
                is_copy = left[place:] & (rows[place:] @ row > NEAR_COPY_COSINE)
                is_copy[0] = True  # rounding may leave a row below 1 with itself
                left[place:] &= ~is_copy
                yield _pooled([cases[place + int(member)] for member in np.flatnonzero(is_copy)])

    def _search(self, query: Vector, count: int) -> list[str]:
        index = self._own_index(graph=len(self.vectors) >= MIN_EPISODES_FOR_GRAPH)
        if index is None and len(self.vectors) < MIN_EPISODES_FOR_GRAPH:
            index = self._take_over(VectorIndex(self.vectors, graph=False))
        if index is None:
            return search_exactly(self.vectors, query, count)
        try:
            return index.search(query, count)
        except RuntimeError:
            return search_exactly(self.vectors, query, count)

    def _own_index(self, *, graph: bool) -> VectorIndex | None:
        index = self._index
        return index if index is not None and index.owner is self and index.graph == graph else None

    def _take_over(self, index: VectorIndex) -> VectorIndex:
        index.owner, self._index = self, index
        return index


def _pooled(group: Sequence[RetrievedEpisode]) -> RetrievedEpisode:
    """Return the case that stands for its near-copies: the most similar one of those with the label of most people."""
    if len(group) == 1:
        return group[0]
    votes = Counter(label_key(case) for case in group for _ in case.episode.opinions)
    label = max(
        votes, key=lambda key: (votes[key], max(_newest_ms(c.episode) for c in group if label_key(c) == key))
    )
    case = next(case for case in group if label_key(case) == label)
    copies = tuple(other.episode for other in group if other is not case)
    return replace(case, similarity=group[0].similarity, copies=copies)


def label_key(case: RetrievedEpisode) -> LabelKey:
    """Tell labels apart, True from 1 too.

    Args:
        case: A case.

    Returns:
        Its label with the label's type.
    """
    return type(case.episode.label).__name__, case.episode.label


def _newest_ms(episode: Episode) -> int:
    return max((opinion.time_ms for opinion in episode.opinions), default=0)
