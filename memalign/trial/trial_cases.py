"""Cases for trials: those most like the cases that a guideline was learned from, and those that it is about."""

import asyncio
from collections.abc import Collection, Sequence
from itertools import chain, zip_longest

from memalign.memory.case_vectors import row_of
from memalign.memory.state import MemoryState
from memalign.memory.text_features import stems
from memalign.ports import Vector
from memalign.records import Episode, Guideline, RetrievedEpisode

MAX_TRIAL_CASES = 20
"""Cases that a guideline is tried on."""
MAX_SOURCES_SEARCHED = 8
"""Sources whose neighbours are looked for, the newest ones. Set by hand: a search of a large memory takes some
milliseconds, and a guideline of many sources has been confirmed often."""
MAX_RULE_CANDIDATES = 100
"""Cases nearest to a guideline's own text, among which those with most of its words are chosen. Set by hand."""
LEAST_COSINE = -1.0
"""The nearest cases are wanted, however far they are."""


async def trial_cases(state: MemoryState, guideline: Guideline, vector: Vector | None) -> list[Episode]:
    """Choose the cases to try a guideline on: by turns one like its sources, and one that it is about.

    Cases like the sources may be about other things, and a wrong guideline shows on what it is about.

    Args:
        state: The memory.
        guideline: The guideline.
        vector: The vector of its text, of shape (dimension,); None where it is not known: by its sources alone.

    Returns:
        At most `MAX_TRIAL_CASES` labelled cases with vectors, the nearest first. A case that is the guideline's only
        source is left out, with the near-copies of it.
    """
    sources = guideline.source_trace_ids
    left_out = set(sources) if len(sources) == 1 else set()
    about = await _about(state, guideline, vector, left_out)
    alike = _alike(state, sources, left_out)
    by_turns = chain.from_iterable(zip_longest(about, alike))
    chosen = dict.fromkeys(trace_id for trace_id in by_turns if trace_id is not None)
    return [state.episodes[trace_id] for trace_id in list(chosen)[:MAX_TRIAL_CASES]]


def _alike(state: MemoryState, sources: Sequence[str], left_out: Collection[str]) -> list[str]:
    """Return the trace ids of the cases most like the sources, which may be sources themselves, best first."""
    similarities: dict[str, float] = {}
    for trace_id in sources[-MAX_SOURCES_SEARCHED:]:
        row = state.episodic.vectors.get(trace_id)
        for case in () if row is None else _nearest(state, row, MAX_TRIAL_CASES + 1, left_out):
            name = case.episode.trace_id
            similarities[name] = max(case.similarity, similarities.get(name, LEAST_COSINE))
    return sorted(similarities, key=lambda name: (-similarities[name], name))


async def _about(
    state: MemoryState, guideline: Guideline, vector: Vector | None, left_out: Collection[str]
) -> list[str]:
    """Return the trace ids of the cases with most of the guideline's words, of those nearest to its text."""
    if vector is None:
        return []
    cases = _nearest(state, row_of(vector, vector), MAX_RULE_CANDIDATES, left_out)
    # in a thread: the words of a hundred texts take longer than others should wait for the event loop
    return await asyncio.to_thread(_by_shared_words, guideline.text, cases)


def _by_shared_words(text: str, cases: Sequence[RetrievedEpisode]) -> list[str]:
    words = stems(text)
    shared = {case.episode.trace_id: len(words & stems("\n".join(case.episode.case_text))) for case in cases}
    ranked = sorted(cases, key=lambda case: (-shared[case.episode.trace_id], -case.similarity))
    return [case.episode.trace_id for case in ranked]


def _nearest(
    state: MemoryState, row: Vector, count: int, left_out: Collection[str]
) -> list[RetrievedEpisode]:
    """Return the cases nearest to a row, without those left out and their near-copies."""
    cases = state.episodic.nearest(row, count, exclude_trace_id=None, min_similarity=LEAST_COSINE)
    names = [{case.episode.trace_id, *(copy.trace_id for copy in case.copies)} for case in cases]
    return [case for case, group in zip(cases, names, strict=True) if group.isdisjoint(left_out)]
