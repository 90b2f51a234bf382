"""Every record comes back from its document as it went in, whatever fields it has or gains."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from memalign.records import Assessment, Episode, Guideline, PersonLabel, Source, Trace, Usage, Verdict
from storage import codec
from storage.records import AuditLine, PersonFeedback, Reply, StoredVerdict, ThreadPost, Timestamped

HOSTILE = 'quote " back\\slash \ud800 \x00 日本 </x>'
OPINION = PersonLabel(person="U1", value=4.0, rationale=HOSTILE, time_ms=5)
SOURCE = Source(trace_id="tr-1", person="U1", quote=HOSTILE, time_ms=7)
ASSESSMENT = Assessment(
    name="polite",
    value=False,
    rationale="curt",
    source_type="CODE",
    source_id="ana",
    assessment_id="a-1",
    valid=False,
    create_time_ms=1,
    last_update_time_ms=2,
)
TRACE = Trace(
    trace_id=HOSTILE,
    inputs={"q": [1, None, {"deep": HOSTILE}]},
    outputs=HOSTILE,
    expectations={"e": 1.5},
    conversation=[{"role": "user"}],
    spans=({"name": "span"},),
    assessments=(ASSESSMENT,),
    judges=("polite",),
    timestamp="2023-11-14T12:00:00Z",
    url="https://example.org",
    metadata={"k": True},
)
VERDICT = Verdict(
    judge="polite",
    trace_id="tr-1",
    value="good",
    rationale=HOSTILE,
    guideline_ids=("g1",),
    retrieved_trace_ids=("tr-2",),
    similarities=(0.25,),
    usage=Usage(calls=1, input_tokens=2, cached_tokens=3, output_tokens=4, embedding_tokens=5),
    seconds=1.5,
    note="n",
)
EPISODE = Episode(
    trace_id="tr-1",
    label=True,
    fields={"inputs": HOSTILE},
    text=HOSTILE,
    opinions=(OPINION,),
    minority=(OPINION,),
)
GUIDELINE = Guideline(
    id="g1",
    text=HOSTILE,
    sources=(SOURCE,),
    learned_ms=3,
    waiting=True,
    conflicts_with=("g2",),
    labels=(True, 4.0),
    contradicted=(SOURCE,),
    overruled=True,
)
STORED = StoredVerdict(
    verdict_id="v-1", verdict=VERDICT, judged_ms=1, channel="C1", message_ts="1.2", revision=3
)
FACTS = PersonFeedback(
    reactions={"+1": Timestamped(value=True, at="1.1")},
    button=Timestamped(value=None, at="1.2"),
    correction=Timestamped(value=4, at="1.3"),
    replies={"1.4": Reply(text=HOSTILE, at="1.4"), "1.5": Reply(text=None, at="1.6")},
)
AUDIT = AuditLine(at_ms=1, what="forgotten", judge="polite", who="U1", ids=("tr-1",))
TOLD = ThreadPost(message_ts="1.1", guideline_ids=("g1", "g2"), post_id="lesson:v-1")

CASES: list[tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]] = [
    (TRACE, codec.trace_body, codec.trace_of),
    (VERDICT, codec.verdict_body, codec.verdict_of),
    (EPISODE, codec.episode_body, codec.episode_of),
    (GUIDELINE, codec.guideline_body, codec.guideline_of),
    (STORED, codec.stored_body, codec.stored_of),
    (FACTS, codec.facts_body, codec.facts_of),
    (AUDIT, codec.flat, codec.audit_of),
    (TOLD, codec.flat, codec.told_of),
]


@pytest.mark.parametrize(("record", "body_of", "record_of"), CASES, ids=lambda each: type(each).__name__)
def test_a_record_survives_its_document(
    record: Any, body_of: Callable[[Any], Any], record_of: Callable[[Any], Any]
) -> None:
    assert record_of(json.loads(json.dumps(body_of(record)))) == record


@pytest.mark.parametrize("record", [each[0] for each in CASES] + [OPINION, SOURCE, ASSESSMENT, VERDICT.usage])
def test_the_cases_above_leave_no_field_at_its_default(record: Any) -> None:
    for each in dataclasses.fields(record):
        assert getattr(record, each.name) != each.default, f"give {each.name} another value than its default"
