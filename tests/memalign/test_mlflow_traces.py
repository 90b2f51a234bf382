from types import SimpleNamespace as Thing

import pytest

from memalign import make_judge
from memalign.errors import InputError
from memalign.mlflow_traces import trace_id_of, trace_of
from memalign.optimizer import MemAlignOptimizer
from memalign.records import Json
from tests.factories import POLITENESS, a_trace
from tests.model_server import ModelServer


def feedback(value: Json = False, **parts: Json) -> Thing:
    """An assessment as `mlflow.entities.Feedback` shows itself."""
    source = Thing(source_type=parts.pop("source_type", "HUMAN"), source_id=parts.pop("source_id", "ana"))
    shape = {
        "name": "politeness",
        "rationale": "curt",
        "assessment_id": "a-1",
        "valid": None,
        "create_time_ms": 1,
        "last_update_time_ms": 2,
    }
    return Thing(**{**shape, **parts}, source=source, feedback=Thing(value=value), expectation=None)


def expectation(name: str, value: Json) -> Thing:
    return Thing(name=name, feedback=None, expectation=Thing(value=value), source=Thing(source_type="HUMAN"))


def mlflow_trace(*assessments: Thing, data: Thing | None = None, **info: Json) -> Thing:
    """A trace as `mlflow.entities.Trace` shows itself."""
    usual = Thing(request='{"question": "why"}', response='"because"', spans=[])
    return Thing(
        info=Thing(**{"trace_id": "tr-1", "assessments": list(assessments), **info}), data=data or usual
    )


@pytest.mark.parametrize(
    ("metadata", "cited"),
    [
        ({"guideline_ids": '["g-2", "g-1"]', "shown_guideline_ids": '["g-1", "g-2", "g-3"]'}, ("g-2", "g-1")),
        ({"guideline_ids": '["g-1", "g-1", "g-9", 3]', "shown_guideline_ids": '["g-1", 3]'}, ("g-1",)),
        ({"guideline_ids": '["g-1"]'}, ()),
        ({"guideline_ids": '{"g-1": 1}', "shown_guideline_ids": '["g-1"]'}, ()),
        ({"guideline_ids": "g-1", "shown_guideline_ids": '["g-1"]'}, ()),
        ({"guideline_ids": None, "shown_guideline_ids": '["g-1"]'}, ()),
        ({"shown_guideline_ids": '["g-1"]'}, ()),
        (None, ()),
    ],
)
def test_feedback_of_a_judge_names_the_guidelines_that_led_it_not_all_it_was_shown(
    metadata: Json, cited: tuple[str, ...]
) -> None:
    trace = trace_of(mlflow_trace(feedback(source_type="LLM_JUDGE", metadata=metadata)))

    assert [each.guideline_ids for each in trace.assessments] == [cited]


def test_our_own_trace_stays_as_it_is() -> None:
    trace = a_trace()

    assert trace_of(trace) is trace


def test_request_and_response_are_read_as_json_where_they_are() -> None:
    assert (trace_of(mlflow_trace()).inputs, trace_of(mlflow_trace()).outputs) == (
        {"question": "why"},
        "because",
    )
    plain = trace_of(mlflow_trace(data=Thing(request="just text", response=None, spans=None)))
    assert (plain.inputs, plain.outputs) == ("just text", None)


def test_the_root_span_says_it_better() -> None:
    child = Thing(name="child", parent_id="1", inputs={"no": 1}, outputs="no")
    root = Thing(name="root", parent_id=None, inputs={"q": "why"}, outputs=["because"], span_type="AGENT")

    trace = trace_of(mlflow_trace(data=Thing(request="r", response="r", spans=[child, root])))

    assert (trace.inputs, trace.outputs) == ({"q": "why"}, ["because"])
    assert trace.spans[1] == {
        "name": "root",
        "type": "AGENT",
        "inputs": {"q": "why"},
        "outputs": ["because"],
    }


def test_assessments_keep_who_said_what_when_and_whether_it_stands() -> None:
    kind = Thing(value="HUMAN")
    (first, second) = trace_of(
        mlflow_trace(feedback(True, valid=False), feedback("x", source_type=kind, source_id=None))
    ).assessments

    assert (first.name, first.value, first.rationale, first.source_type, first.source_id) == (
        "politeness",
        True,
        "curt",
        "HUMAN",
        "ana",
    )
    assert (first.valid, first.create_time_ms, first.last_update_time_ms) == (False, 1, 2)
    assert (second.valid, second.source_type, second.source_id) == (True, "HUMAN", "default")


def test_expectations_are_no_feedback() -> None:
    trace = trace_of(mlflow_trace(expectation("answer", 42), expectation("tone", "calm")))

    assert trace.assessments == ()
    assert trace.expectations == {"answer": 42, "tone": "calm"}


def test_older_traces_name_themselves_otherwise() -> None:
    assert trace_id_of(mlflow_trace(trace_id=None, request_id="tr-old")) == "tr-old"
    assert trace_id_of("tr-7") == "tr-7"


@pytest.mark.parametrize(
    "thing", [None, 7, {"trace_id": "x"}, Thing(info=Thing(trace_id=None), data=Thing())]
)
def test_what_is_no_trace_is_told(thing: object) -> None:
    with pytest.raises(InputError, match="A trace was expected"):
        trace_of(thing)


def test_mlflow_traces_teach_and_are_unlearned(server: ModelServer) -> None:
    judge = make_judge("politeness", POLITENESS, "openai:/m", feedback_value_type=bool)
    optimizer = MemAlignOptimizer(reflection_lm="openai:/m", embedding_model="openai:/e", embedding_dim=16)

    learned = judge.align([mlflow_trace(feedback(False))], optimizer)

    assert learned.episodes["tr-1"].label is False
    assert learned(trace=mlflow_trace()).retrieved_trace_ids == ()
    assert learned.unalign([mlflow_trace()]).guidelines == ()
    assert len(server.of("embeddings")) == 1


def a_span(name: str, parent_id: str | None, **facts: Json) -> Thing:
    """A span as `mlflow.entities.Span` shows itself."""
    shape: dict[str, Json] = {
        "span_type": "UNKNOWN",
        "inputs": None,
        "outputs": None,
        "attributes": {},
        "events": [],
    }
    status = Thing(status_code=Thing(value=facts.pop("code", "OK")), description=facts.pop("description", ""))
    return Thing(**{**shape, **facts}, name=name, span_id=f"id-{name}", parent_id=parent_id, status=status)


def test_an_empty_root_is_read_at_the_shallowest_span_that_has_content() -> None:
    root = a_span("invoke_agent", None)
    deep = a_span("embed", "id-chat", inputs="deeper", outputs=[1])
    chat = a_span(
        "chat", "id-invoke_agent", inputs={"messages": [["human", "Refund"]]}, outputs={"content": "No."}
    )
    mlflow = mlflow_trace(feedback(), data=Thing(request=None, response=None, spans=[deep, chat, root]))

    trace = trace_of(mlflow)

    assert trace.inputs == {"messages": [{"role": "user", "content": "Refund"}]}
    assert trace.outputs == {"content": "No."}
    assert [span["name"] for span in trace.spans] == ["invoke_agent", "chat", "embed"]


def test_a_failed_run_says_why_and_takes_no_answer_from_its_steps() -> None:
    exception = Thing(name="exception", attributes={"exception.type": "KeyError", "exception.message": "7"})
    root = a_span("agent", None, inputs="q", code="ERROR", description="KeyError: 7", events=[exception])
    step = a_span("search", "id-agent", inputs="q", outputs="a page")

    trace = trace_of(
        mlflow_trace(data=Thing(request='"q"', response=None, spans=[root, step]), state="ERROR")
    )

    assert (trace.inputs, trace.outputs, trace.error) == ("q", None, "KeyError: 7")
    assert trace.spans[0]["exceptions"] == [{"type": "KeyError", "message": "7"}]
