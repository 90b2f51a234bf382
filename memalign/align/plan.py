"""What a round of learning has to do, seen from the traces alone: no model is asked for it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from memalign.errors import InputError
from memalign.judge import Judge
from memalign.memory.state import MemoryState, record_of
from memalign.ports import Record
from memalign.records import Episode, PersonLabel, Trace
from memalign.template import text_of
from memalign.votes import tally

_log = logging.getLogger("memalign")


@dataclass(slots=True, kw_only=True)
class LearningPlan:
    """Trace by trace, what is new."""

    put: dict[str, Episode] = field(default_factory=dict)
    """New episodes, and changed ones."""
    retracted: list[str] = field(default_factory=list)
    """Known traces on which nobody's feedback stands any more."""
    unchanged: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    lost: set[tuple[str, str]] = field(default_factory=set)
    """(trace id, person) of opinions that no longer stand as they were."""
    records: list[Record] = field(default_factory=list)
    """New opinions with a reason."""


def plan_learning(judge: Judge, state: MemoryState, traces: Iterable[Trace]) -> LearningPlan:
    """Compare the traces' feedback with what is known; of a trace given twice the last one counts."""
    plan = LearningPlan()
    for trace in {trace.trace_id: trace for trace in traces}.values():
        try:
            episode = _episode(judge, trace)
        except InputError as error:
            plan.rejected[trace.trace_id] = str(error)
            continue
        _note(plan, state, trace.trace_id, state.episodes.get(trace.trace_id), episode)
    return plan


def _note(
    plan: LearningPlan, state: MemoryState, trace_id: str, known: Episode | None, episode: Episode | None
) -> None:
    if episode is None and known is None:
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
        _compare(plan, known, episode)


def _compare(plan: LearningPlan, known: Episode | None, episode: Episode) -> None:
    """Opinions that stand as they were keep what was learned from them; the others are lost, or new."""
    same_case = known is not None and (known.text, known.fields) == (episode.text, episode.fields)
    before = {opinion.person: opinion for opinion in known.opinions} if known else {}
    now = {opinion.person: opinion for opinion in episode.opinions}
    for person, opinion in before.items():
        if not (same_case and person in now and _alike(opinion, now[person])):
            plan.lost.add((episode.trace_id, person))
    for person, opinion in now.items():
        if opinion.rationale and not (same_case and person in before and _alike(opinion, before[person])):
            plan.records.append(record_of(episode, opinion))


def _alike(one: PersonLabel, other: PersonLabel) -> bool:
    """The same said, whenever it was said."""
    return (one.value, one.rationale) == (other.value, other.rationale)


def _episode(judge: Judge, trace: Trace) -> Episode | None:
    """The trace as a labelled case, or None when nobody's vote stands. Raises `InputError`."""
    votes = tally(trace.assessments, judge.name, judge.value_type)
    if votes is None:
        return None
    if votes.minority:
        _log.debug("Trace %s: %d of the votes lost; they are kept.", trace.trace_id, len(votes.minority))
    fields = judge.look_at(trace)
    return Episode(
        trace_id=trace.trace_id,
        label=votes.label,
        fields=fields,
        text=text_of(fields),
        opinions=votes.opinions,
        minority=votes.minority,
    )
