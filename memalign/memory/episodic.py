"""Episodic memory: labelled cases, found again by the similarity of their text.

An `EpisodicMemory` is a value. The index behind it is a cache over its vectors: the newest version owns it and
extends it in place; an older version that is searched makes its own. All versions of one memory live in one event
loop.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from memalign.memory.vector_index import VectorIndex, cosine, search_exactly
from memalign.ports import Vector
from memalign.records import Episode, RetrievedEpisode

MIN_EPISODES_FOR_GRAPH = 2_000
"""Below it exact search takes no longer than a search in the graph, and needs no building."""

_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


class EpisodicMemory:
    """The episodes of one judge, in order of learning, with the vectors that are known. Never changes.

    Args:
        episodes: By trace id, in order of learning; none by default.
        vectors: By trace id, each of shape (dimension,); none by default. An episode without one cannot be found
            until it has been embedded.
    """

    def __init__(
        self,
        episodes: Mapping[str, Episode] = MappingProxyType({}),
        vectors: Mapping[str, Vector] = _NO_VECTORS,
    ) -> None:
        self.episodes: Mapping[str, Episode] = MappingProxyType(dict(episodes))
        self.vectors: Mapping[str, Vector] = MappingProxyType(dict(vectors))
        self._index: VectorIndex | None = None

    @property
    def without_vector(self) -> tuple[str, ...]:
        """Trace ids of the episodes that have still to be embedded."""
        if len(self.vectors) == len(self.episodes):
            return ()
        return tuple(trace_id for trace_id in self.episodes if trace_id not in self.vectors)

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
        episodes, rows = dict(self.episodes), dict(self.vectors)
        for trace_id in removed:
            del episodes[trace_id]
            rows.pop(trace_id, None)
        episodes.update({episode.trace_id: episode for episode in put})
        fresh = {trace_id: row for trace_id, row in vectors.items() if trace_id in episodes}
        rows.update(fresh)
        version = EpisodicMemory(episodes, rows)
        index = self._index
        if index is not None and index.owner is self and not (index.graph and drop):
            index.remove({*removed, *fresh})
            index.owner = None
            if index.has_room_for(len(fresh)):
                index.add(fresh)
                version._take_over(index)
        return version

    @property
    def needs_graph(self) -> bool:
        """True if this version is large and has no graph: `build_graph` is due, off the event loop."""
        return len(self.vectors) >= MIN_EPISODES_FOR_GRAPH and not self._own_index(graph=True)

    def build_graph(self) -> None:
        """Build the graph, blocking; searches go on without it meanwhile."""
        self._take_over(VectorIndex(self.vectors, graph=True))

    def nearest(
        self, query: Vector, count: int, *, exclude_trace_id: str | None, min_similarity: float
    ) -> tuple[RetrievedEpisode, ...]:
        """Find the most similar episodes.

        Args:
            query: Vector of the text to compare with, of shape (dimension,).
            count: Most episodes.
            exclude_trace_id: The episode of this trace is left out.
            min_similarity: Least cosine.

        Returns:
            Episodes, most similar first; among equals the one with the newest label.
        """
        count = min(count, len(self.vectors))
        if count <= 0:
            return ()
        candidates = [
            RetrievedEpisode(
                episode=self.episodes[trace_id], similarity=cosine(query, self.vectors[trace_id])
            )
            for trace_id in self._search(query, count + 1)
            if trace_id != exclude_trace_id
        ]
        candidates.sort(key=lambda case: (-case.similarity, -_newest_ms(case.episode), case.episode.trace_id))
        return tuple(case for case in candidates[:count] if case.similarity >= min_similarity)

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


def _newest_ms(episode: Episode) -> int:
    return max((opinion.time_ms for opinion in episode.opinions), default=0)
