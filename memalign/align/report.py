"""Reports of what changed between two states of a memory, trace by trace and guideline by guideline."""

from collections.abc import Collection, Container, Iterable, Mapping

from memalign.align.plan import LearningPlan
from memalign.align.round import RoundResult
from memalign.memory.state import MemoryState
from memalign.records import Guideline, Lesson, Usage

DISTIL_AGAIN = "A guideline that rests on this trace has still to be learned again."
NOT_DISTILLED = "Its reasons have not been read yet."
NOT_EMBEDDED = "It cannot be found as a similar case yet: the embedding model has not read it."
OUTDATED = "The embedding model has still to read its present text; until then its earlier one is compared."


def pending_in(
    state: MemoryState, reasons: Mapping[str, str], declined: Collection[str] = ()
) -> dict[str, str]:
    """Find the traces of which something waits for a model.

    Args:
        state: The state of the memory.
        reasons: Trace id -> what a model said when the last attempt failed.
        declined: Traces whose rationales the distiller has refused for good.

    Returns:
        Trace id -> why it waits.
    """
    waiting = {
        trace_id: DISTIL_AGAIN for rule in state.semantic.waiting for trace_id in rule.source_trace_ids
    }
    undistilled = dict.fromkeys(sorted(state.undistilled.difference(declined)), NOT_DISTILLED)
    outdated = state.episodic.outdated
    not_embedded = {name: OUTDATED if name in outdated else NOT_EMBEDDED for name in state.episodic.to_embed}
    pending = {**waiting, **undistilled, **not_embedded}
    return {trace_id: reasons.get(trace_id, why) for trace_id, why in pending.items()}


def lesson_of(
    plan: LearningPlan,
    retried: Collection[str],
    before: MemoryState,
    after: MemoryState,
    reasons: Mapping[str, str],
    declined: Mapping[str, str],
    result: RoundResult | None = None,
) -> Lesson:
    """Report on one round of learning.

    Args:
        plan: What was new.
        retried: Trace ids that were pending before and have been tried again.
        before: The state before the round.
        after: The state after it.
        reasons: Trace id -> what a model said when it failed.
        declined: Trace id -> why the distiller refused its rationales for good.
        result: What the models answered; None if none was asked.

    Returns:
        The report.
    """
    pending = pending_in(after, reasons, declined)
    attempted = dict.fromkeys([*plan.put, *plan.retracted, *sorted(retried)])
    known, current = _by_id(before), _by_id(after)
    return Lesson(
        learned=_learned(attempted, plan, after, pending),
        unchanged=_unchanged(attempted, plan, pending),
        pending=pending,
        declined=declined,
        retry_after=0.0 if result is None else result.retry_after,
        rejected=plan.rejected,
        added=_added(known, current),
        retired=_retired(known, current),
        retracted=tuple(plan.retracted),
        merged=_merged(known, current),
        doubted=_doubted(known, current),
        held_back=_held_back(known, current),
        refused=() if result is None else result.distillation.refused,
        dropped=0 if result is None else result.distillation.dropped,
        usage=Usage() if result is None else result.usage,
    )


def _learned(
    attempted: Iterable[str], plan: LearningPlan, after: MemoryState, pending: Container[str]
) -> tuple[str, ...]:
    """Return the attempted traces that are in memory, or out of it as asked, with nothing pending."""
    return tuple(
        trace_id
        for trace_id in attempted
        if (trace_id in after.episodes or trace_id in plan.retracted) and trace_id not in pending
    )


def _unchanged(attempted: Container[str], plan: LearningPlan, pending: Container[str]) -> tuple[str, ...]:
    return tuple(
        trace_id for trace_id in plan.unchanged if trace_id not in attempted and trace_id not in pending
    )


def _added(known: Mapping[str, Guideline], current: Mapping[str, Guideline]) -> tuple[Guideline, ...]:
    """Return the guidelines in use that were not in use before."""
    return tuple(
        rule
        for rule_id, rule in current.items()
        if rule.in_use and not (rule_id in known and known[rule_id].in_use)
    )


def _retired(known: Mapping[str, Guideline], current: Mapping[str, Guideline]) -> tuple[Guideline, ...]:
    return tuple(rule for rule in known.values() if rule.in_use and _is_retired(rule, current))


def _merged(known: Mapping[str, Guideline], current: Mapping[str, Guideline]) -> tuple[Guideline, ...]:
    """Return the guidelines that stand for one that stood alone before."""
    return tuple(
        rule
        for rule in current.values()
        if any(each.guideline.id in known and each.guideline.id not in current for each in rule.merged)
    )


def _doubted(known: Mapping[str, Guideline], current: Mapping[str, Guideline]) -> tuple[Guideline, ...]:
    return tuple(
        rule
        for rule_id, rule in current.items()
        if rule.stands and rule.doubtful and not (rule_id in known and known[rule_id].doubtful)
    )


def _held_back(known: Mapping[str, Guideline], current: Mapping[str, Guideline]) -> tuple[Guideline, ...]:
    """Return the retired guidelines that rest on opinions on which none rested before."""
    return tuple(
        rule
        for rule in current.values()
        if rule.retired and not (rule.id in known and set(rule.sources) <= set(known[rule.id].sources))
    )


def _is_retired(rule: Guideline, current: Mapping[str, Guideline]) -> bool:
    """Tell whether a guideline is gone with nothing distilled in its place, or overruled."""
    if rule.id in current:
        return current[rule.id].overruled
    return not any(set(rule.sources) & set(other.sources) for other in current.values())


def _by_id(state: MemoryState) -> dict[str, Guideline]:
    return {rule.id: rule for rule in state.semantic.guidelines}
