import csv
import json
from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.conversion.converted import convert_files, json_file


def assessment(
    kind: str = "HUMAN", person: str = "ana", value: Json = False, **more: Json
) -> dict[str, Json]:
    return {
        "assessment_id": f"a-{kind}-{person}",
        "assessment_name": "politeness",
        "trace_id": "tr-1",
        "source": {"source_type": kind, "source_id": person},
        "create_time": "2026-11-27T19:07:42.887Z",
        "last_update_time": "2026-11-27T19:08:00Z",
        "feedback": {"value": value},
        "rationale": "curt",
        "valid": True,
        **more,
    }


def span(name: str, number: int, parent: int | None, attributes: Json) -> dict[str, Json]:
    return {
        "trace_id": "rkQ2ftWjb+ElBLllAbrCKQ==",
        "span_id": f"H9daBaKpB{number}E=",
        "parent_span_id": None if parent is None else f"H9daBaKpB{parent}E=",
        "name": name,
        "start_time_unix_nano": 1_795_806_462_979_640_023 + number,
        "end_time_unix_nano": 1_795_806_462_980_328_045,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": attributes,
    }


SPANS = [
    span("chat", 1, None, {"mlflow.spanInputs": '{"question": "Refund?"}', "mlflow.spanOutputs": '"No."'}),
    span("llm", 2, 1, {"mlflow.spanType": '"LLM"', "mlflow.spanInputs": '"Refund?"'}),
]
INFO: dict[str, Json] = {
    "trace_id": "tr-1",
    "request_time": "2026-11-27T19:07:41.380Z",
    "state": "OK",
    "trace_metadata": {"mlflow.traceInputs": '{"question": "Refund?"}', "mlflow.traceOutputs": '"No."'},
    "assessments": [
        assessment(),
        assessment(person="ben", value=True, rationale=""),
        assessment(person="cleo", valid=False),
        assessment("LLM_JUDGE", "openai:/gpt"),
        {**assessment(), "assessment_name": "expected", "feedback": None, "expectation": {"value": "Yes"}},
    ],
    "request_preview": '{"question": "Refund?"}',
    "response_preview": '"No."',
}  # fmt: skip
WHOLE = {"info": INFO, "data": {"spans": SPANS}}
REST_SPANS = [
    {
        **each,
        "attributes": [
            {"key": key, "value": {"string_value": value}} for key, value in each["attributes"].items()
        ],
    }
    for each in SPANS
]
KVLIST = {
    **SPANS[0],
    "attributes": [
        {
            "key": "mlflow.spanInputs",
            "value": {
                "kvlist_value": {"values": [{"key": "question", "value": {"string_value": "Refund?"}}]}
            },
        },
        {"key": "mlflow.spanOutputs", "value": {"string_value": "No."}},
    ],
}
ROW: dict[str, Json] = {
    "trace_id": "tr-1",
    "trace": json.dumps(WHOLE),
    "state": "OK",
    "request_time": 1_795_806_461_380,
    "request": {"question": "Refund?"},
    "response": "No.",
    "spans": SPANS,
    "assessments": INFO["assessments"],
}
FORMS: dict[str, Json] = {
    "Trace.to_json": WHOLE,
    "traces/get": {"trace": {"trace_info": INFO, "spans": REST_SPANS}},
    "traces/get with objects": {"trace": {"trace_info": INFO, "spans": [KVLIST]}},
    "traces/batchGet": {"traces": [{"trace_info": INFO, "spans": REST_SPANS}]},
    "traces/search": {"traces": [INFO], "next_page_token": "x"},
    "row of search_traces": ROW,
    "row without the trace": {name: part for name, part in ROW.items() if name != "trace"},
    "row without spans": {name: part for name, part in ROW.items() if name not in ("trace", "spans")},
    "rows by column": {name: {"0": part} for name, part in ROW.items()},
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_lines(tmp_path: Path, form: str) -> None:
    converted = convert_files(json_file(tmp_path, FORMS[form]))

    assert converted.content == [("tr-1", {"question": "Refund?"}, "No.")] * 2
    assert converted.labels == [
        ("tr-1", "politeness", False, "curt", "ana"),
        ("tr-1", "politeness", True, None, "ben"),
    ]
    assert converted.parts("source", "timestamp", "expectations")[0] == (
        "mlflow",
        "2026-11-27T19:08:00.000+00:00",
        {"expected": "Yes"},
    )
    assert (
        "Left out, since no person stands by them or they say nothing: overridden 1, LLM_JUDGE 1."
        in converted.sentences
    )


def test_a_table_as_pandas_writes_it(tmp_path: Path) -> None:
    # objects in cells are as Python prints them
    with (tmp_path / "export.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ROW)
        writer.writeheader()
        writer.writerow({**ROW, "trace": ""})

    converted = convert_files(tmp_path / "export.csv")

    assert converted.content[0] == ("tr-1", {"question": "Refund?"}, "No.")
    assert len(converted.labels) == 2
    assert [each["name"] for each in converted.lines[0]["spans"]] == ["chat", "llm"]


def test_spans_are_kept_as_a_tree(tmp_path: Path) -> None:
    spans = convert_files(json_file(tmp_path, WHOLE)).lines[0]["spans"]

    assert [(each["name"], each["id"], each.get("parent")) for each in spans] == [
        ("chat", "1fd75a05a2a90751", None),
        ("llm", "1fd75a05a2a90761", "1fd75a05a2a90751"),
    ]


def test_all_labels_can_go_to_one_judge(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, WHOLE), judge="tone")

    assert [line["judge"] for line in converted.lines] == ["tone", "tone"]


def test_labels_of_one_name_can_be_chosen(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, WHOLE), scores=frozenset({"tone"}))

    assert converted.labels == [("tr-1", None, None, None, None)]
    assert "Left out, since --score names others: politeness 2." in converted.sentences


def test_an_error_is_kept(tmp_path: Path) -> None:
    failed = {**SPANS[0], "status": {"code": "STATUS_CODE_ERROR", "message": "out of money"}}
    document = {"info": {**INFO, "state": "ERROR", "assessments": []}, "data": {"spans": [failed]}}

    assert convert_files(json_file(tmp_path, document)).parts("error") == [("out of money",)]


def test_a_trace_without_content_is_skipped_with_the_reason(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, {"info": {"trace_id": "tr-1"}, "data": {"spans": []}}))

    assert not converted.lines
    assert converted.sentences[-1].startswith("line 1: skipped, it has neither inputs nor outputs")


def test_what_somebody_noted_on_a_trace_is_metadata(tmp_path: Path) -> None:
    info = {
        **INFO,
        "tags": {"mlflow.traceName": "chat", "team": "web"},
        "trace_metadata": {"mlflow.trace.user": "c"},
    }

    (line, _) = convert_files(json_file(tmp_path, {"info": info, "data": {"spans": SPANS}})).lines

    assert line["metadata"] == {"team": "web", "name": "chat", "user": "c"}
