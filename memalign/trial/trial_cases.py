"""Cases for trials: those most like the cases that a guideline was learned from."""

from memalign.memory.episodic import EpisodicMemory
from memalign.memory.state import MemoryState
from memalign.records import Episode, Guideline

MAX_TRIAL_CASES = 20
"""Cases that a guideline is tried on."""
MAX_SOURCES_SEARCHED = 8
"""Sources whose neighbours are looked for, the newest ones. Set by hand: a search of a large memory takes some
milliseconds, and a guideline of many sources has been confirmed often."""
LEAST_COSINE = -1.0
"""The nearest cases are wanted, however far they are."""


def trial_cases(state: MemoryState, guideline: Guideline) -> list[Episode]:
    """Choose the cases to try a guideline on.

    Args:
        state: The memory.
        guideline: The guideline.

    Returns:
        At most `MAX_TRIAL_CASES` labelled cases with vectors, those nearest to its sources first. A case that is its
        only source is left out, with the near-copies of it. Where all nearest ones have one label, the last is the
        nearest with another.
    """
    sources = guideline.source_trace_ids
    left_out = set(sources) if len(sources) == 1 else set()
    similarities: dict[str, float] = {}
    for trace_id in sources[-MAX_SOURCES_SEARCHED:]:
        for each, similarity in _nearest(state.episodic, trace_id, left_out):
            similarities[each] = max(similarity, similarities.get(each, LEAST_COSINE))
    ranked = sorted(similarities, key=lambda trace_id: (-similarities[trace_id], trace_id))
    return [state.episodes[trace_id] for trace_id in ranked[:MAX_TRIAL_CASES]]


def _nearest(episodic: EpisodicMemory, trace_id: str, left_out: set[str]) -> list[tuple[str, float]]:
    """Return the trace ids of the cases nearest to a source, which may be one itself, with their cosines."""
    row = episodic.vectors.get(trace_id)
    if row is None:
        return []
    # one more, in the place of the source's own case
    cases = episodic.nearest(row, MAX_TRIAL_CASES + 1, exclude_trace_id=None, min_similarity=LEAST_COSINE)
    kept = [
        (case.episode.trace_id, case.similarity)
        for case in cases
        if left_out.isdisjoint({case.episode.trace_id, *(copy.trace_id for copy in case.copies)})
    ]
    return kept[:MAX_TRIAL_CASES]
