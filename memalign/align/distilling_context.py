"""Context for distilling: the verdicts that people overruled, and the cases most like those to be distilled."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from memalign.align.plan import LearningPlan
from memalign.memory.case_vectors import CaseVectors
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.state import MemoryState
from memalign.ports import LabelledRationale, Vector
from memalign.records import CaseText, RetrievedEpisode

MAX_NEIGHBOURS = 6
"""Cases shown as context. Set by hand, with a few of each label in mind."""
MAX_RATIONALES_WITH_NEIGHBOURS = 10
"""More rationales than these show by themselves what repeats and what differs. Set by hand."""
MAX_NEIGHBOUR_CANDIDATES = 60
"""Of a search; more of them than that are rarely among those whose reasons are still to be distilled."""


async def with_context(
    rationales: Sequence[LabelledRationale], plan: LearningPlan, state: MemoryState, vectors: CaseVectors
) -> list[LabelledRationale]:
    """Add to rationales what helps to distil them. No model is asked.

    Args:
        rationales: To be distilled.
        plan: What is new, with the judge's reasons as far as the traces hold them.
        state: What is known.
        vectors: Of cases; only those that are known already are used.

    Returns:
        The rationales, in the same order.

    Raises:
        StorageError: If stored vectors cannot be read.
    """
    overruled = plan.overruled
    explained = [
        replace(each, overruled=overruled[each.source.trace_id])
        if each.source.trace_id in overruled
        else each
        for each in rationales
    ]
    if len(explained) > MAX_RATIONALES_WITH_NEIGHBOURS or not state.episodes:
        return explained
    cases = await _embedded_cases(explained, plan, state, vectors)
    new = {*plan.put, *plan.retracted, *state.undistilled, *(each.source.trace_id for each in explained)}
    neighbours = {}
    for trace_id, (text, row) in cases.items():
        neighbours[trace_id] = learned_neighbours(state.episodic, text, row, trace_id, new)
        await asyncio.sleep(0)  # a search of a large memory takes some milliseconds: others come in between
    return [replace(each, neighbours=neighbours.get(each.source.trace_id, ())) for each in explained]


async def _embedded_cases(
    rationales: Sequence[LabelledRationale], plan: LearningPlan, state: MemoryState, vectors: CaseVectors
) -> Mapping[str, tuple[CaseText, Vector]]:
    """Look up the texts of the rationales' cases, and their rows, by trace id."""
    episodes = state.episodes.changed(plan.put.values(), ())
    texts = {
        each.source.trace_id: episodes[each.source.trace_id].case_text
        for each in rationales
        if each.source.trace_id in episodes
    }
    known = await vectors.known(texts.values())
    return {trace_id: (text, known[text]) for trace_id, text in texts.items() if text in known}


def learned_neighbours(
    episodic: EpisodicMemory, text: CaseText, row: Vector, trace_id: str, new: Collection[str]
) -> tuple[RetrievedEpisode, ...]:
    """Find the cases most like one whose reasons were distilled before.

    Args:
        episodic: The cases.
        text: Of the case.
        row: Of the text, of shape (2 x dimension,).
        trace_id: Its trace.
        new: Traces whose reasons are still to be distilled; they are left out.

    Returns:
        At most `MAX_NEIGHBOURS` cases, best first.
    """
    count = min(MAX_NEIGHBOURS + len(new), MAX_NEIGHBOUR_CANDIDATES)
    learned = []
    for case in episodic.nearest(row, count, text=text, exclude_trace_id=trace_id):
        known = [each for each in (case.episode, *case.copies) if each.trace_id not in new]
        if known:
            learned.append(replace(case, episode=known[0], copies=()))
    return tuple(learned[:MAX_NEIGHBOURS])
