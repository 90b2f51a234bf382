"""The plan of a round of learning, made from the traces alone: no model is asked for it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from memalign.embedded_text import text_of
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.memory.guideline_merge import contradictions_of
from memalign.memory.rollback import is_rolled_back
from memalign.memory.state import MemoryState, rationale_of
from memalign.ports import LabelledRationale, OverruledVerdict
from memalign.records import (
    Assessment,
    CaseVerdict,
    Episode,
    Label,
    OpinionKey,
    PersonLabel,
    Source,
    Trace,
)
from memalign.votes import assessment_ms, judge_assessment, tally

_log = logging.getLogger("memalign")


@dataclass(slots=True, kw_only=True)
class LearningPlan:
    """The differences between some traces' feedback and a memory."""

    put: dict[str, Episode] = field(default_factory=dict)
    """New episodes, and changed ones, by trace id."""
    retracted: list[str] = field(default_factory=list)
    """Known traces on which nobody's feedback stands any more."""
    unchanged: list[str] = field(default_factory=list)
    """Known traces with the same feedback."""
    rejected: dict[str, str] = field(default_factory=dict)
    """Trace id -> why nothing can be learned from it."""
    lost: set[OpinionKey] = field(default_factory=set)
    """The opinions that no longer stand as they were."""
    rationales: list[LabelledRationale] = field(default_factory=list)
    """Of opinions that are new."""
    overruled: dict[str, OverruledVerdict] = field(default_factory=dict)
    """Trace id -> the judge's verdict with its reason, where people's label is another one."""


def plan_learning(judge: Judge, state: MemoryState, traces: Iterable[Trace]) -> LearningPlan:
    """Compare the traces' feedback with a memory.

    Args:
        judge: The judge that learns.
        state: What it knows.
        traces: With assessments; of a trace given twice the last one counts.

    Returns:
        What is new, trace by trace.
    """
    plan, opinions = LearningPlan(), _opinions_by_trace(state)
    for trace in {trace.trace_id: trace for trace in traces}.values():
        try:
            episode = _episode(judge, trace)
        except InputError as error:
            plan.rejected[trace.trace_id] = str(error)
            continue
        if is_rolled_back(state, trace.trace_id, episode):
            plan.unchanged.append(trace.trace_id)
            continue
        _note(plan, state, trace.trace_id, episode, opinions.get(trace.trace_id, ()))
        overruled = None if episode is None else _overruled_verdict(judge, trace, episode.label)
        if overruled is not None:
            plan.overruled[trace.trace_id] = overruled
    return plan


def without_rolled_back(plan: LearningPlan, state: MemoryState) -> LearningPlan:
    """Leave out cases that were rolled back while the models were asked about them.

    Args:
        plan: A plan made from an earlier state.
        state: The state as it is now.

    Returns:
        The plan without them.
    """
    if not state.rolled_back:
        return plan
    left_out = {name for name, episode in plan.put.items() if is_rolled_back(state, name, episode)}
    left_out |= {name for name in plan.retracted if is_rolled_back(state, name, None)}
    return replace(
        plan,
        put={name: episode for name, episode in plan.put.items() if name not in left_out},
        retracted=[name for name in plan.retracted if name not in left_out],
        lost={key for key in plan.lost if key[0] not in left_out},
    )


def _note(
    plan: LearningPlan,
    state: MemoryState,
    trace_id: str,
    episode: Episode | None,
    opinions: Sequence[Source],
) -> None:
    known = state.episodes.get(trace_id)
    # of a case that went with a person, guidelines may hold opinions that do not stand any more
    left = _not_standing(opinions, episode) if known is None else frozenset()
    plan.lost |= left
    if episode is None and known is None and not left and trace_id not in state.rolled_back:
        plan.rejected[trace_id] = (
            f"Nobody's feedback for judge {state.judge} is on trace {trace_id}; "
            "give it a human assessment with the judge's name."
        )
    elif episode is None:
        plan.retracted.append(trace_id)
        plan.lost |= {(trace_id, opinion.person) for opinion in known.opinions} if known else set()
    elif known is not None and known.fingerprint == episode.fingerprint:
        plan.unchanged.append(trace_id)
    else:
        plan.put[trace_id] = episode
        _compare_opinions(plan, known, episode)


def _opinions_by_trace(state: MemoryState) -> dict[str, list[Source]]:
    """Gather all opinions that guidelines hold, for them or against them, in one pass for all traces of a plan."""
    opinions: dict[str, list[Source]] = {}
    for rule in state.semantic.guidelines:
        for source in (*rule.sources, *contradictions_of(rule)):
            opinions.setdefault(source.trace_id, []).append(source)
    return opinions


def _not_standing(opinions: Sequence[Source], episode: Episode | None) -> frozenset[OpinionKey]:
    standing = {(each.person, each.rationale) for each in episode.opinions} if episode else set()
    return frozenset(source.key for source in opinions if (source.person, source.quote) not in standing)


def _compare_opinions(plan: LearningPlan, known: Episode | None, episode: Episode) -> None:
    """Note lost and new opinions; those that stand as they were keep what was learned from them."""
    same_case = known is not None and (known.case_text, known.fields) == (episode.case_text, episode.fields)
    before = {opinion.person: opinion for opinion in known.opinions} if known else {}
    now = {opinion.person: opinion for opinion in episode.opinions}
    for person, opinion in before.items():
        if not (same_case and person in now and _same_opinion(opinion, now[person])):
            plan.lost.add((episode.trace_id, person))
    for person, opinion in now.items():
        stands = same_case and person in before and _same_opinion(opinion, before[person])
        if opinion.rationale and not stands:
            plan.rationales.append(rationale_of(episode, opinion))


def _same_opinion(first: PersonLabel, second: PersonLabel) -> bool:
    """Compare value, rationale and supported guidelines; the time does not matter."""
    return (first.value, first.rationale, first.supports) == (
        second.value,
        second.rationale,
        second.supports,
    )


def _episode(judge: Judge, trace: Trace) -> Episode | None:
    """Return the trace as a labelled case, or None when nobody's vote stands. Raises `InputError`."""
    votes = tally(trace.assessments, judge.name, judge.value_type)
    if votes is None:
        return None
    if votes.minority:
        _log.debug("Trace %s: %d of the votes lost; they are kept.", trace.trace_id, len(votes.minority))
    fields = judge.select_fields(trace)
    text = text_of(fields)
    return Episode(
        trace_id=trace.trace_id,
        label=votes.label,
        fields=fields,
        text=text.given,
        answer_text=text.made,
        opinions=votes.opinions,
        minority=votes.minority,
        verdict=_case_verdict(judge, trace),
    )


def _case_verdict(judge: Judge, trace: Trace) -> CaseVerdict | None:
    """Return the judge's verdict as a case keeps it; of free text none, which may quote other cases as reasons do."""
    assessment = judge_assessment(trace.assessments, judge.name)
    value = None if assessment is None else _verdict_value(judge, assessment)
    if assessment is None or value is None or judge.value_type.kind == "str":
        return None
    return CaseVerdict(
        value=value, judged_ms=assessment_ms(assessment), guideline_ids=assessment.guideline_ids
    )


def _overruled_verdict(judge: Judge, trace: Trace, label: Label) -> OverruledVerdict | None:
    assessment = judge_assessment(trace.assessments, judge.name)
    value = None if assessment is None else _verdict_value(judge, assessment)
    if assessment is None or value is None or value == label:
        return None
    return OverruledVerdict(value=value, rationale=(assessment.rationale or "").strip())


def _verdict_value(judge: Judge, assessment: Assessment) -> Label | None:
    """Return the value of a verdict; None for one of a judge that had another value type then."""
    try:
        return judge.value_type.parse(assessment.value)
    except InputError:
        return None
