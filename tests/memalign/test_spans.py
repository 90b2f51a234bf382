"""Spans of common tools as one tree; a tree that does not fit is cut span by span."""

import json

import pytest

from bot.blocks.trace_reading import parts_of
from memalign.embedded_text import text_of
from memalign.records import Json, Trace
from memalign.spans import error_of, shallowest_content, span_tree
from memalign.template import fields_of
from tests.factories import a_judge, a_trace
from tests.memalign.prompt_text import record

BEGIN = 1_760_000_000_000_000_000
MESSAGES = [{"role": "user", "content": "Refund please"}]
ANSWER = [{"role": "assistant", "content": "No."}]


def otlp_attributes(**attributes: Json) -> list[Json]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in attributes.items()]


def parts(*messages: Json) -> str:
    return json.dumps(
        [{"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]} for each in messages]
    )


ROOT = {"id": "01", "name": "invoke_agent", "start_ms": 0, "ms": 600}
CHAT = {
    "id": "02",
    "parent": "01",
    "name": "chat",
    "start_ms": 2,
    "ms": 500,
    "status": "error",
    "inputs": MESSAGES,
    "outputs": ANSWER,
}
FORMS: dict[str, Json] = {
    "otlp": [
        {"traceId": "a", "spanId": "02", "parentSpanId": "01", "name": "chat", "kind": 3,
         "startTimeUnixNano": str(BEGIN + 2_000_000), "endTimeUnixNano": str(BEGIN + 502_000_000),
         "attributes": otlp_attributes(
             **{"gen_ai.input.messages": parts(*MESSAGES), "gen_ai.output.messages": parts(*ANSWER)}),
         "status": {"code": 2}},
        {"traceId": "a", "spanId": "01", "name": "invoke_agent", "kind": "SPAN_KIND_INTERNAL",
         "startTimeUnixNano": str(BEGIN), "endTimeUnixNano": str(BEGIN + 600_000_000), "status": {}},
    ],
    "openai's agents": [
        {"id": "01", "parent_id": None, "started_at": "2025-10-09T08:53:20.000000Z",
         "ended_at": "2025-10-09T08:53:20.600000Z", "span_data": {"name": "invoke_agent"}, "error": None},
        {"id": "02", "parent_id": "01", "started_at": "2025-10-09T08:53:20.002000Z",
         "ended_at": "2025-10-09T08:53:20.502000Z", "status": "error",
         "span_data": {"name": "chat", "input": MESSAGES, "output": ANSWER}},
    ],
    "phoenix, names as objects": [
        {"name": "invoke_agent", "span_id": "01", "start_time": "2025-10-09T08:53:20.000000Z",
         "end_time": "2025-10-09T08:53:20.600000Z", "attributes": {}},
        {"name": "chat", "span_id": "02", "parent_id": "01", "start_time": "2025-10-09T08:53:20.002000Z",
         "end_time": "2025-10-09T08:53:20.502000Z", "status_code": "ERROR",
         "attributes": {"llm": {"input_messages": [{"message": MESSAGES[0]}],
                                "output_messages": [{"message": ANSWER[0]}]}}},
    ],
    "openinference, parts by their places": [
        {"name": "invoke_agent", "span_id": "01", "start_time": "2025-10-09T08:53:20.000000Z",
         "end_time": "2025-10-09T08:53:20.600000Z", "attributes": {}},
        {"name": "chat", "span_id": "02", "parent_id": "01", "start_time": "2025-10-09T08:53:20.002000Z",
         "end_time": "2025-10-09T08:53:20.502000Z", "status_code": "ERROR",
         "attributes": {
             "llm.input_messages.0.message.role": "user",
             "llm.input_messages.0.message.contents.0.message_content.type": "text",
             "llm.input_messages.0.message.contents.0.message_content.text": "Refund please",
             "llm.output_messages.0.message.role": "assistant",
             "llm.output_messages.0.message.content": "No."}},
    ],
    "opentelemetry's details": [
        {"name": "invoke_agent", "spanId": "01", "startTimeUnixNano": str(BEGIN),
         "endTimeUnixNano": str(BEGIN + 600_000_000)},
        {"name": "chat", "spanId": "02", "parentSpanId": "01", "startTimeUnixNano": str(BEGIN + 2_000_000),
         "endTimeUnixNano": str(BEGIN + 502_000_000), "status": {"code": 2},
         "events": [{"name": "gen_ai.client.inference.operation.details", "attributes": otlp_attributes(**{
             "gen_ai.input.messages": parts(*MESSAGES), "gen_ai.output.messages": parts(*ANSWER)})}]},
    ],
    "opentelemetry's console": [
        {"name": "invoke_agent", "context": {"trace_id": "0xa", "span_id": "01"}, "kind": "SpanKind.INTERNAL",
         "parent_id": None, "start_time": "2025-10-09T08:53:20.000000Z", "end_time": "2025-10-09T08:53:20.600000Z",
         "status": {"status_code": "UNSET"}, "attributes": {}, "events": []},
        {"name": "chat", "context": {"trace_id": "0xa", "span_id": "02"}, "parent_id": "01",
         "start_time": "2025-10-09T08:53:20.002000Z", "end_time": "2025-10-09T08:53:20.502000Z",
         "status": {"status_code": "ERROR"},
         "attributes": {"input.value": json.dumps(MESSAGES), "output.value": json.dumps(ANSWER)}, "events": []},
    ],
    "mlflow": [
        {"span_id": "01", "parent_span_id": None, "name": "invoke_agent", "start_time_unix_nano": BEGIN,
         "end_time_unix_nano": BEGIN + 600_000_000, "status": {"code": "STATUS_CODE_UNSET", "message": ""},
         "attributes": {"mlflow.traceRequestId": '"tr-1"', "mlflow.spanType": '"UNKNOWN"'}, "events": []},
        {"span_id": "02", "parent_span_id": "01", "name": "chat", "start_time_unix_nano": BEGIN + 2_000_000,
         "end_time_unix_nano": BEGIN + 502_000_000, "status": {"code": "STATUS_CODE_ERROR", "message": ""},
         "attributes": {"mlflow.spanInputs": json.dumps(MESSAGES), "mlflow.spanOutputs": json.dumps(ANSWER)},
         "events": []},
    ],
    "openinference": [
        {"span_id": "01", "name": "invoke_agent", "start_time": BEGIN / 1e9, "end_time": BEGIN / 1e9 + 0.6},
        {"span_id": "02", "parent_id": "01", "name": "chat", "start_time": BEGIN / 1e9 + 0.002,
         "end_time": BEGIN / 1e9 + 0.502, "status_code": "ERROR",
         "attributes": {
             "llm.input_messages.0.message.role": "user",
             "llm.input_messages.0.message.content": "Refund please",
             "llm.output_messages.0.message.role": "assistant",
             "llm.output_messages.0.message.content": "No."}},
    ],
    "openllmetry": [
        {"span_id": "01", "name": "invoke_agent", "start_time": BEGIN, "end_time": BEGIN + 600_000_000},
        {"span_id": "02", "parent_id": "01", "name": "chat", "start_time": BEGIN + 2_000_000,
         "end_time": BEGIN + 502_000_000, "status": "ERROR",
         "attributes": {
             "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Refund please",
             "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "No."}},
    ],
    "events of messages": [
        {"span_id": "01", "name": "invoke_agent", "start_time": BEGIN, "end_time": BEGIN + 600_000_000},
        {"span_id": "02", "parent_id": "01", "name": "chat", "start_time": BEGIN + 2_000_000,
         "end_time": BEGIN + 502_000_000, "status": "ERROR", "events": [
             {"name": "gen_ai.user.message", "attributes": {"content": "Refund please"}},
             {"name": "gen_ai.choice", "attributes": {"message": {"role": "assistant", "content": "No."}}}]},
    ],
    "langsmith": [
        {"id": "01", "name": "invoke_agent", "start_time": "2025-10-09T08:53:20", "end_time": "2025-10-09T08:53:20.6",
         "child_runs": [
             {"id": "02", "parent_run_id": "01", "name": "chat", "start_time": "2025-10-09T08:53:20.002",
              "end_time": "2025-10-09T08:53:20.502", "status": "error", "inputs": MESSAGES, "outputs": ANSWER}]},
    ],
    "langfuse": [
        {"id": "01", "name": "invoke_agent", "startTime": "2025-10-09T08:53:20.000Z",
         "endTime": "2025-10-09T08:53:20.600Z", "level": "DEFAULT"},
        {"id": "02", "parentObservationId": "01", "name": "chat", "startTime": "2025-10-09T08:53:20.002Z",
         "endTime": "2025-10-09T08:53:20.502Z", "level": "ERROR", "input": MESSAGES, "output": ANSWER},
    ],
    "plain": [
        {"name": "invoke_agent", "id": "01", "start_ms": 0, "ms": 600},
        {"name": "chat", "id": "02", "parent": "01", "start_ms": 2, "ms": 500, "status": "error", "inputs": MESSAGES,
         "outputs": ANSWER},
    ],
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_spans_of_each_tool_are_one_tree(form: str) -> None:
    tree = span_tree(FORMS[form])

    assert tree == [ROOT, CHAT]
    assert span_tree(tree) == tree


@pytest.mark.parametrize("form", FORMS)
def test_a_trace_with_an_empty_root_is_read_at_the_shallowest_span_with_content(form: str) -> None:
    trace = Trace(trace_id="tr-1", spans=FORMS[form])

    fields = a_judge("{{ inputs }} {{ outputs }}").select_fields(trace)
    assert (fields["inputs"], fields["outputs"]) == (MESSAGES, ANSWER)
    assert [part.text for part in parts_of(trace)] == ["User: Refund please", "No."]
    assert text_of(fields) == ("user: Refund please", "No.")


def test_a_span_says_its_type_exceptions_attributes_and_the_results_of_tools() -> None:
    span = {
        "name": "lookup",
        "span_id": "a1",
        "span_type": "TOOL",
        "attributes": {
            "gen_ai.tool.call.arguments": '{"id": 7}',
            "gen_ai.tool.call.result": "gone",
            "shop": "Berlin",
        },
        "events": [
            {"name": "retry", "attributes": {"n": 1}},
            {"name": "exception", "attributes": {"exception.type": "KeyError", "exception.message": "7"}},
        ],
        "status": {"code": "STATUS_CODE_ERROR", "message": "not found"},
    }

    assert span_tree([span]) == [
        {
            "id": "a1",
            "name": "lookup",
            "type": "TOOL",
            "status": "error",
            "error": "not found",
            "exceptions": [{"type": "KeyError", "message": "7"}],
            "inputs": {"id": 7},
            "outputs": "gone",
            "attributes": {"shop": "Berlin"},
            "events": [{"name": "retry", "n": 1}],
        }
    ]


def many_spans(count: int = 200, faulty: int = 197) -> list[Json]:
    """A root and its steps; one of them fails, the run goes on."""
    steps: list[Json] = [{"id": "root", "name": "agent", "start_ms": 0, "inputs": "Q?", "outputs": "A."}]
    for number in range(1, count):
        step: Json = {"id": f"s{number}", "parent": "root", "name": f"step {number}", "start_ms": number}
        step["outputs"] = f"page {number} " + "of the manual " * 60
        if number == faulty:
            step |= {
                "status": "error",
                "exceptions": [{"type": "TimeoutError", "message": "the shop is down"}],
            }
        steps.append(step)
    return steps


@pytest.mark.parametrize("faulty", [3, 100, 197])
@pytest.mark.parametrize("tokens", [2_500, 4_000, 16_000])
def test_of_too_many_spans_root_errors_and_last_ones_stay_and_the_number_left_out_is_said(
    faulty: int, tokens: int
) -> None:
    fields = fields_of(a_trace(spans=many_spans(faulty=faulty)), ("trace",))
    spans = record(fields, tokens)["trace"]["spans"]

    kept = [span for span in spans if isinstance(span, dict)]
    (gap,) = [span for span in spans if isinstance(span, str)]
    assert gap == f"… {200 - len(kept):,} spans left out …"
    assert kept[0]["name"] == "agent"
    assert kept[-1]["name"] == "step 199"
    (failed,) = [span for span in kept if span["id"] == f"s{faulty}"]
    assert failed["exceptions"] == [{"type": "TimeoutError", "message": "the shop is down"}]


def test_spans_that_fit_are_all_there() -> None:
    spans = many_spans(12, 5)

    assert record(fields_of(a_trace(spans=spans), ("trace",)))["trace"]["spans"] == span_tree(spans)


@pytest.mark.parametrize(
    ("spans", "error"),
    [
        ([{"name": "a", "status": {"code": 2, "message": "boom"}}], "boom"),
        ([{"name": "a", "error": "ValueError('x')"}], "ValueError('x')"),
        ([{"name": "a", "events": [{"name": "exception", "attributes": {"exception.type": "E"}}]}], "E"),
        (
            [
                {"id": "1", "name": "a", "status": "ERROR"},
                {"id": "2", "parent": "1", "name": "b", "exceptions": [{"type": "E", "message": "deep"}]},
            ],
            "E: deep",
        ),
        ([{"name": "a", "status": "ERROR"}], "no reason is given"),
        (
            [{"id": "1", "name": "a", "status": "OK"}, {"id": "2", "parent": "1", "name": "b", "error": "x"}],
            None,
        ),
        ([], None),
    ],
)
def test_the_error_of_a_run_is_its_roots(spans: list[Json], error: str | None) -> None:
    assert error_of(span_tree(spans)) == error


@pytest.mark.parametrize(
    ("outputs", "error", "shown"),
    [
        (None, "TimeoutError", "(no output: the run ended with an error: TimeoutError)"),
        ("", None, "(no output)"),
        ({}, None, "(no output)"),
        ([{"role": "assistant", "content": ""}], None, "(no output)"),
        ("Half an ans", "cut", "Half an ans\n(the run ended with an error: cut)"),
        (False, None, False),
        (0, None, 0),
    ],
)
def test_a_judge_is_told_of_an_error_and_of_an_empty_output(
    outputs: Json, error: str | None, shown: Json
) -> None:
    fields = fields_of(
        Trace(trace_id="t", inputs="q", outputs=outputs, error=error), ("inputs", "outputs", "expectations")
    )

    assert fields["outputs"] == shown
    assert fields["expectations"] == "(none given)"


@pytest.mark.parametrize(
    "spans",
    [
        ["text", 7, None],
        [{"id": "1", "parent": "1", "name": "own parent"}],
        [{"id": "1", "parent": "2", "name": "a"}, {"id": "2", "parent": "1", "name": "b"}],
        [{"id": "1", "name": "twice"}, {"id": "1", "name": "twice"}],
        [{"name": None, "attributes": "x", "status": [], "start_time": "soon", "end_time": True}],
        [{"attributes": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}}]}],
        [{"start_time": -1}, {"start_time": "1e400"}, {"startTime": 1e308}],
        [{"events": [None, "x", {"name": 7}]}, {"exceptions": "x"}, {"children": [[], "x"]}],
    ],
)
def test_odd_spans_are_no_obstacle(spans: list[Json]) -> None:
    tree = span_tree(spans)

    assert len(tree) == len(spans)
    assert shallowest_content(tree) == (None, None)
    assert isinstance(json.dumps(fields_of(a_trace(spans=spans), ("trace",))), str)


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.output_messages.0.message.role": "assistant",
         "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "lookup",
         "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"id": 5}'},
        {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.tool_calls.0.name": "lookup",
         "gen_ai.completion.0.tool_calls.0.arguments": '{"id": 5}'},
    ],
)  # fmt: skip
def test_calls_in_the_names_of_attributes_are_turns(attributes: Json) -> None:
    (span,) = span_tree([{"name": "chat", "attributes": attributes}])
    assert span["outputs"] == [
        {"role": "assistant", "tool_calls": [{"name": "lookup", "arguments": {"id": 5}}]}
    ]


@pytest.mark.parametrize(
    ("span", "error"),
    [
        ({"op_name": "predict", "exception": "ValueError: boom"}, "ValueError: boom"),
        ({"name": "tool", "error": {"message": "boom", "data": {}}}, "boom"),
        ({"name": "agent", "status": "error", "meta": {"error": {"message": "boom"}}}, "boom"),
    ],
)
def test_an_error_is_found_where_a_tool_keeps_it(span: Json, error: str) -> None:
    assert error_of(span_tree([span])) == error


def test_a_null_that_mlflow_writes_as_text_is_no_output() -> None:
    attributes = {
        "mlflow.spanInputs": '{"q": "Hi"}',
        "mlflow.spanOutputs": "null",
        "mlflow.spanType": '"AGENT"',
    }
    (span,) = span_tree([{"name": "root", "attributes": attributes}])
    assert span == {"name": "root", "type": "AGENT", "inputs": {"q": "Hi"}}


def test_what_an_event_says_stays_when_a_tree_is_read_again() -> None:
    tree = span_tree([{"name": "x", "events": [{"name": "retry", "attributes": {"n": 2}}]}])
    assert span_tree(tree) == tree
    assert tree[0]["events"] == [{"name": "retry", "n": 2}]


def test_what_else_a_span_carries_inside_is_an_attribute() -> None:
    (span,) = span_tree([{"id": "a", "span_data": {"type": "agent", "name": "Clerk", "tools": ["lookup"]}}])
    assert (span["name"], span["attributes"]) == ("Clerk", {"tools": ["lookup"]})


@pytest.mark.parametrize("time", ["9" * 5_000, 10**4_000, float("inf"), "1e999", 1e300, "inf"])
def test_a_number_that_is_no_time_is_left_out(time: Json) -> None:
    assert span_tree([{"id": "1", "name": "chat", "start_time": time}]) == [{"id": "1", "name": "chat"}]
    assert span_tree([{"id": "1", "name": "chat", "start_ms": float("inf")}]) == [{"id": "1", "name": "chat"}]


def test_numbers_of_too_many_digits_in_attributes_break_nothing() -> None:
    attributes = [
        {"key": f"gen_ai.prompt.{'9' * 5_000}.content", "value": {"stringValue": "x"}},
        {"key": "count", "value": {"intValue": "9" * 5_000}},
        {"key": "total", "value": {"intValue": "-12"}},
    ]

    (span,) = span_tree([{"id": "1", "name": "chat", "attributes": attributes}])

    assert span["attributes"]["total"] == -12
    assert "inputs" not in span
