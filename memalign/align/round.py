"""One round of learning: what models are asked, and what comes of their answers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from memalign.align.plan import LearningPlan
from memalign.errors import ModelError
from memalign.memory.embedding_cache import Found, VectorCache
from memalign.memory.state import MemoryState, records_of
from memalign.ports import Distilled, Distiller, Record
from memalign.records import Guideline, Usage

COMPARED_FROM = 50
"""Records in a round from which drafts are compared by vectors too: their batches did not see each other."""
MANY_DRAFTS = 50
"""Drafts from which taking them in would hold up the event loop for a moment."""

_NOTHING = Found(vectors={}, failed={}, usage=Usage())


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What the models made of one round's material."""

    texts: Found
    """The texts of episodes."""
    drafts: Found
    """The texts of drafts, where those were compared by vectors."""
    distilled: Distilled
    settled: frozenset[str]
    """Ids of the waiting guidelines that were distilled again."""

    @property
    def usage(self) -> Usage:
        """What it cost."""
        return self.texts.usage + self.drafts.usage + self.distilled.usage


async def study(
    plan: LearningPlan, state: MemoryState, instructions: str, vectors: VectorCache, distiller: Distiller
) -> Studied:
    """Ask the models about what is new, and again about what is pending: embed and distil at once.

    What fails is told in the result. Raises `StorageError`.
    """
    semantic = state.semantic.without(plan.lost)
    unfound = (state.episodes[name] for name in state.episodic.without_vector if name not in plan.put)
    records = _records(plan, state, semantic.waiting)
    found, distilled = await asyncio.gather(
        vectors.find([episode.text for episode in (*plan.put.values(), *unfound)]),
        _distil(distiller, instructions, records, semantic.in_use),
    )
    many = len(records) >= COMPARED_FROM and len(distilled.drafts) > 1
    drafts = await vectors.find(draft.text for draft in distilled.drafts) if many else _NOTHING
    return Studied(
        texts=found, drafts=drafts, distilled=distilled, settled=_settled(semantic.waiting, distilled)
    )


async def learned(before: MemoryState, plan: LearningPlan, studied: Studied) -> MemoryState:
    """The state with the round's outcome in it."""
    episodes = {**before.episodes, **plan.put}
    found = studied.texts.vectors
    tried = {*plan.put, *before.undistilled}
    state = before.learning(
        put=list(plan.put.values()),
        retracted=plan.retracted,
        lost=plan.lost,
        vectors={name: found[one.text] for name, one in episodes.items() if one.text in found},
        undistilled=studied.distilled.failed.keys() & tried,
    )
    outcome = (studied.distilled, studied.settled, studied.drafts.vectors, time.time_ns() // 1_000_000)
    if len(studied.distilled.drafts) < MANY_DRAFTS:
        return state.adopting(*outcome)
    return await asyncio.to_thread(state.adopting, *outcome)


def reasons(plan: LearningPlan, state: MemoryState, studied: Studied) -> dict[str, str]:
    """Trace id -> what the models said when they failed."""
    episodes = {**state.episodes, **plan.put}
    failed = studied.texts.failed
    unfound = {name: failed[one.text] for name, one in episodes.items() if one.text in failed}
    return {**studied.distilled.failed, **unfound}


def _records(plan: LearningPlan, state: MemoryState, waiting: Sequence[Guideline]) -> list[Record]:
    """New reasons, those that could not be distilled before, and those that waiting guidelines rest on."""
    again = records_of(
        {**state.episodes, **plan.put}, waiting, state.undistilled.difference(plan.put, plan.retracted)
    )
    records = {(one.source.trace_id, one.source.person): one for one in (*plan.records, *again)}
    return list(records.values())


def _settled(waiting: Sequence[Guideline], distilled: Distilled) -> frozenset[str]:
    return frozenset(
        one.id
        for one in waiting
        if not any(trace_id in distilled.failed for trace_id in one.source_trace_ids)
    )


async def _distil(
    distiller: Distiller, instructions: str, records: Sequence[Record], known: Sequence[Guideline]
) -> Distilled:
    if not records:
        return Distilled()
    try:
        return await distiller.distil(instructions, records, known)
    except ModelError as error:
        return Distilled(failed={record.source.trace_id: str(error) for record in records})
