"""MLflow's MemAlign as a system to measure; runs under an interpreter that has mlflow, dspy and litellm."""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.rules import Case
from tests.bench.system import EMBEDDER, INSTRUCTIONS, MODEL, NAME

_folder = Path(tempfile.mkdtemp())
os.environ |= {
    # its own caches and its data stay out of the home folder; the rest is as its users run it
    "DSPY_CACHEDIR": str(_folder / "dspy"),
    "MLFLOW_TRACKING_URI": f"sqlite:///{_folder / 'mlflow.db'}",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # without a network it would wait for a price list
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

# by name: they are installed for another interpreter than the one that checks types
mlflow: Any = import_module("mlflow")
entities: Any = import_module("mlflow.entities")
judges: Any = import_module("mlflow.genai.judges")
optimizers: Any = import_module("mlflow.genai.judges.optimizers")
scorers: Any = import_module("mlflow.genai.scorers.base")

THREADS = 16


class Original:
    """See `JudgingSystem`."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        self.judge_in_use: Any = judges.make_judge(
            name=NAME, instructions=INSTRUCTIONS, feedback_value_type=bool, model=MODEL
        )
        self.optimizer = optimizers.MemAlignOptimizer(reflection_lm=MODEL, embedding_model=EMBEDDER)

    def learn(self, cases: Sequence[Case]) -> set[str]:
        self._learn([_trace(case) for case in cases])
        return set()

    def _learn(self, traces: list[Any]) -> None:
        self.judge_in_use = self.judge_in_use.align(traces=traces, optimizer=self.optimizer)

    def forget(self, trace_id: str) -> None:
        case = Case(trace_id=trace_id, thing="", question="?", answer="!")
        self.judge_in_use = self.judge_in_use.unalign(traces=[_trace(case)])

    def judge(self, case: Case) -> bool:
        feedback = self.judge_in_use(inputs={"question": case.question}, outputs=case.answer)
        return bool(feedback.value)

    def judge_all(self, cases: Sequence[Case]) -> list[bool]:
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(self.judge, cases))

    def judge_without_contrast(self, cases: Sequence[Case]) -> list[bool]:
        """Its own way."""
        return self.judge_all(cases)

    def judge_in_room(self, cases: Sequence[Case], guideline_tokens: int) -> list[bool]:
        """All guidelines: it has no limit."""
        del guideline_tokens
        return self.judge_all(cases)

    def shown(self, case: Case) -> list[str]:
        feedback = self.judge_in_use(inputs={"question": case.question}, outputs=case.answer)
        return list((feedback.metadata or {}).get("retrieved_example_trace_ids", ()))

    def guidelines(self) -> list[str]:
        lines = self.judge_in_use.instructions.partition("Distilled Guidelines (")[2].splitlines()
        return [line.strip().removeprefix("- ") for line in lines if line.strip().startswith("- ")]

    def sources(self) -> set[str]:
        return {name for rule in self.judge_in_use._semantic_memory for name in rule.source_trace_ids or ()}

    def sources_by_guideline(self) -> list[set[str]]:
        return [set(rule.source_trace_ids or ()) for rule in self.judge_in_use._semantic_memory]

    def keep(self, cases: Sequence[Case]) -> None:
        """Traces must be in the tracking store: that is where a loaded judge gets its examples from."""
        mlflow.set_experiment("bench")
        self._learn([mlflow.get_trace(_logged(case)) for case in cases])
        self._kept = self.judge_in_use.model_dump()

    def load(self) -> None:
        self.judge_in_use = scorers.Scorer.model_validate(self._kept)


def _logged(case: Case) -> str:
    with mlflow.start_span("root") as opened:
        span: Any = opened
        span.set_inputs({"question": case.question})
        span.set_outputs(case.answer)
    for vote in case.votes:
        mlflow.log_feedback(
            trace_id=span.trace_id,
            name=NAME,
            value=vote.value,
            rationale=vote.rationale,
            source=entities.AssessmentSource(source_type="HUMAN", source_id=vote.person),
        )
    return str(span.trace_id)


def _trace(case: Case) -> Any:
    """As the tracking store would give it."""
    digest = hashlib.sha256(case.trace_id.encode()).digest()
    stamp = datetime.fromtimestamp(1_700_000_000, UTC).isoformat().replace("+00:00", "Z")
    assessments = [
        {
            "assessment_id": f"a-{case.trace_id}-{place}",
            "assessment_name": NAME,
            "trace_id": case.trace_id,
            "source": {"source_type": "HUMAN", "source_id": vote.person},
            "create_time": _stamp(vote.time_ms),
            "last_update_time": _stamp(vote.time_ms),
            "feedback": {"value": vote.value},
            "rationale": vote.rationale,
            "valid": True,
        }
        for place, vote in enumerate(case.votes)
    ]
    span: dict[str, Any] = {
        "trace_id": base64.b64encode(digest[:16]).decode(),
        "span_id": base64.b64encode(digest[16:24]).decode(),
        "parent_span_id": None,
        "name": "root",
        "start_time_unix_nano": 1,
        "end_time_unix_nano": 2,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {
            "mlflow.traceRequestId": json.dumps(case.trace_id),
            "mlflow.spanType": json.dumps("UNKNOWN"),
            "mlflow.spanInputs": json.dumps({"question": case.question}),
            "mlflow.spanOutputs": json.dumps(case.answer),
        },
        "links": [],
    }
    info = {
        "trace_id": case.trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}},
        "request_time": stamp,
        "state": "OK",
        "trace_metadata": {"mlflow.trace_schema.version": "3"},
        "assessments": assessments,
        "tags": {},
    }
    return entities.Trace.from_dict({"info": info, "data": {"spans": [span]}})


def _stamp(time_ms: int) -> str:
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
