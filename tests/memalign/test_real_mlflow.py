"""MLflow's own trace objects, where MLflow is installed; it is no dependency."""

import json
from typing import Any

import pytest

from memalign import MemAlignOptimizer, make_judge

entities: Any = pytest.importorskip("mlflow.entities")


def a_span(number: int, parent: int | None, name: str, **attributes: Any) -> Any:
    return entities.Span.from_dict({
        "trace_id": "AAAAAAAAAAAAAAAAAAAAAQ==",
        "span_id": f"AAAAAAAAAA{number}=",
        "parent_span_id": None if parent is None else f"AAAAAAAAAA{parent}=",
        "name": name,
        "start_time_unix_nano": 1_760_000_000_000_000_000 + number,
        "end_time_unix_nano": 1_760_000_000_000_000_500 + number,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {
            "mlflow.traceRequestId": json.dumps("tr-1"),
            **{f"mlflow.{key}": json.dumps(value) for key, value in attributes.items()},
        },
    })  # fmt: skip


def test_a_trace_with_an_empty_root_teaches() -> None:
    source = entities.AssessmentSource(source_type="HUMAN", source_id="ana")
    label = entities.Feedback(
        name="p", value=False, rationale="Never refuse without a reason.", source=source
    )
    info = entities.TraceInfo(
        trace_id="tr-1",
        trace_location=entities.TraceLocation.from_experiment_id("0"),
        request_time=1,
        state=entities.trace_state.TraceState.OK,
        assessments=[label],
    )
    messages = {"messages": [{"role": "user", "content": "Refund please"}]}
    spans = [
        a_span(1, None, "invoke_agent"),
        a_span(2, 1, "chat", spanInputs=messages, spanOutputs={"content": "No."}),
    ]
    judge = make_judge(
        name="p", instructions="{{ inputs }} {{ outputs }}", feedback_value_type=bool, model="local:/cases"
    )
    optimizer = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")

    learned = judge.align([entities.Trace(info=info, data=entities.TraceData(spans=spans))], optimizer)

    assert learned.episodes["tr-1"].fields == {"inputs": messages, "outputs": {"content": "No."}}
