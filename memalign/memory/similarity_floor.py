"""The similarity below which a case is no precedent, found from the memory itself.

Embedding models differ: texts with nothing in common have cosines near 0 by one model and near 0.8 by another. The
cases of a memory tell what two of them have in common anyway: of pairs of stored cases, 95 of 100 are less similar than
the floor.
"""

from collections.abc import Mapping

import numpy as np

from memalign.ports import Vector

FLOOR_PERCENTILE = 95.0
"""Share of pairs below the floor, in percent. On five sets of traces embedded by local:/wordllama it keeps a fifth of
what is nearest in memories of 20 cases, and nearly all in memories of 400."""
MIN_CASES_FOR_FLOOR = 20
"""Below it there are fewer than 190 pairs, too few for a percentile at the edge. Set by hand."""
DEFAULT_MIN_SIMILARITY = 0.15
"""The floor of smaller memories. Set by hand, low on purpose."""
MAX_PAIRS = 2_000
NEAR_COPY_COSINE = 0.98
"""Pairs above it are one case twice, and say nothing of how similar different ones are."""
FLOOR_SEED = 7
"""Fixed, so that the same memory has the same floor."""


class SimilarityFloor:
    """The floor of one memory and its later versions; found anew whenever the number of cases has doubled or halved."""

    def __init__(self) -> None:
        self._cases = 0
        self._value = DEFAULT_MIN_SIMILARITY

    def value(self, vectors: Mapping[str, Vector]) -> float:
        """Return the floor of a version.

        Args:
            vectors: Of its cases by trace id, each of shape (dimension,) and length 1.

        Returns:
            The 95th percentile of the cosines of some 2,000 pairs of cases; 0.15 while there are fewer than 20.
        """
        cases = len(vectors)
        if cases < MIN_CASES_FOR_FLOOR:
            return DEFAULT_MIN_SIMILARITY
        if not self._cases / 2 < cases < 2 * self._cases:
            self._cases, self._value = cases, similarity_floor(vectors)
        return self._value


def similarity_floor(vectors: Mapping[str, Vector]) -> float:
    """Find the floor from pairs of cases.

    Args:
        vectors: By trace id, at least two, each of shape (dimension,) and length 1.

    Returns:
        The cosine that 95 % of pairs of different cases are below; 0.15 where all cases are near-copies.
    """
    names = sorted(vectors)
    random = np.random.default_rng(FLOOR_SEED)
    first = random.integers(0, len(names), MAX_PAIRS)
    second = (first + random.integers(1, len(names), MAX_PAIRS)) % len(names)
    pairs = zip(first, second, strict=True)
    cosines = np.array([vectors[names[one]] @ vectors[names[other]] for one, other in pairs])
    different = cosines[cosines <= NEAR_COPY_COSINE]
    return float(np.percentile(different, FLOOR_PERCENTILE)) if len(different) else DEFAULT_MIN_SIMILARITY
