import json
from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.conversion.converted import convert_files, json_file, text_file

TRACE_ID = "5b8efff798038103d269b633813fc60c"


def request(*spans: dict[str, Json], scope: str = "scopeSpans") -> dict[str, Json]:
    return {"resourceSpans": [{"resource": {"attributes": []}, scope: [{"scope": {}, "spans": list(spans)}]}]}


def span(
    name: str = "chat", span_id: str = "eee19b7ec3c1b174", parent: str = "", **attributes: str
) -> dict[str, Json]:
    return {
        "traceId": TRACE_ID,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": "1795165200000000000",
        "endTimeUnixNano": "1795165201000000000",
        "attributes": [
            {"key": key.replace("__", "."), "value": {"stringValue": value}}
            for key, value in attributes.items()
        ],
    }


ROOT = span(input__value="Refund?", output__value="No.")
SNAKE = {"trace_id": TRACE_ID, **{name: part for name, part in ROOT.items() if name != "traceId"}}
MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Refund?"}]}])
ANSWERS = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "No."}]}])


def test_a_line_of_the_file_exporter(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, request(ROOT)))

    assert converted.content == [(TRACE_ID, "Refund?", "No.")]
    assert converted.parts("timestamp", "source") == [("2026-11-20T09:00:00.000+00:00", "otlp")]


def test_spans_of_a_trace_are_put_together_from_several_lines(tmp_path: Path) -> None:
    child = span("llm", "aaa19b7ec3c1b174", "eee19b7ec3c1b174", input__value="x", output__value="y")
    converted = convert_files(json_file(tmp_path, request(child), request(ROOT)))

    assert converted.content == [(TRACE_ID, "Refund?", "No.")]
    assert [each["name"] for each in converted.lines[0]["spans"]] == ["chat", "llm"]


@pytest.mark.parametrize(
    "document",
    [
        request(ROOT, scope="instrumentationLibrarySpans"),
        request({**ROOT, "traceId": TRACE_ID.upper()}),
        # protocol buffers write bytes as base64
        request({**ROOT, "traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ="}),
        {"resource_spans": [{"scope_spans": [{"spans": [SNAKE]}]}]},
    ],
)
def test_other_spellings(tmp_path: Path, document: Json) -> None:
    assert convert_files(json_file(tmp_path, document)).content == [(TRACE_ID, "Refund?", "No.")]


def test_messages_of_gen_ai_in_a_child(tmp_path: Path) -> None:
    child = span("chat", "aaa19b7ec3c1b174", "eee19b7ec3c1b174", gen_ai__input__messages=MESSAGES,
                 gen_ai__output__messages=ANSWERS)  # fmt: skip
    converted = convert_files(json_file(tmp_path, request(span("invoke_agent"), child)))

    assert "Refund?" in json.dumps(converted.lines[0]["inputs"])
    assert "No." in json.dumps(converted.lines[0]["outputs"])


def test_traces_without_content_and_spans_without_an_id_are_told(tmp_path: Path) -> None:
    converted = convert_files(json_file(tmp_path, request(span("GET /healthz")), request({"name": "x"})))

    assert not converted.lines
    assert any(
        each.startswith('line 2: skipped, a span named "x" was refused') for each in converted.sentences
    )
    assert any(each.startswith(f"trace {TRACE_ID}: skipped, it has neither") for each in converted.sentences)


def test_one_document_over_many_lines(tmp_path: Path) -> None:
    assert convert_files(text_file(tmp_path, json.dumps(request(ROOT), indent=2))).content == [
        (TRACE_ID, "Refund?", "No.")
    ]
