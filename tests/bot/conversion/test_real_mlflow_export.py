"""Exports that a real MLflow writes. Skipped where MLflow is not installed; see `make test-mlflow`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.conversion.converted import convert_files

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")
mlflow: Any = pytest.importorskip("mlflow", reason="MLflow is not installed")
entities: Any = pytest.importorskip("mlflow.entities")
pytest.importorskip("sqlalchemy")
pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def trace_ids(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two traces in MLflow, the first with labels of a person and of a model; the newest first."""
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    mlflow.set_experiment("exports")
    ids = [record("Refund?", "No."), record("Hi", "Hello, how are you?")]
    for kind, person, value in (("HUMAN", "ana", False), ("LLM_JUDGE", "gpt", True)):
        source = entities.AssessmentSource(source_type=kind, source_id=person)
        mlflow.log_feedback(
            trace_id=ids[0], name="politeness", value=value, rationale='curt, "very"\nso', source=source
        )
    yield ids[::-1]
    mlflow.set_tracking_uri(None)


def record(question: str, answer: str) -> str:
    with mlflow.start_span("chat") as span:
        span.set_inputs({"question": question})
        with mlflow.start_span("llm", span_type="LLM") as child:
            child.set_inputs({"messages": [{"role": "user", "content": question}]})
            child.set_outputs(answer)
        span.set_outputs(answer)
    mlflow.flush_trace_async_logging()
    return str(span.trace_id)


def to_json(ids: list[str], file: Path) -> None:
    file.write_text("\n".join(mlflow.get_trace(each).to_json() for each in ids), encoding="utf-8")


def to_list(ids: list[str], file: Path) -> None:
    file.write_text(
        f"[{','.join(mlflow.get_trace(each).to_json(pretty=True) for each in ids)}]", encoding="utf-8"
    )


def to_csv(_: list[str], file: Path) -> None:
    mlflow.search_traces().to_csv(file)


def to_csv_without_traces(_: list[str], file: Path) -> None:
    mlflow.search_traces().drop(columns="trace").to_csv(file, index=False)


def to_records(_: list[str], file: Path) -> None:
    mlflow.search_traces().to_json(file, orient="records")


def to_columns(_: list[str], file: Path) -> None:
    mlflow.search_traces().to_json(file)


def to_parquet(_: list[str], file: Path) -> None:
    pytest.importorskip("pyarrow")
    mlflow.search_traces().to_parquet(file)


@pytest.mark.parametrize(
    "write", [to_json, to_list, to_csv, to_csv_without_traces, to_records, to_columns, to_parquet]
)
def test_exports_of_mlflow(
    trace_ids: list[str], tmp_path: Path, write: Callable[[list[str], Path], None]
) -> None:
    write(trace_ids, tmp_path / "export")

    converted = convert_files(tmp_path / "export")

    assert converted.content == [
        (trace_ids[0], {"question": "Hi"}, "Hello, how are you?"),
        (trace_ids[1], {"question": "Refund?"}, "No."),
    ]
    assert converted.labels[1:] == [(trace_ids[1], "politeness", False, 'curt, "very"\nso', "ana")]
    assert [[each["name"] for each in line["spans"]] for line in converted.lines] == [["chat", "llm"]] * 2
