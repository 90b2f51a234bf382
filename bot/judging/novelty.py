"""Novelty of a trace: how far it is from all that people were shown, learned cases and recent cards alike.

Cards count as soon as they are posted. So, as in farthest-first traversal (Gonzalez, "Clustering to minimize the
maximum intercluster distance", 1985), a new topic stops being new with its first card, be that answered or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memalign.memory.case_similarity import FLOOR_PERCENTILE, NEAR_COPY_COSINE
from memalign.ports import Vector
from memalign.trace_neighbourhoods import Neighbourhood

MIN_CARDS_FOR_FLOOR = 10
"""Different cards, 45 pairs of them, from which on they tell how similar any two are. Set by hand: fewer than for a
memory, since before there is one nothing else tells it."""
MAX_CARDS_FOR_FLOOR = 100
"""Those that come first: some 5,000 pairs, in a few milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Nearness of a trace to what people were shown."""

    nearest_cosine: float
    """Of the nearest learned case or recent card; -1 where there is neither."""
    least_cosine: float
    """Reached by two traces that have nothing special in common; below 1."""

    @property
    def is_copy(self) -> bool:
        """True if a case or a card is a near copy."""
        return self.nearest_cosine > NEAR_COPY_COSINE

    @property
    def is_unlike(self) -> bool:
        """True if nothing known has anything special in common with the trace."""
        return self.nearest_cosine <= self.least_cosine

    @property
    def novelty(self) -> float:
        """0 for a copy, 1 for what has nothing special in common with anything."""
        share = (1 - self.nearest_cosine) / (1 - self.least_cosine)
        return min(1.0, max(0.0, share))


UNKNOWN_DISTANCE = Distance(nearest_cosine=NEAR_COPY_COSINE, least_cosine=0.0)
"""Of a trace that could not be embedded: it is called neither new nor a copy."""


class CardVectors:
    """Vectors of the traces on recent cards.

    Args:
        rows: of each card, the newest first, of shape (2 x dimension,) and length 1.
    """

    def __init__(self, rows: Sequence[Vector]) -> None:
        self._rows = np.stack(rows) if rows else None
        self._least_cosine = (
            _least_cosine(self._rows[:MAX_CARDS_FOR_FLOOR]) if self._rows is not None else -1.0
        )

    def distance(self, vector: Vector | None, neighbourhood: Neighbourhood) -> Distance:
        """Measure how near a trace is to the cards, and to the learned cases.

        Args:
            vector: the trace's, as `rows`; None where it could not be embedded.
            neighbourhood: the learned cases near it.
        """
        if vector is None:
            return UNKNOWN_DISTANCE
        to_card = -1.0 if self._rows is None else float((self._rows @ vector).max())
        to_case = -1.0 if neighbourhood.nearest_cosine is None else neighbourhood.nearest_cosine
        return Distance(
            nearest_cosine=max(to_card, to_case),
            least_cosine=max(self._least_cosine, neighbourhood.least_cosine),
        )


def _least_cosine(rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
    """Find the floor of similarity among cards as `CaseSimilarity` does among cases; -1 where there are too few."""
    cosines = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    different = cosines[cosines <= NEAR_COPY_COSINE]
    if len(different) < MIN_CARDS_FOR_FLOOR * (MIN_CARDS_FOR_FLOOR - 1) / 2:
        return -1.0
    return float(np.percentile(different, FLOOR_PERCENTILE))
