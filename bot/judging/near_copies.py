"""Near copies among a window's candidates: traces of nearly the same words count as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.judging.hash_fraction import hash_fraction
from memalign.memory.case_similarity import NEAR_COPY_COSINE
from memalign.memory.vector_index import cosine
from memalign.ports import Vector
from memalign.records import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyGroup:
    """Candidates that are near copies of one of them, which stands for all."""

    trace: Trace
    """Drawn at random: each of the group has the same chance."""
    size: int = 1


def groups_of_copies(
    traces: Sequence[Trace], vectors: Mapping[str, Vector], judge: str, key: bytes
) -> list[CopyGroup]:
    """Group candidates by their vectors.

    Args:
        traces: the candidates.
        vectors: by trace id, of length 1; a trace whose vector is not known is a copy of nothing.
        judge: the judge's name.
        key: the store's secret, by which the order is random and yet the same each time.

    Returns:
        The groups, in an order that their sizes have no part in. Candidates are together with the one that comes first,
        to which their cosine is above 0.98.
    """
    groups: list[CopyGroup] = []
    for trace in _shuffled(traces, judge, key):
        place = _place_of(vectors.get(trace.trace_id), groups, vectors)
        if place is None:
            groups.append(CopyGroup(trace=trace))
        else:
            groups[place] = replace(groups[place], size=groups[place].size + 1)
    groups.sort(key=lambda group: hash_fraction(judge, "group", group.trace.trace_id, key=key))
    return groups


def _place_of(
    vector: Vector | None, groups: Sequence[CopyGroup], vectors: Mapping[str, Vector]
) -> int | None:
    if vector is None:
        return None
    for place, group in enumerate(groups):
        other = vectors.get(group.trace.trace_id)
        if other is not None and cosine(vector, other) > NEAR_COPY_COSINE:
            return place
    return None


def _shuffled(traces: Sequence[Trace], judge: str, key: bytes) -> list[Trace]:
    return sorted(traces, key=lambda trace: hash_fraction(judge, "candidate", trace.trace_id, key=key))
