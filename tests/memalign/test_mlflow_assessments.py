"""Feedback of ours as assessments of a real MLflow. Skipped where MLflow is not installed; see `make test-mlflow`."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from memalign import InputError, MlflowLog, log_feedback_to_mlflow
from memalign.mlflow_documents import trace_of_document
from memalign.records import Json

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")
mlflow: Any = pytest.importorskip("mlflow", reason="MLflow is not installed")
entities: Any = pytest.importorskip("mlflow.entities")
pytest.importorskip("sqlalchemy")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty store; its tables take seconds to make."""
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    mlflow.set_experiment("memalign")
    yield
    mlflow.set_tracking_uri(None)


@pytest.fixture
def trace_id() -> str:
    """A trace in MLflow."""
    with mlflow.start_span("chat") as span:
        span.set_inputs({"question": "Refund?"})
        span.set_outputs("No.")
    mlflow.flush_trace_async_logging()
    return str(span.trace_id)


def line(trace_id: str, **more: Json) -> dict[str, Json]:
    return {
        "type": "feedback",
        "trace_id": trace_id,
        "judge": "politeness",
        "inputs": "Refund?",
        "outputs": "No.",
        "label": False,
        "rationale": "curt",
        "annotator": "U1",
        **more,
    }


def assessments(trace_id: str) -> list[tuple[Json, ...]]:
    """Return what MLflow has."""
    return [
        (
            each.source.source_type,
            each.name,
            each.source.source_id,
            each.feedback.value,
            each.rationale or None,
        )
        for each in mlflow.get_trace(trace_id).info.assessments
    ]


def test_twice_the_same_doubles_nothing(trace_id: str) -> None:
    lines = [
        line(trace_id),
        line(trace_id, annotator="U2", label=True, rationale=None),
        line(trace_id, annotator=None),
    ]

    first, second = log_feedback_to_mlflow(lines), log_feedback_to_mlflow(map(json.dumps, lines))

    assert first == MlflowLog(created=3)
    assert second == MlflowLog(unchanged=3)
    assert sorted(assessments(trace_id)) == [
        ("HUMAN", "politeness", "U1", False, "curt"),
        ("HUMAN", "politeness", "U2", True, None),
        ("HUMAN", "politeness", "unnamed 1", False, "curt"),
    ]


def test_a_change_of_mind_updates_what_is_there(trace_id: str) -> None:
    log_feedback_to_mlflow([line(trace_id)])

    assert log_feedback_to_mlflow([line(trace_id, label=True, rationale=None)]) == MlflowLog(updated=1)
    assert assessments(trace_id) == [("HUMAN", "politeness", "U1", True, None)]


def test_the_newest_label_of_a_person_counts(trace_id: str) -> None:
    lines = [
        line(trace_id, label=True, rationale=None, timestamp="2026-11-20T10:00:00+00:00"),
        line(trace_id, timestamp="2026-11-20T09:00:00+00:00"),
    ]

    log_feedback_to_mlflow(lines)

    assert assessments(trace_id) == [("HUMAN", "politeness", "U1", True, None)]


def test_what_was_interrupted_goes_on_where_it_was(trace_id: str) -> None:
    log_feedback_to_mlflow([line(trace_id)])

    assert log_feedback_to_mlflow([line(trace_id), line(trace_id, judge="tone")]) == MlflowLog(
        created=1, unchanged=1
    )


def test_answers_that_were_given_in_mlflow_are_there_already(trace_id: str) -> None:
    source = entities.AssessmentSource(source_type="HUMAN", source_id="ana")
    mlflow.log_feedback(trace_id=trace_id, name="politeness", value=False, rationale="curt", source=source)

    log = log_feedback_to_mlflow([line(trace_id, annotator="mlflow:ana"), line(trace_id, annotator="ana")])

    assert log == MlflowLog(unchanged=2)
    assert assessments(trace_id) == [("HUMAN", "politeness", "ana", False, "curt")]


def test_unknown_traces_are_named_and_stop_nothing(trace_id: str) -> None:
    log = log_feedback_to_mlflow(
        [line("tr-unknown"), line(trace_id), {"trace_id": trace_id, "type": "trace"}]
    )

    assert log == MlflowLog(created=1, unknown_trace_ids=("tr-unknown",))


def test_lines_that_are_none_are_refused(trace_id: str) -> None:
    with pytest.raises(InputError, match=r"Line 1 is not JSON"):
        log_feedback_to_mlflow(["{"])
    with pytest.raises(InputError, match=r"Line 1 has a label without trace_id and judge"):
        log_feedback_to_mlflow([line(trace_id, judge=None)])


def test_a_trace_that_mlflow_wrote_as_json_is_the_trace(trace_id: str) -> None:
    log_feedback_to_mlflow([line(trace_id)])

    trace = trace_of_document(json.loads(mlflow.get_trace(trace_id).to_json()))

    assert (trace.trace_id, trace.inputs, trace.outputs) == (trace_id, {"question": "Refund?"}, "No.")
    assert [(each.source_id, each.value, each.rationale) for each in trace.assessments] == [
        ("U1", False, "curt")
    ]
