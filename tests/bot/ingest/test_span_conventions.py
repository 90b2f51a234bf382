"""Inputs and outputs of traces by each convention; the attributes are those that the tools' own libraries send."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from bot.ingest.otlp_json import read_json
from bot.ingest.otlp_span import OtlpSpan
from bot.ingest.span_assembly import assembled_trace, has_content
from memalign.records import Json, Trace
from memalign.span_conventions import SPAN_CONVENTIONS
from memalign.span_forms import span_document
from tests.bot.ingest.otlp import TestSpan, as_json

QUESTION, ANSWER = "Where is my parcel?", "Ask the post."
ASKED = [{"role": "user", "content": QUESTION}]
ANSWERED = [{"role": "assistant", "content": ANSWER}]
OPENAI_REQUEST = json.dumps({"model": "gpt-5-mini", "messages": ASKED})
OPENAI_ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "choices": [
            {"finish_reason": "stop", "index": 0, "message": {"content": ANSWER, "role": "assistant"}}
        ],
        "model": "gpt-5-mini",
        "object": "chat.completion",
        "usage": {"completion_tokens": 3, "prompt_tokens": 5, "total_tokens": 8},
    }
)
GENAI_INPUT = json.dumps([{"role": "user", "parts": [{"content": QUESTION, "type": "text"}]}])
GENAI_OUTPUT = json.dumps(
    [{"role": "assistant", "parts": [{"content": ANSWER, "type": "text"}], "finish_reason": "stop"}]
)
HTTP = {"http.request.method": "POST", "url.path": "/chat"}


def trace_of(*spans: TestSpan) -> Trace:
    documents = [span_document(each.span) for each in read_json(as_json(spans)) if isinstance(each, OtlpSpan)]
    return assembled_trace("t", documents)


def root(**attributes: Json) -> TestSpan:
    return TestSpan(trace="t", name="root", attributes=attributes, end_ms=100)


def call(attributes: Mapping[str, Json], *, name: str = "call", start_ms: int = 1) -> TestSpan:
    return TestSpan(
        trace="t", name=name, parent="root", attributes=attributes, start_ms=start_ms, end_ms=start_ms + 5
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Spans, and what is to be found in them."""

    convention: str
    title: str
    spans: Sequence[TestSpan]
    inputs: Json = QUESTION
    outputs: Json = ANSWER


CHAT = {"inputs": ASKED, "outputs": ANSWERED}
EXAMPLES = (
    Example(
        convention="OpenInference",
        title="a chain",
        spans=[root(**{"openinference.span.kind": "CHAIN", "input.value": QUESTION, "output.value": ANSWER})],
    ),
    Example(
        convention="OpenInference",
        title="a call of OpenAI below a request",
        spans=[
            root(**HTTP),
            call(
                {
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "gpt-5-mini",
                    "input.value": OPENAI_REQUEST,
                    "input.mime_type": "application/json",
                    "output.value": OPENAI_ANSWER,
                    "output.mime_type": "application/json",
                }
            ),
        ],
        inputs={"messages": ASKED, "model": "gpt-5-mini"},
        outputs={**json.loads(OPENAI_ANSWER), "choices": ANSWERED},
    ),
    Example(
        convention="OpenInference",
        title="messages alone, flattened",
        spans=[
            root(
                **{
                    "openinference.span.kind": "LLM",
                    "llm.input_messages.0.message.role": "user",
                    "llm.input_messages.0.message.content": QUESTION,
                    "llm.output_messages.0.message.role": "assistant",
                    "llm.output_messages.0.message.content": ANSWER,
                }
            )
        ],
        **CHAT,
    ),
    Example(
        convention="OpenTelemetry GenAI",
        title="message parts as JSON",
        spans=[
            root(**HTTP),
            call(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": "m",
                    "gen_ai.input.messages": GENAI_INPUT,
                    "gen_ai.output.messages": GENAI_OUTPUT,
                }
            ),
        ],
        **CHAT,
    ),
    Example(
        convention="OpenTelemetry GenAI",
        title="message parts as structured values",
        spans=[
            root(
                **{
                    "gen_ai.operation.name": "chat",
                    "gen_ai.input.messages": json.loads(GENAI_INPUT),
                    "gen_ai.output.messages": json.loads(GENAI_OUTPUT),
                }
            )
        ],
        **CHAT,
    ),
    Example(
        convention="OpenTelemetry GenAI, as events",
        title="the event of 1.37 with all messages",
        spans=[
            TestSpan(
                trace="t",
                name="root",
                attributes={"gen_ai.operation.name": "chat"},
                events=[
                    (
                        "gen_ai.client.inference.operation.details",
                        {"gen_ai.input.messages": GENAI_INPUT, "gen_ai.output.messages": GENAI_OUTPUT},
                    )
                ],
            )
        ],
        **CHAT,
    ),
    Example(
        convention="OpenTelemetry GenAI, as events",
        title="an event for each message, of 1.28 to 1.36",
        spans=[
            TestSpan(
                trace="t",
                name="root",
                attributes={"gen_ai.system": "openai"},
                events=[
                    ("gen_ai.user.message", {"gen_ai.system": "openai", "content": QUESTION}),
                    (
                        "gen_ai.choice",
                        {"index": 0, "finish_reason": "stop", "message": json.dumps(ANSWERED[0])},
                    ),
                ],
            )
        ],
        **CHAT,
    ),
    Example(
        convention="OpenTelemetry GenAI, as events",
        title="the events before 1.28",
        spans=[
            TestSpan(
                trace="t",
                name="root",
                attributes={"gen_ai.system": "openai"},
                events=[
                    ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(ASKED)}),
                    ("gen_ai.content.completion", {"gen_ai.completion": json.dumps(ANSWERED)}),
                ],
            )
        ],
        **CHAT,
    ),
    Example(
        convention="Pydantic AI",
        title="an agent's run",
        spans=[
            root(
                **{
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": "helper",
                    "model_name": "gpt-5-mini",
                    "final_result": ANSWER,
                    "pydantic_ai.all_messages": json.dumps(
                        [*json.loads(GENAI_INPUT), *json.loads(GENAI_OUTPUT)]
                    ),
                }
            )
        ],
        inputs=ASKED,
    ),
    Example(
        convention="Pydantic AI",
        title="an agent's run before 1.0",
        spans=[
            root(
                agent_name="helper",
                final_result=ANSWER,
                all_messages_events=json.dumps(
                    [
                        {"event.name": "gen_ai.user.message", "role": "user", "content": QUESTION},
                        {"event.name": "gen_ai.assistant.message", "role": "assistant", "content": ANSWER},
                    ]
                ),
            )
        ],
        inputs=ASKED,
    ),
    Example(
        convention="OpenLLMetry",
        title="a workflow",
        spans=[
            root(
                **{
                    "traceloop.span.kind": "workflow",
                    "traceloop.entity.input": json.dumps({"args": [QUESTION], "kwargs": {}}),
                    "traceloop.entity.output": json.dumps({"answer": ANSWER}),
                }
            )
        ],
        inputs={"args": [QUESTION], "kwargs": {}},
        outputs={"answer": ANSWER},
    ),
    Example(
        convention="OpenLLMetry",
        title="prompts and completions, numbered",
        spans=[
            root(**HTTP),
            call(
                {
                    "llm.request.type": "chat",
                    "gen_ai.request.model": "gpt-5-mini",
                    "gen_ai.prompt.0.role": "user",
                    "gen_ai.prompt.0.content": QUESTION,
                    "gen_ai.completion.0.role": "assistant",
                    "gen_ai.completion.0.content": ANSWER,
                    "gen_ai.completion.0.finish_reason": "stop",
                }
            ),
        ],
        **CHAT,
    ),
    Example(
        convention="MLflow",
        title="a traced function",
        spans=[
            root(
                **{
                    "mlflow.traceRequestId": '"tr-1"',
                    "mlflow.spanType": '"CHAIN"',
                    "mlflow.spanInputs": json.dumps({"question": QUESTION}),
                    "mlflow.spanOutputs": json.dumps(ANSWER),
                }
            )
        ],
        inputs={"question": QUESTION},
    ),
    Example(
        convention="Langfuse",
        title="an observed function and its generation",
        spans=[
            root(
                **{
                    "langfuse.observation.type": "span",
                    "langfuse.observation.input": json.dumps({"args": [QUESTION], "kwargs": {}}),
                    "langfuse.observation.output": ANSWER,
                }
            ),
            call(
                {
                    "langfuse.observation.type": "generation",
                    "langfuse.observation.model.name": "gpt-5-mini",
                    "langfuse.observation.input": json.dumps(ASKED),
                    "langfuse.observation.output": json.dumps(ANSWERED[0]),
                }
            ),
        ],
        inputs={"args": [QUESTION], "kwargs": {}},
    ),
    Example(
        convention="Langfuse",
        title="inputs and outputs of the trace",
        spans=[root(**{"langfuse.trace.input": QUESTION, "langfuse.trace.output": ANSWER})],
    ),
    Example(
        convention="AI SDK",
        title="generateText and its doGenerate",
        spans=[
            root(
                **{
                    "operation.name": "ai.generateText",
                    "ai.operationId": "ai.generateText",
                    "ai.model.id": "gpt-5-mini",
                    "ai.prompt": json.dumps({"prompt": QUESTION}),
                    "ai.response.text": ANSWER,
                }
            ),
            call(
                {
                    "ai.operationId": "ai.generateText.doGenerate",
                    "ai.model.id": "gpt-5-mini",
                    "ai.prompt.messages": json.dumps(
                        [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
                    ),
                    "ai.response.text": ANSWER,
                    "gen_ai.request.model": "gpt-5-mini",
                }
            ),
        ],
        inputs={"prompt": QUESTION},
    ),
    Example(
        convention="AI SDK",
        title="a model's call below a request of Next.js",
        spans=[
            root(**HTTP),
            call(
                {
                    "ai.operationId": "ai.streamText.doStream",
                    "ai.model.id": "gpt-5-mini",
                    "ai.prompt.messages": json.dumps(
                        [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
                    ),
                    "ai.response.text": ANSWER,
                }
            ),
        ],
        inputs=ASKED,
    ),
    Example(
        convention="LangSmith",
        title="a traceable function",
        spans=[
            root(
                **{
                    "langsmith.span.kind": "chain",
                    "langsmith.trace.name": "answer",
                    "gen_ai.operation.name": "chain",
                    "gen_ai.prompt": json.dumps({"question": QUESTION}),
                    "gen_ai.completion": json.dumps({"output": ANSWER}),
                }
            )
        ],
        inputs={"question": QUESTION},
        outputs={"output": ANSWER},
    ),
    Example(
        convention="Google ADK",
        title="an invocation and its call of a model",
        spans=[
            root(**{"gen_ai.operation.name": "invoke_agent"}),
            call(
                {
                    "gen_ai.request.model": "gemini-3-flash",
                    "gcp.vertex.agent.llm_request": json.dumps(
                        {
                            "model": "gemini-3-flash",
                            "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
                        }
                    ),
                    "gcp.vertex.agent.llm_response": json.dumps(
                        {"content": {"role": "model", "parts": [{"text": ANSWER}]}}
                    ),
                }
            ),
        ],
        inputs={"model": "gemini-3-flash", "contents": ASKED},
        outputs={"role": "model", "content": ANSWER},
    ),
    Example(
        convention="Logfire",
        title="a call of OpenAI before 4.0",
        spans=[
            root(**{"logfire.msg": "chat request"}),
            call(
                {
                    "gen_ai.request.model": "gpt-5-mini",
                    "request_data": OPENAI_REQUEST,
                    "response_data": json.dumps({"message": ANSWERED[0], "usage": None}),
                }
            ),
        ],
        inputs={"messages": ASKED, "model": "gpt-5-mini"},
        outputs=ANSWERED[0],
    ),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.convention}: {each.title}")
def test_inputs_and_outputs_are_found(example: Example) -> None:
    trace = trace_of(*example.spans)
    assert (trace.inputs, trace.outputs) == (example.inputs, example.outputs)


def test_each_convention_has_an_example() -> None:
    assert {row.name for row in SPAN_CONVENTIONS} == {example.convention for example in EXAMPLES}


def test_the_first_convention_wins() -> None:
    span = root(
        **{
            "mlflow.spanInputs": '"third"',
            "gen_ai.input.messages": GENAI_INPUT,
            "input.value": "first",
            "output.value": "",
            "gen_ai.output.messages": GENAI_OUTPUT,
        }
    )
    trace = trace_of(span)
    assert (trace.inputs, trace.outputs) == ("first", ANSWERED)


def test_of_several_calls_below_a_silent_root_the_last_one_counts() -> None:
    def chat(name: str, start_ms: int, question: str, answer: str) -> TestSpan:
        attributes = {"openinference.span.kind": "LLM", "input.value": question, "output.value": answer}
        return call(attributes, name=name, start_ms=start_ms)

    trace = trace_of(
        root(**HTTP),
        chat("second", 50, QUESTION, ANSWER),
        chat("first", 10, "Which language?", "English"),
        call(
            {"openinference.span.kind": "TOOL", "input.value": "x", "output.value": "y"},
            name="tool",
            start_ms=90,
        ),
    )
    assert (trace.inputs, trace.outputs) == (QUESTION, ANSWER)


def test_a_root_that_streams_its_answer_has_it_from_the_last_call() -> None:
    llm = {"openinference.span.kind": "LLM", "input.value": "prompt", "output.value": ANSWER}
    trace = trace_of(root(**{"input.value": QUESTION}), call(llm))
    assert (trace.inputs, trace.outputs) == (QUESTION, ANSWER)


def test_a_run_that_failed_has_no_answer_of_a_call() -> None:
    llm = {"openinference.span.kind": "LLM", "input.value": "prompt", "output.value": "half"}
    failed = TestSpan(trace="t", name="root", attributes={"input.value": QUESTION}, error="timed out")
    trace = trace_of(failed, call(llm))
    assert (trace.inputs, trace.outputs) == (QUESTION, None)


def test_the_conversation_is_that_of_the_messages_with_the_system_s_first() -> None:
    trace = trace_of(
        root(
            **{
                "gen_ai.operation.name": "chat",
                "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
                "gen_ai.input.messages": GENAI_INPUT,
                "gen_ai.output.messages": GENAI_OUTPUT,
            }
        )
    )
    assert trace.conversation == [{"role": "system", "content": "Be kind."}, *ASKED, *ANSWERED]


def test_session_person_and_model_go_into_the_metadata() -> None:
    trace = trace_of(
        root(**{"session.id": "s-1", "user.id": "ana", "input.value": QUESTION}),
        call({"gen_ai.response.model": "gpt-5-mini-2026"}),
    )
    assert trace.metadata["session_id"] == "s-1"
    assert trace.metadata["user_id"] == "ana"
    assert trace.metadata["model"] == "gpt-5-mini-2026"
    assert trace.url is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        {"openinference.span.kind": "LLM", "input.value": "__REDACTED__", "output.value": "__REDACTED__"},
        {"gen_ai.request.model": "m", "request_data": json.dumps({"model": "gpt-5-mini"})},
        {"gen_ai.operation.name": "chat", "gen_ai.input.messages": "[]", "gen_ai.output.messages": ""},
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "__REDACTED__",
            "llm.output_messages.0.message.role": "assistant",
        },
    ],
    ids=["left out", "hidden by OpenInference", "a model's name alone", "empty", "hidden messages"],
)
def test_content_that_was_left_out_or_hidden_is_none(attributes: dict[str, Json]) -> None:
    assert not has_content(trace_of(root(**HTTP), call(attributes)))
