"""Judges of MLflow's, aligned or not, read by their shape: with guidelines as they are, and cases from their traces."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from memalign.align.plan import plan_learning
from memalign.alignment import AlignmentModels, AlignmentSettings
from memalign.errors import InputError
from memalign.event_loop import run_and_wait
from memalign.judges import AlignableJudge, AlignedJudge, judge_of_state
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.mlflow_arguments import check_arguments
from memalign.mlflow_guidelines import guidelines_of, source_trace_ids
from memalign.mlflow_traces import trace_of
from memalign.models import ModelOptions, model_options_of
from memalign.records import Json, Lesson, Trace
from memalign.value_types import value_type_of

_NOT_GIVEN = (
    "It was not among the traces given; its case, and guidelines that rest on it alone, were left out."
)
_SETTINGS = ("reflection_lm", "retrieval_k", "embedding_model", "embedding_dim")
_JSON_TYPES: Mapping[str, object] = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list[object],
    "object": dict[str, object],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MLflowMemory:
    """Definition, settings and guidelines of a judge of MLflow's."""

    base: AlignableJudge
    settings: Mapping[str, Json] = field(default_factory=dict)
    """Those of `AlignmentSettings` that it was aligned with."""
    guidelines: Sequence[Mapping[str, Json]] = ()
    """Documents with `guideline_text` and `source_trace_ids`."""
    case_trace_ids: Sequence[str] = ()
    """Traces of its cases."""

    @property
    def trace_ids(self) -> tuple[str, ...]:
        """The traces that it has learned from, each once."""
        return tuple(dict.fromkeys((*self.case_trace_ids, *source_trace_ids(self.guidelines))))


def load_mlflow_judge(
    judge: object,
    traces: Sequence[object],
    optimizer: AlignmentModels | None = None,
    *,
    model: str | None = None,
    model_options: ModelOptions | Mapping[str, Json] | None = None,
) -> AlignedJudge:
    """Take over a judge that MLflow's MemAlign has aligned. No language model is asked; the cases are embedded.

    Guidelines stay in their words. A guideline rests on people's rationales on its traces, so that it can be unaligned;
    one of which no trace is given is left out. One that was added without traces is kept as added by hand.

    Args:
        judge: The judge, its `model_dump()`, or that as a JSON text.
        traces: The traces it was aligned with, MLflow's or ours; MLflow keeps their ids only.
        optimizer: The models to go on with. None: those that the judge was aligned with.
        model: The model that judges from now on. None: the judge's own.
        model_options: Options of that model, see `ModelOptions`; MLflow dumps neither address nor headers. None: those
            of the judge.

    Returns:
        The judge. Its report has the traces as learned; as rejected those of which nothing can be learned, and those
        that the judge was aligned with and that were not given.

    Raises:
        InputError: If it is no judge of MLflow's, or something is no trace.
        SettingsError: If its model or its value type is not known here, or it does what no judge here can.
    """
    memory = read_mlflow_judge(judge, model=model, model_options=model_options)
    models = optimizer or AlignmentModels(AlignmentSettings(**memory.settings))
    return run_and_wait(_loaded(memory, [trace_of(trace) for trace in traces], models))


def read_mlflow_judge(
    judge: object,
    *,
    model: str | None = None,
    model_options: ModelOptions | Mapping[str, Json] | None = None,
) -> MLflowMemory:
    """Read a judge of MLflow's.

    Args:
        judge: As for `load_mlflow_judge`.
        model: As for `load_mlflow_judge`.
        model_options: As for `load_mlflow_judge`.

    Returns:
        Its definition, settings and guidelines.

    Raises:
        InputError: If it is no judge of MLflow's.
        SettingsError: If its model or its value type is not known here, or it does what no judge here can.
    """
    document = _document(judge)
    aligned = document.get("memory_augmented_judge_data") or {}
    base = aligned.get("base_judge") or document
    definition = base.get("instructions_judge_pydantic_data") or {}
    if not definition.get("instructions"):
        raise InputError(
            "A judge of MLflow's was expected, made by make_judge or aligned by MemAlign; give the judge or its "
            "model_dump()."
        )
    original = getattr(judge, "_base_judge", judge)
    check_arguments(
        include_timing_in_conversation=getattr(original, "_include_timing_in_conversation", None),
        model_api=definition.get("model_api"),
    )
    options = {
        "params": definition.get("inference_params"),
        "base_url": getattr(original, "_base_url", None),
        "headers": getattr(original, "_extra_headers", None),
    }
    own_options = {name: value for name, value in options.items() if value}
    return MLflowMemory(
        base=AlignableJudge(
            name=str(base["name"]),
            instructions=definition["instructions"],
            value_type=value_type_of(_value_type(definition.get("feedback_value_type"))),
            model=definition["model"] if model is None else model,
            description=base.get("description") or "",
            model_options=model_options_of(own_options if model_options is None else model_options),
        ),
        settings={name: aligned[name] for name in _SETTINGS if aligned.get(name) is not None},
        guidelines=tuple(aligned.get("semantic_memory") or ()),
        case_trace_ids=tuple(map(str, aligned.get("episodic_trace_ids") or ())),
    )


def _document(judge: object) -> Mapping[str, Json]:
    """Return the judge's dump; an empty one of what is no judge."""
    dump: Any = judge
    if callable(getattr(judge, "model_dump", None)):
        dump = judge.model_dump()  # type: ignore[attr-defined] # it has just been looked at
    if isinstance(dump, str):
        try:
            dump = json.loads(dump)
        except ValueError:
            dump = {}
    return dump if isinstance(dump, Mapping) else {}


def _value_type(schema: Json) -> object:
    """Return a form of the value type that the dump writes as JSON schema; text where it writes none."""
    if not isinstance(schema, Mapping):
        return str
    members = [each for each in schema.get("anyOf") or () if each != {"type": "null"}]
    if len(members) == 1:
        return _value_type(members[0])
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum") or _JSON_TYPES.get(schema.get("type", ""), schema.get("type"))


async def _loaded(memory: MLflowMemory, traces: Iterable[Trace], models: AlignmentModels) -> AlignedJudge:
    base = memory.base
    empty = MemoryState.empty(base.name, binary=base.value_type.binary)
    plan = plan_learning(base, empty, traces)
    kept = guidelines_of(base.name, memory.guidelines, plan.put)
    cases, rules = await asyncio.gather(
        models.vectors.find(episode.case_text for episode in plan.put.values()),
        models.vectors.parts.find(each.text for each in kept),
    )
    with_cases = empty.with_episodes(
        put=plan.put.values(),
        retracted=(),
        lost=(),
        vectors={
            name: cases.vectors[episode.case_text]
            for name, episode in plan.put.items()
            if episode.case_text in cases.vectors
        },
        undistilled=(),
    )
    vectors = {each.id: rules.vectors[each.text] for each in kept if each.text in rules.vectors}
    semantic = SemanticMemory().with_guidelines(kept, vectors)
    state = with_cases.next(with_cases.episodic, semantic, ())
    waiting = {
        name: cases.failed[episode.case_text]
        for name, episode in plan.put.items()
        if episode.case_text in cases.failed
    }
    learned = tuple(name for name in plan.put if name not in waiting)
    absent = dict.fromkeys(set(memory.trace_ids) - {*plan.put, *plan.rejected}, _NOT_GIVEN)
    report = Lesson(
        learned=learned,
        pending=waiting,
        rejected={**plan.rejected, **absent},
        usage=cases.usage + rules.usage,
    )
    return judge_of_state(base, replace(state, number=1), models, report)
