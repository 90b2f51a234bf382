import json
from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.conversion.converted import convert_files, json_file, text_file


def score(**more: Json) -> dict[str, Json]:
    return {
        "id": "s-1",
        "traceId": "t-1",
        "observationId": None,
        "name": "politeness",
        "source": "ANNOTATION",
        "dataType": "BOOLEAN",
        "value": 0,
        "stringValue": "False",
        "comment": "curt",
        "authorUserId": "u-ana",
        "timestamp": "2026-11-20T09:00:00.000Z",
        **more,
    }


OBSERVATIONS: list[Json] = [
    {"id": "o-2", "traceId": "t-1", "parentObservationId": "o-1", "type": "GENERATION", "name": "llm",
     "startTime": "2026-11-20T08:00:01Z", "input": [{"role": "user", "content": "Refund?"}],
     "output": {"role": "assistant", "content": "No."}},
    {"id": "o-1", "traceId": "t-1", "parentObservationId": None, "type": "SPAN", "name": "chat",
     "startTime": "2026-11-20T08:00:00Z", "input": {"question": "Refund?"}, "output": "No."},
]  # fmt: skip
TRACE: dict[str, Json] = {
    "id": "t-1",
    "timestamp": "2026-11-20T08:00:00.000Z",
    "name": "chat",
    "sessionId": "session",
    "userId": "customer",
    "input": {"question": "Refund?"},
    "output": "No.",
    "metadata": {"plan": "free"},
    "tags": ["web"],
}
CONTENT = ("t-1", {"question": "Refund?"}, "No.")


def test_a_trace_with_observations_and_scores(tmp_path: Path) -> None:
    scores = [score(), score(source="EVAL", value=1), score(authorUserId="u-ben", value=1, comment=None)]
    document = {**TRACE, "observations": OBSERVATIONS, "scores": scores}

    converted = convert_files(text_file(tmp_path, json.dumps(document, indent=2)))

    assert converted.content == [CONTENT, CONTENT]
    assert converted.labels == [
        ("t-1", "politeness", False, "curt", "u-ana"),
        ("t-1", "politeness", True, None, "u-ben"),
    ]
    assert [each["name"] for each in converted.lines[0]["spans"]] == ["chat", "llm"]
    assert converted.lines[0]["metadata"] == {
        "plan": "free", "name": "chat", "sessionId": "session", "userId": "customer", "tags": ["web"],
    }  # fmt: skip
    assert "Left out, since no person stands by them or they say nothing: LLM_JUDGE 1." in converted.sentences


@pytest.mark.parametrize(
    ("parts", "label"),
    [
        ({"dataType": "BOOLEAN", "value": 1.0, "stringValue": "True"}, True),
        ({"dataType": "NUMERIC", "value": 0.25, "stringValue": None}, 0.25),
        ({"dataType": "CATEGORICAL", "value": 2, "stringValue": "too curt"}, "too curt"),
        ({"dataType": "CATEGORICAL", "value": "too curt", "stringValue": None}, "too curt"),
        ({"dataType": "TEXT", "value": None, "stringValue": "rude"}, "rude"),
    ],
)
def test_values_of_scores(tmp_path: Path, parts: dict[str, Json], label: Json) -> None:
    document = {**TRACE, "observations": [], "scores": [score(**parts)]}

    assert convert_files(json_file(tmp_path, document)).parts("label") == [(label,)]


def test_an_answer_of_the_api(tmp_path: Path) -> None:
    document = {"data": [{**TRACE, "observations": ["o-1"], "scores": ["s-1"]}], "meta": {"page": 1}}

    assert convert_files(json_file(tmp_path, document)).content == [CONTENT]


def test_a_table_of_traces_has_a_column_for_each_score(tmp_path: Path) -> None:
    row = {**TRACE, "bookmarked": False, "politeness": [0], "tone": ["warm"], "other": None,
           "comments": [{"id": "c", "content": "Too short.", "author_user_id": "u-ana"}]}  # fmt: skip

    converted = convert_files(json_file(tmp_path, {**row, "tone": None}, row))

    assert converted.labels == [
        ("t-1", "politeness", 0, "Too short.", None),
        ("t-1", "politeness", 0, None, None),
        ("t-1", "tone", "warm", None, None),
    ]


def test_a_table_as_csv(tmp_path: Path) -> None:
    table = (
        "id,timestamp,name,userId,bookmarked,input,output,tags,politeness\n"
        't-1,2026-11-20T08:00:00.000Z,chat,c,false,"{""question"":""Refund?""}",No.,"[""web""]","[1]"\n'
    )

    converted = convert_files(text_file(tmp_path, table))

    assert converted.content == [CONTENT]
    assert converted.labels == [("t-1", "politeness", 1, None, None)]


def test_scores_in_a_file_apart_join_their_traces(tmp_path: Path) -> None:
    traces = json_file(tmp_path, {**TRACE, "bookmarked": False}, name="traces.jsonl")
    scores = json_file(tmp_path, score(), score(traceId="elsewhere"), name="scores.jsonl")

    converted = convert_files(traces, scores)

    assert converted.labels == [("t-1", "politeness", False, "curt", "u-ana")]
    assert converted.sentences[-1].startswith("1 label had no trace in these files")


def test_observations_are_put_together_and_their_scores_are_their_traces(tmp_path: Path) -> None:
    observations = json_file(tmp_path, {"data": OBSERVATIONS, "meta": {}}, name="observations.json")
    scores = json_file(tmp_path, score(observationId="o-2"), name="scores.jsonl")

    converted = convert_files(observations, scores)

    assert converted.content == [CONTENT]
    assert converted.labels == [("t-1", "politeness", False, "curt", "u-ana")]


def test_exports_to_blob_storage(tmp_path: Path) -> None:
    trace = {"id": "t-1", "timestamp": "2026-11-20 08:00:00.000", "project_id": "p", "user_id": "c", "public": False,
             "input": '{"question": "Refund?"}', "output": "No."}  # fmt: skip
    labels = {"id": "s-1", "timestamp": "2026-11-20 09:00:00.000", "project_id": "p", "trace_id": "t-1",
              "observation_id": None, "name": "politeness", "value": 0, "source": "ANNOTATION", "comment": "curt",
              "data_type": "BOOLEAN", "string_value": "False"}  # fmt: skip
    traces = json_file(tmp_path, trace, name="traces.jsonl")

    converted = convert_files(traces, json_file(tmp_path, labels, name="scores.jsonl"))

    assert converted.content == [CONTENT]
    assert converted.labels == [("t-1", "politeness", False, "curt", None)]
