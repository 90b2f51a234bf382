from pathlib import Path

from memalign.records import Json
from tests.bot.conversion.converted import convert_files, json_file, text_file

TRACE_ID = "5b8efff798038103d269b633813fc60c"
ROWS: list[dict[str, Json]] = [
    {
        "context.span_id": "bbb19b7ec3c1b174", "context.trace_id": TRACE_ID, "parent_id": "eee19b7ec3c1b174",
        "name": "llm", "span_kind": "LLM", "start_time": "2026-11-20T09:00:00.5+00:00", "status_code": "OK",
        "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Refund?"}],
        "attributes.output.value": "No.",
    },
    {
        "context.span_id": "eee19b7ec3c1b174", "context.trace_id": TRACE_ID, "parent_id": None,
        "name": "chat", "span_kind": "CHAIN", "start_time": "2026-11-20T09:00:00+00:00", "status_code": "OK",
        "attributes.input.value": "Refund?", "attributes.output.value": "No.",
    },
]  # fmt: skip
CONTENT = (TRACE_ID, "Refund?", "No.")


def annotation(**more: Json) -> dict[str, Json]:
    return {
        "span_id": "bbb19b7ec3c1b174",
        "name": "politeness",
        "annotator_kind": "HUMAN",
        "result": {"label": "impolite", "score": 0, "explanation": "curt"},
        "identifier": "",
        "user_id": "ana",
        "updated_at": "2026-11-20T10:00:00Z",
        **more,
    }


def test_a_table_of_spans(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, *ROWS))

    assert converted.content == [CONTENT]
    assert converted.parts("timestamp") == [("2026-11-20T09:00:00.000+00:00",)]
    assert [(each["name"], each["type"]) for each in converted.lines[0]["spans"]] == [
        ("chat", "CHAIN"),
        ("llm", "LLM"),
    ]


def test_annotations_join_the_traces_of_their_spans(tmp_path: Path) -> None:
    spans = json_file(tmp_path, *ROWS, name="spans.jsonl")
    rows = json_file(
        tmp_path,
        annotation(),
        annotation(annotator_kind="LLM"),
        annotation(result={"label": None, "score": 1.0, "explanation": None}, user_id=None, identifier="ben"),
        name="annotations.jsonl",
    )

    converted = convert_files(spans, rows)

    assert converted.labels == [
        (TRACE_ID, "politeness", "impolite", "curt", "ana"),
        (TRACE_ID, "politeness", 1.0, None, "ben"),
    ]
    assert "Left out, since no person stands by them or they say nothing: LLM 1." in converted.sentences


def test_answers_of_the_api(tmp_path: Path) -> None:
    span: dict[str, Json] = {
        "id": "U3Bhbjox", "name": "chat", "span_kind": "CHAIN", "parent_id": None,
        "context": {"trace_id": TRACE_ID, "span_id": "eee19b7ec3c1b174"}, "start_time": "2026-11-20T09:00:00+00:00",
        "status_code": "OK", "attributes": {"input.value": "Refund?", "output.value": "No."}, "events": [],
    }  # fmt: skip
    spans = json_file(tmp_path, {"data": [span], "next_cursor": None}, name="spans.json")
    labels = json_file(tmp_path, {"data": [annotation(span_id="eee19b7ec3c1b174")]}, name="annotations.json")

    converted = convert_files(labels, spans)

    assert converted.content == [CONTENT]
    assert converted.labels == [(TRACE_ID, "politeness", "impolite", "curt", "ana")]


def test_tables_as_csv(tmp_path: Path) -> None:
    spans = text_file(
        tmp_path,
        "context.span_id,context.trace_id,parent_id,name,start_time,attributes.input.value,attributes.output.value\n"
        f"eee19b7ec3c1b174,{TRACE_ID},,chat,2026-11-20 09:00:00+00:00,Refund?,No.\n",
        "spans.csv",
    )
    labels = text_file(
        tmp_path,
        "span_id,annotation_name,annotator_kind,result.label,result.score,result.explanation,user_id\n"
        "eee19b7ec3c1b174,politeness,HUMAN,,0,curt,ana\n",
        "annotations.csv",
    )

    converted = convert_files(spans, labels)

    assert converted.content == [CONTENT]
    assert converted.labels == [(TRACE_ID, "politeness", 0, "curt", "ana")]


def test_a_table_without_its_index_keeps_all_steps(tmp_path: Path) -> None:
    # pandas leaves the index, which holds the span ids, out of JSON
    rows = [{name: part for name, part in row.items() if name != "context.span_id"} for row in ROWS]

    converted = convert_files(json_file(tmp_path, *rows))

    assert converted.content == [CONTENT]
    assert sorted(each["name"] for each in converted.lines[0]["spans"]) == ["chat", "llm"]
