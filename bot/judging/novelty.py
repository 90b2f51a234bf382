"""Novelty of a trace: how far it is from all that people were shown, learned cases and recent cards alike.

Cards count as soon as they are posted. So, as in farthest-first traversal (Gonzalez, "Clustering to minimize the
maximum intercluster distance", 1985), a new topic stops being new with its first card, be that answered or not.
"""

from collections.abc import Sequence

from memalign.memory.case_similarity import NEAR_COPY_COSINE
from memalign.memory.vector_index import cosine
from memalign.ports import Vector
from memalign.trace_neighbourhoods import Neighbourhood


def nearest_known(vector: Vector | None, neighbourhood: Neighbourhood, cards: Sequence[Vector]) -> float:
    """Return the cosine of the nearest learned case or recent card; -1 where there is neither.

    Args:
        vector: the trace's; None where it is not known.
        neighbourhood: the learned cases near it.
        cards: vectors of the traces on recent cards, without its own.
    """
    to_cards = [] if vector is None else [cosine(vector, card) for card in cards]
    to_case = [] if neighbourhood.nearest_cosine is None else [neighbourhood.nearest_cosine]
    return max([*to_cards, *to_case], default=-1.0)


def novelty(nearest_cosine: float, least_cosine: float) -> float:
    """Return 0 for a copy, 1 for what has nothing special in common with anything.

    Args:
        nearest_cosine: of the nearest case or card.
        least_cosine: reached by two cases that have nothing special in common.
    """
    distance = (1 - nearest_cosine) / (1 - least_cosine)
    return min(1.0, max(0.0, distance))


def is_copy(nearest_cosine: float) -> bool:
    """Return whether a case or a card with this cosine is a near copy."""
    return nearest_cosine > NEAR_COPY_COSINE
