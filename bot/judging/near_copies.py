"""Near copies among a window's candidates: traces of nearly the same words count as one."""

from collections.abc import Sequence

from memalign.memory.case_similarity import NEAR_COPY_COSINE
from memalign.memory.vector_index import cosine
from memalign.ports import Vector


def groups_of_copies(vectors: Sequence[Vector | None]) -> list[list[int]]:
    """Group candidates by their vectors.

    Args:
        vectors: of each candidate, of length 1; one whose vector is not known is a copy of nothing.

    Returns:
        The places of each group's candidates, in order: the first one of a group, and those nearer to it than a
        cosine of 0.98.
    """
    groups: list[list[int]] = []
    for place, vector in enumerate(vectors):
        group = next((each for each in groups if _are_copies(vectors[each[0]], vector)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _are_copies(one: Vector | None, other: Vector | None) -> bool:
    return one is not None and other is not None and cosine(one, other) > NEAR_COPY_COSINE
