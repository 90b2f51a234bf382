"""Episodic memory: labelled cases, found again by the likeness of their text.

An `EpisodicMemory` is a value. The hnswlib index behind it is a cache over its vectors: the newest version
owns it and extends it in place; an older version that is asked makes its own. All versions of one memory live
in one event loop.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import hnswlib
import numpy as np

from memalign.ports import Vector
from memalign.records import Episode, Retrieved

GRAPH_FROM = 2_000
"""Episodes from which hnswlib's graph is used instead of its exact search; below, exact is as fast."""

_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


class SearchIndex:
    """A growing hnswlib index over vectors named by trace id."""

    def __init__(self, vectors: Mapping[str, Vector], *, graph: bool) -> None:
        self.graph = graph
        self.owner: object = None
        """The version of the memory that this index mirrors."""
        self._room = max(64, 2 * len(vectors))
        self._places: dict[str, int] = {}
        self._trace_ids: dict[int, str] = {}
        self._next = 0
        self._index = self._empty(len(next(iter(vectors.values()))))
        self.add(vectors)

    def _empty(self, dimension: int) -> "hnswlib.Index | hnswlib.BFIndex":
        if not self.graph:
            index = hnswlib.BFIndex(space="ip", dim=dimension)
            index.init_index(max_elements=self._room)
            return index
        index = hnswlib.Index(space="ip", dim=dimension)
        index.init_index(max_elements=self._room, ef_construction=200, M=16, random_seed=7)
        index.set_ef(200)
        return index

    def has_room_for(self, count: int) -> bool:
        """Whether so many more can be added; a graph keeps the place of what was replaced."""
        used = self._next if self.graph else len(self._places)
        return used + count <= self._room

    def add(self, vectors: Mapping[str, Vector]) -> None:
        """Add vectors that are not in it; there must be room."""
        if not vectors:
            return
        places = range(self._next, self._next + len(vectors))
        self._next += len(vectors)
        self._index.add_items(np.stack(list(vectors.values())), np.array(places, dtype=np.int64))
        self._places.update(zip(vectors, places, strict=True))
        self._trace_ids.update(zip(places, vectors, strict=True))

    def remove(self, trace_ids: Iterable[str]) -> None:
        """Take vectors out; unknown ids are passed over."""
        for trace_id in trace_ids:
            place = self._places.pop(trace_id, None)
            if place is not None:
                del self._trace_ids[place]
                (self._index.mark_deleted if self.graph else self._index.delete_vector)(place)

    def search(self, query: Vector, count: int) -> list[str]:
        """The trace ids nearest to the query, at most `count`."""
        places, _ = self._index.knn_query(
            query[np.newaxis, :], k=min(count, len(self._places)), num_threads=1
        )
        return [self._trace_ids[int(place)] for place in places[0]]


class EpisodicMemory:
    """The episodes of one judge, in order of learning, with the vectors that are known. Never changes."""

    def __init__(
        self,
        episodes: Mapping[str, Episode] = MappingProxyType({}),
        vectors: Mapping[str, Vector] = _NO_VECTORS,
    ) -> None:
        self.episodes: Mapping[str, Episode] = MappingProxyType(dict(episodes))
        self.vectors: Mapping[str, Vector] = MappingProxyType(dict(vectors))
        """By trace id; an episode without one cannot be found until it has been embedded."""
        self._index: SearchIndex | None = None

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
        """A new version: some episodes out, some in (a replaced one moves to the end), some vectors known.

        What is dropped, other than what is retracted, is not to stay anywhere, be it in an index.
        """
        gone = {*drop, *retract, *(episode.trace_id for episode in put)} & self.episodes.keys()
        episodes, rows = dict(self.episodes), dict(self.vectors)
        for trace_id in gone:
            del episodes[trace_id]
            rows.pop(trace_id, None)
        episodes.update({episode.trace_id: episode for episode in put})
        fresh = {trace_id: row for trace_id, row in vectors.items() if trace_id in episodes}
        rows.update(fresh)
        version = EpisodicMemory(episodes, rows)
        index = self._index
        if index is not None and index.owner is self and not (index.graph and drop):
            index.remove({*gone, *fresh})
            index.owner = None
            if index.has_room_for(len(fresh)):
                index.add(fresh)
                version._adopt(index)
        return version

    @property
    def needs_graph(self) -> bool:
        """Whether the version is large and has no graph: `build_graph` is due, off the event loop."""
        return len(self.vectors) >= GRAPH_FROM and not self._own_index(graph=True)

    def build_graph(self) -> None:
        """Make the graph; searching goes on without it meanwhile."""
        self._adopt(SearchIndex(self.vectors, graph=True))

    def nearest(self, query: Vector, count: int, *, but: str | None, floor: float) -> tuple[Retrieved, ...]:
        """The most similar episodes, best first; never `but`'s own, none below the floor."""
        count = min(count, len(self.vectors))
        if count <= 0:
            return ()
        candidates = self._search(query, count + 1)
        found = [
            Retrieved(episode=self.episodes[trace_id], similarity=similarity(query, self.vectors[trace_id]))
            for trace_id in candidates
            if trace_id != but
        ]
        found.sort(key=lambda one: (-one.similarity, -_newest_ms(one.episode), one.episode.trace_id))
        return tuple(one for one in found[:count] if one.similarity >= floor)

    def _search(self, query: Vector, count: int) -> list[str]:
        index = self._own_index(graph=len(self.vectors) >= GRAPH_FROM)
        if index is None and len(self.vectors) < GRAPH_FROM:
            index = self._adopt(SearchIndex(self.vectors, graph=False))
        if index is None:
            return scan(self.vectors, query, count)
        try:
            return index.search(query, count)
        except RuntimeError:
            # hnswlib gives up when replaced cases crowd the neighbourhood; exact search does not
            return scan(self.vectors, query, count)

    def _own_index(self, *, graph: bool) -> SearchIndex | None:
        index = self._index
        return index if index is not None and index.owner is self and index.graph == graph else None

    def _adopt(self, index: SearchIndex) -> SearchIndex:
        index.owner, self._index = self, index
        return index


def scan(vectors: Mapping[str, Vector], query: Vector, count: int) -> list[str]:
    """Exact search: the names of the vectors nearest to the query, best first."""
    names = list(vectors)
    order = np.argsort(-(np.stack(list(vectors.values())) @ query), kind="stable")
    return [names[int(place)] for place in order[:count]]


def similarity(one: Vector, other: Vector) -> float:
    """Cosine of two vectors of length 1, kept within -1 to 1."""
    return float(np.clip(one @ other, -1.0, 1.0))


def _newest_ms(episode: Episode) -> int:
    return max((opinion.time_ms for opinion in episode.opinions), default=0)
