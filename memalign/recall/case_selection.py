"""Selection of the cases that a judge is shown for a record."""

from collections.abc import Callable
from dataclasses import dataclass

from memalign.memory.episodic import EpisodicMemory, label_key
from memalign.ports import Vector
from memalign.records import CaseText, RetrievedEpisode


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """A record for which cases are selected."""

    text: CaseText
    vector: Vector
    """Of the text, of shape (2 x dimension,) and length 1."""
    count: int
    """Most cases."""
    exclude_trace_id: str | None
    """The case of this trace is left out."""
    min_similarity: float | None = None
    """Least cosine; None: found from the memory."""


CaseSelection = Callable[[EpisodicMemory, CaseQuery], tuple[RetrievedEpisode, ...]]
"""Selects cases of a memory, best first."""


def similar_cases(memory: EpisodicMemory, query: CaseQuery) -> tuple[RetrievedEpisode, ...]:
    """Select the cases most like a record.

    Args:
        memory: The cases.
        query: The record.

    Returns:
        At most `query.count` cases, best first.
    """
    return _ranked(memory, query)[: query.count]


def contrasting_cases(memory: EpisodicMemory, query: CaseQuery) -> tuple[RetrievedEpisode, ...]:
    """Select the cases most like a record, one of another label among them.

    Where all of them have one label, the last place goes to the best case of another one: a judge that sees one
    label only has nothing to tell it from.

    Args:
        memory: The cases.
        query: The record.

    Returns:
        At most `query.count` cases, best first.
    """
    ranked = _ranked(memory, query)
    selected = ranked[: query.count]
    labels = {label_key(case) for case in selected}
    if query.count < 2 or len(selected) < query.count or len(labels) > 1:
        return selected
    contrast = next((case for case in ranked if label_key(case) not in labels), selected[-1])
    return (*selected[:-1], contrast)


def _ranked(memory: EpisodicMemory, query: CaseQuery) -> tuple[RetrievedEpisode, ...]:
    if query.count <= 0:
        return ()
    return memory.candidates(
        query.vector,
        query.count,
        exclude_trace_id=query.exclude_trace_id,
        min_similarity=query.min_similarity,
    )
