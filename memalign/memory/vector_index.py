"""Nearest-neighbour search over vectors named by trace id; the only module that knows hnswlib.

Two indexes of hnswlib serve it: exact search, and the graph of Hierarchical Navigable Small World (HNSW; Malkov and
Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs",
2018, arXiv:1603.09320).
"""

from collections.abc import Iterable, Mapping

import hnswlib
import numpy as np

from memalign.ports import Vector

HNSW_LINKS = 16
"""M of the paper, links of a node in a layer; 5 to 48 is its reasonable range (section 4.1), 16 hnswlib's default."""
HNSW_CONSTRUCTION_CANDIDATES = 200
"""efConstruction of the paper, candidates looked at while a vector is added; hnswlib's default."""
HNSW_SEARCH_CANDIDATES = 200
"""ef of the paper, candidates looked at in a search. It has to be at least the number of results."""
HNSW_SEED = 7
"""Fixed, so that the same vectors give the same graph."""
MIN_ROOM = 64
"""Vectors for which an index has room at least, so that small memories are not indexed again at each change."""


class VectorIndex:
    """A growing index over vectors of one dimension.

    Args:
        vectors: By trace id, each of shape (dimension,) and length 1; not empty.
        graph: Whether to search by an HNSW graph, approximately, instead of exactly.
    """

    def __init__(self, vectors: Mapping[str, Vector], *, graph: bool) -> None:
        self.graph = graph
        self.owner: object = None
        """The version of the memory that this index mirrors."""
        self._room = max(MIN_ROOM, 2 * len(vectors))
        self._places: dict[str, int] = {}
        self._trace_ids: dict[int, str] = {}
        self._next_place = 0
        self._index = self._empty(len(next(iter(vectors.values()))))
        self.add(vectors)

    def _empty(self, dimension: int) -> "hnswlib.Index | hnswlib.BFIndex":
        # on vectors of length 1 the inner product is the cosine
        if not self.graph:
            index = hnswlib.BFIndex(space="ip", dim=dimension)
            index.init_index(max_elements=self._room)
            return index
        index = hnswlib.Index(space="ip", dim=dimension)
        index.init_index(
            max_elements=self._room,
            ef_construction=HNSW_CONSTRUCTION_CANDIDATES,
            M=HNSW_LINKS,
            random_seed=HNSW_SEED,
        )
        index.set_ef(HNSW_SEARCH_CANDIDATES)
        return index

    def has_room_for(self, count: int) -> bool:
        """Tell whether `add` can take more vectors.

        Args:
            count: Number of vectors to add.

        Returns:
            True if they fit. In a graph a removed vector keeps its place.
        """
        used = self._next_place if self.graph else len(self._places)
        return used + count <= self._room

    def add(self, vectors: Mapping[str, Vector]) -> None:
        """Add vectors for which there is room.

        Args:
            vectors: By trace ids that are not in the index.
        """
        if not vectors:
            return
        places = range(self._next_place, self._next_place + len(vectors))
        self._next_place += len(vectors)
        self._index.add_items(np.stack(list(vectors.values())), np.array(places, dtype=np.int64))
        self._places.update(zip(vectors, places, strict=True))
        self._trace_ids.update(zip(places, vectors, strict=True))

    def remove(self, trace_ids: Iterable[str]) -> None:
        """Take vectors out.

        Args:
            trace_ids: Ids in the index; unknown ones are passed over.
        """
        for trace_id in trace_ids:
            place = self._places.pop(trace_id, None)
            if place is not None:
                del self._trace_ids[place]
                (self._index.mark_deleted if self.graph else self._index.delete_vector)(place)

    def search(self, query: Vector, count: int) -> list[str]:
        """Find the vectors nearest to a query.

        Args:
            query: Of shape (dimension,).
            count: Most results.

        Returns:
            Trace ids, in no order that callers may rely on.

        Raises:
            RuntimeError: If removed vectors crowd the query's neighbourhood in the graph, so that hnswlib cannot
                find enough others.
        """
        count = min(count, len(self._places))
        places, _ = self._index.knn_query(query[np.newaxis, :], k=count, num_threads=1)
        return [self._trace_ids[int(place)] for place in places[0]]


def search_exactly(vectors: Mapping[str, Vector], query: Vector, count: int) -> list[str]:
    """Find the vectors nearest to a query without an index.

    Args:
        vectors: By name, each of shape (dimension,); not empty.
        query: Of shape (dimension,).
        count: Most results.

    Returns:
        Names, nearest first.
    """
    names = list(vectors)
    order = np.argsort(-(np.stack(list(vectors.values())) @ query), kind="stable")
    return [names[int(place)] for place in order[:count]]


def cosine(first: Vector, second: Vector) -> float:
    """Compute the cosine of the angle between two vectors of length 1.

    Args:
        first: Of shape (dimension,).
        second: Of shape (dimension,).

    Returns:
        -1 to 1; rounding beyond is cut off.
    """
    return float(np.clip(first @ second, -1.0, 1.0))
