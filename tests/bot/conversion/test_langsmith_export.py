from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.conversion.converted import convert_files, json_file, text_file

ROOT: dict[str, Json] = {
    "id": "run-1",
    "trace_id": "run-1",
    "parent_run_id": None,
    "name": "chat",
    "run_type": "chain",
    "start_time": "2026-11-20T09:00:00.000000",
    "end_time": "2026-11-20T09:00:01.000000",
    "inputs": {"question": "Refund?"},
    "outputs": {"answer": "No."},
    "extra": {"metadata": {"plan": "free"}},
    "tags": ["web"],
    "dotted_order": "20261120T090000000000Zrun-1",
}
CHILD: dict[str, Json] = {
    **ROOT,
    "id": "run-2",
    "parent_run_id": "run-1",
    "name": "llm",
    "run_type": "llm",
    "inputs": {"messages": []},
}
CONTENT = ("run-1", {"question": "Refund?"}, {"answer": "No."})


def feedback(**more: Json) -> dict[str, Json]:
    return {
        "id": "f-1",
        "run_id": "run-1",
        "key": "politeness",
        "score": 0,
        "value": None,
        "comment": "curt",
        "correction": None,
        "created_at": "2026-11-20T10:00:00Z",
        "feedback_source": {"type": "app", "user_id": "u-ana"},
        **more,
    }


def test_runs_in_any_order_become_one_trace(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, CHILD, ROOT))

    assert converted.content == [CONTENT]
    assert [each["name"] for each in converted.lines[0]["spans"]] == ["chat", "llm"]
    assert converted.parts("timestamp", "metadata") == [
        ("2026-11-20T09:00:00.000+00:00", {"name": "chat", "plan": "free", "tags": ["web"]})
    ]


def test_child_runs_inside_a_run_are_its_steps(tmp_path: Path) -> None:
    child = {name: part for name, part in CHILD.items() if name not in ("trace_id", "parent_run_id")}

    (line,) = convert_files(json_file(tmp_path, {**ROOT, "child_runs": [child]})).lines

    assert [(each["name"], each.get("parent")) for each in line["spans"]] == [
        ("chat", None),
        ("llm", "run-1"),
    ]


def test_feedback_apart_joins_runs_and_that_of_models_is_left_out(tmp_path: Path) -> None:
    runs = json_file(tmp_path, ROOT, CHILD, name="runs.jsonl")
    rows = json_file(
        tmp_path,
        feedback(),
        feedback(run_id="run-2", score=None, value="warm", key="tone", comment=None, feedback_source=None),
        feedback(feedback_source={"type": "model"}),
        feedback(feedback_source={"type": "auto_eval"}, correction={"score": 1}, comment=None),
        name="feedback.jsonl",
    )

    assert convert_files(runs, rows).labels == [
        ("run-1", "politeness", 0, "curt", "u-ana"),
        ("run-1", "politeness", 1, None, None),
        ("run-1", "tone", "warm", None, None),
    ]


@pytest.mark.parametrize(
    ("figures", "labels"),
    [
        ({"n": 1, "avg": 0.0, "comments": ["curt"]}, [(0.0, "curt")]),
        ({"n": 2, "avg": 1.0, "stdev": 0, "comments": []}, [(1.0, None), (1.0, None)]),
        ({"n": 2, "avg": None, "values": {"warm": 1, "cold": 1}, "comments": ["a", "b"]},
         [("warm", None), ("cold", None)]),
        ({"n": 2, "avg": 0.5, "comments": ["curt"]}, [(None, None)]),
    ],
)  # fmt: skip
def test_statistics_are_labels_where_they_can_be_taken_apart(
    tmp_path: Path, figures: Json, labels: list[tuple[Json, Json]]
) -> None:
    converted = convert_files(json_file(tmp_path, {**ROOT, "feedback_stats": {"politeness": figures}}))

    assert converted.parts("label", "rationale") == labels


def test_a_table(tmp_path: Path) -> None:
    table = (
        "id,name,run_type,start_time,inputs,outputs,error,feedback_stats\n"
        'run-1,chat,chain,2026-11-20 09:00:00,"{""question"": ""Refund?""}","{\'answer\': \'No.\'}",,'
        '"{""politeness"": {""n"": 1, ""avg"": 1.0}}"\n'
    )

    converted = convert_files(text_file(tmp_path, table))

    assert converted.content == [CONTENT]
    assert converted.labels == [("run-1", "politeness", 1.0, None, None)]


def test_a_run_that_failed_keeps_its_error(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, {**ROOT, "outputs": None, "error": "out of money"}))

    assert converted.parts("outputs", "error") == [(None, "out of money")]


def test_figures_of_more_labels_than_people_give_are_bounded(tmp_path: Path) -> None:
    figures = {"n": 10**12, "avg": 1.0, "stdev": 0}

    assert (
        len(convert_files(json_file(tmp_path, {**ROOT, "feedback_stats": {"tone": figures}})).lines) == 1_000
    )
