"""What changed between two states of a memory, told trace by trace and guideline by guideline."""

from collections.abc import Collection, Mapping

from memalign.align.plan import LearningPlan
from memalign.memory.state import MemoryState
from memalign.records import Guideline, Lesson, Usage

DISTIL_AGAIN = "A guideline that rests on this trace has still to be distilled again."
NOT_DISTILLED = "Its reasons have not been distilled yet."
NOT_EMBEDDED = "Its text has not been embedded yet, so it cannot be found as a similar case."


def pending_in(state: MemoryState, reasons: Mapping[str, str]) -> dict[str, str]:
    """Trace id -> why something of it waits; `reasons` are what the last attempts said."""
    waiting = {trace_id: DISTIL_AGAIN for one in state.semantic.waiting for trace_id in one.source_trace_ids}
    undistilled = dict.fromkeys(sorted(state.undistilled), NOT_DISTILLED)
    unfound = dict.fromkeys(state.episodic.without_vector, NOT_EMBEDDED)
    pending = {**waiting, **undistilled, **unfound}
    return {trace_id: reasons.get(trace_id, why) for trace_id, why in pending.items()}


def lesson_of(
    plan: LearningPlan,
    retried: Collection[str],
    before: MemoryState,
    after: MemoryState,
    reasons: Mapping[str, str],
    usage: Usage,
) -> Lesson:
    """What one round of learning did."""
    pending = pending_in(after, reasons)
    taken = dict.fromkeys([*plan.put, *plan.retracted, *sorted(retried)])
    known, held = _by_id(before), _by_id(after)
    return Lesson(
        learned=tuple(
            trace_id
            for trace_id in taken
            if trace_id not in pending and (trace_id in after.episodes or trace_id in plan.retracted)
        ),
        unchanged=tuple(
            trace_id for trace_id in plan.unchanged if trace_id not in taken and trace_id not in pending
        ),
        pending=pending,
        rejected=plan.rejected,
        added=tuple(one for name, one in held.items() if one.in_use and not _stood(name, known)),
        supported=tuple(
            one
            for name, one in held.items()
            if one.in_use and _stood(name, known) and set(one.sources) - set(known[name].sources)
        ),
        retired=tuple(one for one in known.values() if one.in_use and _retired(one, held)),
        retracted=tuple(plan.retracted),
        outvoted={trace_id: episode.minority for trace_id, episode in plan.put.items() if episode.minority},
        usage=usage,
    )


def _by_id(state: MemoryState) -> dict[str, Guideline]:
    return {one.id: one for one in state.semantic.guidelines}


def _stood(name: str, known: Mapping[str, Guideline]) -> bool:
    return name in known and known[name].in_use


def _retired(one: Guideline, held: Mapping[str, Guideline]) -> bool:
    """Gone, with nothing distilled in its place, or turned against."""
    if one.id in held:
        return held[one.id].overruled
    return not any(set(one.sources) & set(other.sources) for other in held.values())
