"""Export of the store as JSON lines, for other programs."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import Literal

from bot.config import JudgeSettings
from bot.feedback import Feedback, all_feedback
from bot.runtime.clock import from_ms
from memalign.media import replace_media, trace_without_media
from memalign.memory.guideline_merge import merged_into, people_of
from memalign.memory.semantic import DEFAULT_POLICY, guidelines_of
from memalign.mlflow_feedback import evidence_metadata
from memalign.records import Episode, Guideline, GuidelinePolicy, Handling, Json, Trace, Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import StoredVerdict

Format = Literal["jsonl", "mlflow"]
Line = dict[str, Json]
VERDICTS_PER_PAGE = 200
INTERNAL_FIELDS = {
    "worded_by",
    "own_sources",
    "lacks",
    "previous",
    "compared",
    "has_been_compared",
    "has_been_joined",
    "needs_trial",
    "record",
    "record_since_ms",
}
"""Fields of guidelines that only the memory needs."""
DECISION_FIELDS = ("added_by", "edited_by", "retired_by", "pinned_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredVerdict:
    """A verdict with its trace, without media, and people's feedback on it."""

    trace: Trace
    stored: StoredVerdict
    feedback: Collection[Feedback]


PolicyOf = Callable[[JudgeSettings], GuidelinePolicy]
"""Returns the conditions on which a judge's guidelines are used."""


def _default_policy(_: JudgeSettings) -> GuidelinePolicy:
    return DEFAULT_POLICY


async def export_lines(
    database: Database,
    judges: Collection[JudgeSettings],
    kind: Format,
    policy_of: PolicyOf = _default_policy,
) -> AsyncIterator[Line]:
    """Yield the judges' traces, verdicts, feedback, guidelines and episodes; for MLflow, traces with assessments."""
    exported: set[str] = set()
    async for answered in _answered_verdicts(database, judges):
        if kind == "mlflow":
            yield mlflow_line(answered.trace, answered.stored, answered.feedback)
            continue
        if answered.trace.trace_id not in exported:
            exported.add(answered.trace.trace_id)
            yield trace_line(answered.trace)
        yield stored_verdict_line(answered.stored)
        for feedback in answered.feedback:
            yield feedback_line(answered.trace, feedback)
    for judge in judges if kind == "jsonl" else ():
        memory = await database.memories.load(judge.name)
        for rule in guidelines_of(memory, policy_of(judge)):
            yield guideline_line(judge.name, rule)
        for episode in memory.episodes.values():
            yield episode_line(judge.name, episode)


async def export_person_lines(
    database: Database,
    judges: Collection[JudgeSettings],
    person: str,
    policy_of: PolicyOf = _default_policy,
) -> AsyncIterator[Line]:
    """Yield one person's feedback, and the guidelines that rest on it, with that person's words alone."""
    async for answered in _answered_verdicts(database, judges):
        for feedback in answered.feedback:
            if feedback.person == person and (feedback.vote or feedback.rationale):
                # with the label, the vote would tell what the judge said
                hides = answered.stored.is_hidden and feedback.vote != "unsure"
                yield feedback_line(answered.trace, replace(feedback, vote=None) if hides else feedback)
    for judge in judges:
        for rule in guidelines_of(await database.memories.load(judge.name), policy_of(judge)):
            if person in people_of(rule):
                yield own_guideline_line(judge.name, rule, person)


async def _answered_verdicts(
    database: Database, judges: Collection[JudgeSettings]
) -> AsyncIterator[AnsweredVerdict]:
    """Yield the verdicts of these judges whose traces are there."""
    value_types = {judge.name: value_type_of(judge.feedback_value_type, judge.range) for judge in judges}
    after: str | None = None
    while page := await database.verdicts.page(after, VERDICTS_PER_PAGE):
        after = page[-1].verdict_id
        for stored in page:
            trace = await database.traces.get(stored.verdict.trace_id)
            value_type = value_types.get(stored.verdict.judge)
            if trace is not None and value_type is not None:
                by_person = await database.feedback.of(stored.verdict_id)
                feedback = all_feedback(stored, by_person, value_type)
                yield AnsweredVerdict(trace=trace_without_media(trace), stored=stored, feedback=feedback)


def trace_line(trace: Trace) -> Line:
    """Return a trace as it is kept."""
    line = {name: value for name, value in asdict(trace).items() if value not in (None, (), {}, [])}
    return {"type": "trace", **line, "inputs": trace.inputs, "outputs": trace.outputs}


def verdict_line(verdict: Verdict) -> Line:
    """Return a verdict as a line of VERDICTS.jsonl; its guidelines are those that led the judge."""
    return {
        "trace_id": verdict.trace_id,
        "judge": verdict.judge,
        "value": verdict.value,
        "rationale": verdict.rationale,
        "guideline_ids": list(verdict.guideline_ids),
        "retrieved_trace_ids": list(verdict.retrieved_trace_ids),
    }


def stored_verdict_line(stored: StoredVerdict) -> Line:
    """Return a stored verdict: the line of VERDICTS.jsonl with its id and time, and all that its judge was shown."""
    return {
        "type": "verdict",
        "verdict_id": stored.verdict_id,
        **verdict_line(stored.verdict),
        "shown_guideline_ids": list(stored.verdict.shown_guideline_ids),
        "cited_trace_ids": list(stored.verdict.cited_trace_ids),
        "timestamp": from_ms(stored.judged_ms).isoformat(),
        "selection": _selection(stored),
    }


def _selection(stored: StoredVerdict) -> Line | None:
    """Return the way in which a trace was chosen for a card; None where a label alone had it judged."""
    if not stored.has_card:
        return None
    return {"probability": stored.selection.probability, "reason": stored.selection.reason}


def feedback_line(trace: Trace, feedback: Feedback) -> Line:
    """Return one person's feedback as a line of a feedback file."""
    return {
        "type": "feedback",
        "trace_id": feedback.trace_id,
        "judge": feedback.judge,
        "inputs": trace.inputs,
        "outputs": trace.outputs,
        "label": feedback.value,
        "rationale": feedback.rationale or None,
        "annotator": feedback.person,
        "timestamp": from_ms(feedback.time_ms).isoformat() if feedback.time_ms else None,
        "source": "slack",
        "vote": feedback.vote,
    }


def guideline_line(judge: str, rule: Guideline) -> Line:
    """Return a guideline with its sources."""
    facts = {name: value for name, value in asdict(rule).items() if name not in INTERNAL_FIELDS}
    decisions = {name: _decision(getattr(rule, name)) for name in DECISION_FIELDS}
    return {
        "type": "guideline",
        "judge": judge,
        **facts,
        **decisions,
        "source_trace_ids": list(rule.source_trace_ids),
        "state": rule.state,
        "votes": asdict(rule.record),
        "merged": [each.text for each in merged_into(rule)],
    }


def own_guideline_line(judge: str, rule: Guideline, person: str) -> Line:
    """Return a guideline with the words on cases and the decisions of one person alone."""
    own, own_contradicted = (
        tuple(source for source in sources if source.person == person)
        for sources in (rule.sources, rule.contradicted)
    )
    line = guideline_line(judge, replace(rule, sources=own, contradicted=own_contradicted))
    others = [name for name in DECISION_FIELDS if line[name] and line[name]["person"] != person]
    approved_by = person if rule.approved_by == person else ""
    return {**line, **dict.fromkeys(others), "approved_by": approved_by}


def _decision(decision: Handling | None) -> Json:
    if decision is None:
        return None
    return {"person": decision.person, "timestamp": from_ms(decision.time_ms).isoformat()}


def episode_line(judge: str, episode: Episode) -> Line:
    """Return an episode without its vector."""
    return {"type": "episode", "judge": judge, **replace_media(asdict(episode))}


def mlflow_line(trace: Trace, stored: StoredVerdict, people: Collection[Feedback]) -> Line:
    """Return a trace as `mlflow.entities.Trace.from_dict` reads it; verdict and labels are its assessments."""
    start = from_ms(stored.judged_ms)
    return {
        "info": {
            "trace_id": trace.trace_id,
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
            "request_time": start.isoformat().replace("+00:00", "Z"),
            "state": "OK",
            "trace_metadata": {"mlflow.trace_schema.version": "3"},
            "tags": {},
            "assessments": _assessments(stored, people),
        },
        "data": {"spans": [_root_span(trace, stored.judged_ms)]},
    }


def _assessments(stored: StoredVerdict, people: Collection[Feedback]) -> list[Line]:
    """Return the verdict and the labels that people gave."""
    verdict, judged = stored.verdict, from_ms(stored.judged_ms).isoformat()
    return [
        {
            **_assessment(stored, "LLM_JUDGE", verdict.judge, verdict.value, verdict.rationale, judged),
            "metadata": evidence_metadata(verdict.evidence_ids),
        },
        *(
            _assessment(
                stored,
                "HUMAN",
                feedback.person,
                feedback.value,
                feedback.rationale,
                from_ms(feedback.time_ms).isoformat(),
            )
            for feedback in people
            if feedback.value is not None
        ),
    ]


def _assessment(
    stored: StoredVerdict, source_type: str, source_id: str, value: Json, rationale: str, at: str
) -> Line:
    at = at.replace("+00:00", "Z")
    return {
        "assessment_id": f"{stored.verdict_id}:{source_id}",
        "assessment_name": stored.verdict.judge,
        "trace_id": stored.verdict.trace_id,
        "source": {"source_type": source_type, "source_id": source_id},
        "create_time": at,
        "last_update_time": at,
        "feedback": {"value": value},
        "rationale": rationale or None,
        "valid": True,
    }


def _root_span(trace: Trace, start_ms: int) -> Line:
    digest = hashlib.sha256(trace.trace_id.encode()).digest()
    return {
        "trace_id": base64.b64encode(digest[:16]).decode(),
        "span_id": base64.b64encode(digest[16:24]).decode(),
        "parent_span_id": None,
        "name": "trace",
        "start_time_unix_nano": start_ms * 1_000_000,
        "end_time_unix_nano": start_ms * 1_000_000,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {
            "mlflow.traceRequestId": json.dumps(trace.trace_id),
            "mlflow.spanType": json.dumps("UNKNOWN"),
            "mlflow.spanInputs": json.dumps(trace.inputs, ensure_ascii=False),
            "mlflow.spanOutputs": json.dumps(trace.outputs, ensure_ascii=False),
        },
    }
