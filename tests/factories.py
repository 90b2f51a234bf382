"""Records for tests, with everything that a test does not care about filled in."""

from collections.abc import Sequence
from dataclasses import replace

from memalign.judge_memory import JudgeMemory
from memalign.judges import AlignableJudge
from memalign.memory.semantic import DEFAULT_POLICY
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.pair_comparison import PairComparer
from memalign.optimizer import make_judge
from memalign.ports import Distiller, Embedder, JudgeModel, MemoryStore
from memalign.records import (
    Assessment,
    Episode,
    Evidence,
    Guideline,
    GuidelinePolicy,
    Json,
    Label,
    PersonLabel,
    Source,
    Trace,
)
from memalign.value_types import FeedbackValueType
from tests.fakes import FakeEmbedder, FakeJudgeModel, FakeModel

POLITENESS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"


def a_judge(
    instructions: str = POLITENESS, value_type: FeedbackValueType = bool, model: str = "local:/cases"
) -> AlignableJudge:
    return make_judge(
        name="politeness", instructions=instructions, feedback_value_type=value_type, model=model
    )


def a_vote(
    value: Label | None = False,
    rationale: str | None = "Curt answers are rude.",
    person: str = "ana",
    *,
    ms: int | None = None,
    name: str = "politeness",
    valid: bool = True,
    source_type: str = "HUMAN",
) -> Assessment:
    return Assessment(
        name=name,
        value=value,
        rationale=rationale,
        source_id=person,
        source_type=source_type,
        valid=valid,
        create_time_ms=ms,
    )


def a_trace(
    trace_id: str = "tr-1",
    *assessments: Assessment,
    inputs: Json = None,
    outputs: Json = None,
    expectations: Json = None,
    conversation: Json = None,
    spans: Sequence[Json] = (),
) -> Trace:
    return Trace(
        trace_id=trace_id,
        inputs=f"question {trace_id}" if inputs is None else inputs,
        outputs=f"answer {trace_id}" if outputs is None else outputs,
        expectations=expectations,
        conversation=conversation,
        spans=spans,
        assessments=assessments,
    )


def a_vote_against(trace_id: str, *guideline_ids: str, judge: str = "politeness") -> Trace:
    """A trace on which the judge says pass, led by these guidelines, and ben says fail without a reason."""
    verdict = a_vote(True, "because", "memalign", name=judge, source_type="LLM_JUDGE")
    led = replace(verdict, guideline_ids=guideline_ids)
    return a_trace(trace_id, led, a_vote(False, None, "ben", name=judge))


def a_source(trace_id: str = "tr-1", person: str = "ana", quote: str = "rude", time_ms: int = 0) -> Source:
    return Source(trace_id=trace_id, person=person, quote=quote, time_ms=time_ms)


def a_guideline(text: str = "Greet the user.", *sources: Source, guideline_id: str = "") -> Guideline:
    return Guideline(id=guideline_id or f"g-{text}", text=text, sources=sources or (a_source(),))


def an_episode(
    trace_id: str = "tr-1",
    label: Label = False,
    *opinions: PersonLabel,
    text: str = "",
    rationale: str = "rude",
) -> Episode:
    return Episode(
        trace_id=trace_id,
        label=label,
        fields={"inputs": text or trace_id},
        text=text or trace_id,
        opinions=opinions or (PersonLabel(person="ana", value=label, rationale=rationale),),
    )


async def a_memory(
    judge: AlignableJudge | None = None,
    *,
    embedder: Embedder | None = None,
    judge_model: JudgeModel | None = None,
    distiller: Distiller | None = None,
    comparer: PairComparer | None = None,
    store: MemoryStore | None = None,
    retrieval_k: int = 5,
    min_similarity: float = 0.15,
    guideline_tokens: int = 4_000,
    policy: GuidelinePolicy = DEFAULT_POLICY,
) -> JudgeMemory:
    return await JudgeMemory.open(
        judge or a_judge(),
        embedder=embedder or FakeEmbedder(),
        judge_model=judge_model or FakeJudgeModel(),
        distiller=distiller or LLMDistiller(FakeModel()),
        comparer=comparer,
        store=store,
        retrieval_k=retrieval_k,
        min_similarity=min_similarity,
        guideline_tokens=guideline_tokens,
        policy=policy,
    )


async def evidence_for(memory: JudgeMemory, judge_model: FakeJudgeModel, trace: Trace) -> Evidence:
    """The evidence that the memory's judge model is asked with."""
    await memory.judge(trace)
    return judge_model.requests[-1].evidence
