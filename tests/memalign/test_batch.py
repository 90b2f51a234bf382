"""Parts of a batch, as an engine of a cluster hands them to a process."""

import asyncio
import json
import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from bot.__main__ import main
from memalign import Assessment, MemAlignOptimizer, Trace, load_judge, make_judge
from memalign.batch import VERDICT_COLUMNS, judge_partition
from memalign.errors import InputError, MemAlignError, ModelUnavailableError, SettingsError
from memalign.event_loop import run_and_wait
from memalign.records import Json
from memalign.trace_row import plain_cell, trace_of_row
from tests.model_server import ModelServer, overloaded, running_model_server


def row(number: int, **more: Json) -> dict[str, Json]:
    return {
        "trace_id": f"tr-{number}",
        "inputs": {"question": f"Where is form {number}?"},
        "outputs": "Find it yourself." if number % 2 else "I am happy to show you where it is.",
        **more,
    }


def save_judge(path: Path, model: str, *, optimizer: MemAlignOptimizer) -> Path:
    judge = make_judge(
        "politeness", "Polite? {{ inputs }} {{ outputs }}", feedback_value_type=bool, model=model
    )
    traces = [
        Trace(
            **row(number),
            assessments=(Assessment(name="politeness", value=number % 2 == 0, source_id="ana"),),
        )
        for number in range(100, 112)
    ]
    judge.align(traces, optimizer).save(path)
    return path


async def until_idle() -> None:
    """Wait for what parts that ended early have left under way: it would be sent to the server of the next test."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def aligned(tmp_path: Path) -> Path:
    """The file of a judge on local models that has learned twelve cases."""
    local = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")
    return save_judge(tmp_path / "aligned.json", "local:/cases", optimizer=local)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server."""
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running
        run_and_wait(until_idle())


@pytest.fixture
def remote(server: ModelServer, tmp_path: Path) -> Path:
    """The file of a judge whose models are behind the server."""
    optimizer = MemAlignOptimizer(reflection_lm="openai:/some", embedding_model="openai:/vectors")
    path = save_judge(tmp_path / "remote.json", "openai:/some", optimizer=optimizer)
    server.calls.clear()
    return path


def test_rows_get_the_verdicts_that_the_command_writes(
    aligned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [row(number) for number in range(20)]
    Path("traces.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows), encoding="utf-8")
    main(["judge", "traces.jsonl", "--aligned", "aligned.json", "--out", "v.jsonl"])

    verdicts = list(judge_partition(rows, aligned))

    assert verdicts == [json.loads(line) for line in Path("v.jsonl").read_text("utf-8").splitlines()]
    assert {tuple(verdict) for verdict in verdicts} == {VERDICT_COLUMNS}


def test_a_judge_may_be_a_file_its_content_or_itself(aligned: Path) -> None:
    rows = [row(1), row(2)]
    by_file = list(judge_partition(rows, str(aligned)))
    assert list(judge_partition(rows, aligned.read_bytes())) == by_file
    assert list(judge_partition(rows, load_judge(aligned))) == by_file


def test_a_file_that_has_changed_is_read_again(aligned: Path) -> None:
    (before,) = judge_partition([row(1)], aligned)
    document = json.loads(aligned.read_text("utf-8"))
    document["judge"]["name"] = "kindness"
    aligned.write_text(json.dumps(document), encoding="utf-8")
    (after,) = judge_partition([row(1)], aligned)
    assert (before["judge"], after["judge"]) == ("politeness", "kindness")


async def test_it_may_be_called_inside_a_running_event_loop(aligned: Path) -> None:
    assert [verdict["trace_id"] for verdict in judge_partition([row(1)], aligned)] == ["tr-1"]
    in_thread = await asyncio.to_thread(list, judge_partition([row(2)], aligned))
    assert [verdict["trace_id"] for verdict in in_thread] == ["tr-2"]


def judge_in_process(rows: list[dict[str, Json]], aligned: str) -> list[dict[str, Json]]:
    return list(judge_partition(rows, aligned))


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_it_runs_in_other_processes_after_this_one_has_judged(remote: Path, way: str) -> None:
    judge = partial(judge_in_process, aligned=str(remote))
    assert pickle.dumps(partial(judge_partition, aligned=str(remote)))
    judge([row(0)])
    parts = [[row(number) for number in range(start, start + 3)] for start in (10, 20)]
    with ProcessPoolExecutor(2, mp_context=get_context(way)) as pool:
        results = list(pool.map(judge, parts))
    assert [[verdict["trace_id"] for verdict in part] for part in results] == [
        [each["trace_id"] for each in part] for part in parts
    ]


def test_rows_are_taken_as_they_are_needed_and_judged_several_at_once(
    remote: Path, server: ModelServer
) -> None:
    taken = 0

    def rows() -> Iterator[dict[str, Json]]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield row(number)

    server.chat_seconds = 0.02
    verdicts = judge_partition(rows(), remote, concurrency=3)
    assert next(verdicts)["trace_id"] == "tr-0"
    assert taken == 12
    assert [next(verdicts)["trace_id"] for _ in range(20)] == [f"tr-{number}" for number in range(1, 21)]
    verdicts.close()
    assert server.max_calls_under_way == 3


def test_a_row_that_fails_is_left_out_and_told(
    remote: Path, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.extend([None, *[overloaded()] * 5])
    rows = [row(0), row(1), {"inputs": "no id"}, row(3)]
    verdicts = list(judge_partition(rows, remote, concurrency=1))
    assert [verdict["trace_id"] for verdict in verdicts] == ["tr-0", "tr-3"]
    assert len([record for record in caplog.records if "was not judged" in record.getMessage()]) == 2


def with_reason(row: Mapping[str, Json], error: MemAlignError) -> dict[str, Json]:
    return {"trace_id": row.get("trace_id"), "error": str(error)}


def test_a_row_that_fails_may_get_a_row_of_its_own(aligned: Path) -> None:
    rows = [row(0), {"trace_id": "tr-1"}, {"trace_id": 5}]
    first, second, third = judge_partition(rows, aligned, on_failure=with_reason)
    assert first["trace_id"] == "tr-0"
    assert second["trace_id"] == "tr-1"
    assert "has no inputs or outputs" in second["error"]
    assert "no trace_id that is a text" in third["error"]


def test_while_the_service_is_down_a_part_fails_as_a_whole(remote: Path, server: ModelServer) -> None:
    server.faults.extend([overloaded()] * 1_000)
    with pytest.raises(ModelUnavailableError, match="The last 20 traces all failed"):
        list(judge_partition([row(number) for number in range(60)], remote))


def test_mistakes_are_told(aligned: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(judge_partition([row(0)], tmp_path / "none.json"))
    with pytest.raises(InputError, match="The content is no JSON"):
        list(judge_partition([row(0)], b"["))
    with pytest.raises(SettingsError, match="concurrency is 0"):
        list(judge_partition([row(0)], aligned, concurrency=0))


class SparkRow(tuple[Json, ...]):
    """As `pyspark.sql.Row` is: a tuple with names."""

    def asDict(self) -> dict[str, Json]:  # noqa: N802 - Spark's name
        return {"question": self[0]}


class NAType:
    """As pandas names its empty cells."""


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        (np.array(["a", "b"], dtype=object), ["a", "b"]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.float64("nan"), None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (float("nan"), None),
        (NAType(), None),
        (SparkRow(("Where?",)), {"question": "Where?"}),
        (
            [{"role": "user", "content": SparkRow(("Where?",))}],
            [{"role": "user", "content": {"question": "Where?"}}],
        ),
        (("a", 1), ["a", 1]),
        (Path("a"), "a"),
    ],
)
def test_cells_of_engines_become_json(cell: object, plain: Json) -> None:
    value = plain_cell(cell)
    assert value == plain
    assert type(value) is type(plain)


def test_a_row_may_have_the_other_names_of_its_columns() -> None:
    trace = trace_of_row({"id": "tr-1", "input": "q", "output": "a", "inputs": float("nan"), "label": True})
    assert (trace.trace_id, trace.inputs, trace.outputs) == ("tr-1", "q", "a")
