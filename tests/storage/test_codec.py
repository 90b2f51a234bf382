"""Every record comes back from its document as it went in, whatever fields it has or gains."""

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from memalign.records import (
    Assessment,
    CaseVerdict,
    Comparison,
    Episode,
    Guideline,
    GuidelineForm,
    GuidelineTrial,
    Handling,
    LeftOut,
    MemorySize,
    MemoryVersion,
    MergedGuideline,
    PersonLabel,
    RolledBackCase,
    Source,
    Trace,
    Usage,
    Verdict,
)
from memalign.serialization import from_document, to_document
from storage import codec
from storage.records import (
    AuditLine,
    Candidate,
    CandidateWindow,
    CardContent,
    CardSelection,
    DigestContent,
    EventSubscription,
    FeedbackEvent,
    ForgetRequest,
    LessonContent,
    NoteContent,
    OutboundChange,
    OutboundEvent,
    PastMark,
    PendingFeedback,
    PersonFeedback,
    Post,
    Redaction,
    Reply,
    ShadowVerdict,
    ShownOpinion,
    ShownRule,
    StatusContent,
    StoredThreadStatus,
    StoredVerdict,
    ThreadPost,
    ThreadRefusal,
    Timestamped,
    ToldDoubt,
    WorseningContent,
)
from storage.undo_records import UndoRecord

HOSTILE = 'quote " back\\slash \ud800 \x00 日本 </x>'
OPINION = PersonLabel(person="U1", value=4.0, rationale=HOSTILE, time_ms=5, supports=("g1",))
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
    supports=("g1", "g2"),
    guideline_ids=("g1", "g3"),
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
    error="stopped",
)
VERDICT = Verdict(
    judge="polite",
    trace_id="tr-1",
    value="good",
    rationale=HOSTILE,
    guideline_ids=("g1",),
    shown_guideline_ids=("g1", "g2"),
    guideline_wordings=("w1", "w2"),
    cited_trace_ids=("tr-2",),
    retrieved_trace_ids=("tr-2", "tr-3"),
    similarities=(0.25, 0.2),
    asked_for_evidence=True,
    usage=Usage(calls=1, input_tokens=2, cached_tokens=3, output_tokens=4, embedding_tokens=5),
    seconds=1.5,
    note="n",
    left_out=LeftOut(guidelines=1, cases=2, tokens=3),
    model="openai:/m",
    memory=MemorySize(guidelines=4, cases=5),
)
EPISODE = Episode(
    trace_id="tr-1",
    label=True,
    fields={"inputs": HOSTILE},
    text=HOSTILE,
    opinions=(OPINION,),
    minority=(OPINION,),
    answer_text=HOSTILE,
    verdict=CaseVerdict(value="good", judged_ms=7, guideline_ids=("g1",)),
)
HANDLING = Handling(person="U3", time_ms=9, text=HOSTILE)
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
    worded_by=(("tr-1", "U1"),),
    merged=(
        MergedGuideline(
            guideline=Guideline(id="g0", text=HOSTILE, sources=(SOURCE,)), prompted_by=(("t", "U"),)
        ),
    ),
    own_sources=(("tr-1", "U1"),),
    needs_approval=True,
    approved_by="U2",
    lacks=("approval", "people", "trial"),
    added_by=HANDLING,
    edited_by=HANDLING,
    retired_by=HANDLING,
    pinned_by=HANDLING,
    previous=GuidelineForm(
        text=HOSTILE,
        edited_by=HANDLING,
        retired_by=HANDLING,
        pinned_by=HANDLING,
        record_since_ms=5,
    ),
    doubtful=True,
    record_since_ms=7,
    compared=(Comparison(guideline_id="g5", texts_hash="0f", relation="narrower"),),
    has_been_compared=True,
    has_been_joined=True,
    needs_trial=True,
    trial=GuidelineTrial(fixed=3, broke=1, tried=12, source_traces=2, time_ms=5),
)
STORED = StoredVerdict(
    verdict_id="v-1",
    verdict=VERDICT,
    judged_ms=1,
    channel="C1",
    message_ts="1.2",
    revision=3,
    forgotten_cases=2,
    forgotten_cited_cases=1,
    selection=CardSelection(probability=0.25, reason="unlike", features=(0.5, 1.0)),
    shadows=(
        ShadowVerdict(kind="base", value="bad"),
        ShadowVerdict(kind="last_week", value=True, version=7),
    ),
    resembles_case=True,
    is_blind=True,
    has_card=False,
    revealed_at="1700000000.000100",
    card_revision=4,
)
CANDIDATE = Candidate(
    trace_id=HOSTILE, judge="polite", window_start_ms=1, window_end_ms=2, rank=0.125, received_ms=3, rate=0.5
)
WINDOW = CandidateWindow(
    judge="polite", start_ms=1, end_ms=2, seen=3, chance=0.25, attempts=4, not_before_ms=5, reason=HOSTILE
)
FEEDBACK = PersonFeedback(
    reactions={"+1": Timestamped(value=True, at="1.1")},
    button=Timestamped(value=None, at="1.2"),
    correction=Timestamped(value=4, at="1.3"),
    replies={"1.4": Reply(text=HOSTILE, at="1.4"), "1.5": Reply(text=None, at="1.6")},
    kept_vote=Timestamped(value="up", at="1.7"),
    supports=Timestamped(value=["g1"], at="1.8"),
    answer=Timestamped(value=2, at="1.9"),
    past=(PastMark(kind="reaction", name="+1", value=False, at="1.0"),),
)
AUDIT = AuditLine(at_ms=1, what="forgotten", judge="polite", person="U1", ids=("tr-1",), lessons=(("0f",),))
TOLD = ThreadPost(message_ts="1.1", guideline_ids=("g1", "g2"), post_id="lesson:v-1")

SHOWN_OPINION = ShownOpinion(trace_id="tr-1", person="U1", time_ms=1, value=4, reason_hash="0f")
STATUS = StoredThreadStatus(
    verdict_id="v",
    judge="polite",
    trace_id="tr-1",
    message_ts="1.1",
    rules=(
        ShownRule(
            ids=("g1", "g2"),
            text=HOSTILE,
            earlier_text=HOSTILE,
            opinions=(SHOWN_OPINION,),
            authors=(SHOWN_OPINION,),
            taken_back="outvoted",
            taken_back_by=("U2",),
        ),
    ),
    refusals=(ThreadRefusal(person="U1", reason="verdict", reason_hash="0f"),),
    doubts=(ToldDoubt(guideline_id="g3", since_ms=5),),
    is_declined=True,
    feedback_revision=2,
    marks=3,
    shown_marks=1,
    content_hash="0f",
    attempts=1,
    not_before_ms=5,
    reason="archived",
)
REQUEST = ForgetRequest(kind="person", target="U1", notes=(AUDIT,), replica="r1")
REDACTION = Redaction(
    channel="C1",
    ts="1.1",
    kind="remove",
    person="U1",
    created_ms=7,
    attempts=1,
    not_before_ms=2,
    reason="archived",
)
PENDING = PendingFeedback(
    verdict_id="v",
    trace_id="t",
    judge="j",
    revision=1,
    since_ms=2,
    not_before_ms=4,
)
EVENT = FeedbackEvent(person="U1", kind="reply", name="1.2", value=HOSTILE, at="1.3")
SUBSCRIPTION = EventSubscription(
    receiver="hook", types=("verdict.created", "trace.forgotten"), judges=("polite",), failing_since_ms=3
)
CHANGE = OutboundChange(
    type="vote.changed",
    at_ms=1,
    judge="polite",
    trace_id=HOSTILE,
    verdict_id="v",
    guideline_id="g1",
    person="U1",
)
OUTBOUND = OutboundEvent(
    event_id="evt_0f",
    receiver="hook",
    number=2,
    change=CHANGE,
    attempts=1,
    not_before_ms=2,
    reason="it refuses it (400)",
)
BLOCKS = ({"type": "section"},)
POSTS = [
    Post(
        post_id="p",
        channel="C1",
        content=content,
        thread_ts="1.1",
        verdict_id="v",
        state="posting",
        attempts=1,
        not_before_ms=2,
        reason="archived",
        created_ms=4,
        nonce="0f",
    )
    for content in (
        CardContent(trace_id="t", judge="j"),
        LessonContent(text=HOSTILE, blocks=BLOCKS, guideline_ids=("g",)),
        NoteContent(text=HOSTILE, blocks=BLOCKS),
        DigestContent(text=HOSTILE, blocks=BLOCKS, due_ms=3),
        StatusContent(),
        WorseningContent(judge="j", reference="base", week="2026-W47"),
        None,
    )
]
VERSION = MemoryVersion(
    number=3,
    at_ms=1,
    kind="rollback",
    people=("U1", "U2"),
    action="retire",
    rollback_to=2,
    round_id="0f",
    note=HOSTILE,
    cases_forgotten=1,
    guidelines_forgotten=2,
)
ROLLED_BACK = RolledBackCase(trace_id="tr-1", opinions=(("U1", "0f"),))
UNDO = UndoRecord(
    kind="guideline",
    part_id="g1",
    judge="polite",
    number=3,
    episode=EPISODE,
    place=4,
    guidelines=(GUIDELINE,),
)
PLAIN = (
    CANDIDATE,
    WINDOW,
    TRACE,
    VERDICT,
    EPISODE,
    GUIDELINE,
    STORED,
    AUDIT,
    TOLD,
    REQUEST,
    REDACTION,
    PENDING,
    EVENT,
    STATUS,
    VERSION,
    UNDO,
    SUBSCRIPTION,
    CHANGE,
    OUTBOUND,
)
CASES: list[tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]] = [
    *((each, to_document, partial(from_document, type(each))) for each in PLAIN),
    (FEEDBACK, codec.feedback_body, codec.feedback_of),
    *((post, codec.post_body, codec.post_of) for post in POSTS),
]


@pytest.mark.parametrize(("record", "body_of", "record_of"), CASES, ids=lambda each: type(each).__name__)
def test_a_record_survives_its_document(
    record: Any, body_of: Callable[[Any], Any], record_of: Callable[[Any], Any]
) -> None:
    assert record_of(json.loads(json.dumps(body_of(record)))) == record


@pytest.mark.parametrize("record", [each[0] for each in CASES] + [OPINION, SOURCE, ASSESSMENT, VERDICT.usage])
def test_the_cases_above_leave_no_field_at_its_default(record: Any) -> None:
    written = [each for each in dataclasses.fields(record) if not each.metadata.get("derived")]
    for each in written:
        assert getattr(record, each.name) != each.default, f"give {each.name} another value than its default"
