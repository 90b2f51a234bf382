"""Older, newer and rarer forms in which the conventions are written, as their pages and sources describe them."""

import json
from collections.abc import Mapping, Sequence

import pytest

from bot.ingest.span_assembly import has_content
from memalign.records import Json
from memalign.span_conventions import is_of_ai
from tests.bot.ingest.otlp import TestSpan
from tests.bot.ingest.test_span_conventions import (
    ANSWER,
    ANSWERED,
    ASKED,
    HTTP,
    QUESTION,
    call,
    root,
    trace_of,
)

Events = Sequence[tuple[str, Mapping[str, Json]]]
CALL_TURN = {"role": "assistant", "tool_calls": [{"name": "where", "arguments": {"parcel": "7"}}]}
RESULT_TURN = {"role": "tool", "name": "where", "content": "In Bonn."}
PNG = "iVBORw0KGgo" + "A" * 400
SYSTEM = {"role": "system", "content": "Be kind."}


def parts(*messages: tuple[str, Sequence[Json]]) -> str:
    return json.dumps([{"role": role, "parts": list(each)} for role, each in messages])


def text(words: str) -> dict[str, Json]:
    return {"type": "text", "content": words}


ATTRIBUTES: Mapping[str, tuple[Mapping[str, Json], Json, Json]] = {
    "AI SDK: tool calls alone": (
        {
            "ai.operationId": "ai.generateText",
            "ai.prompt": json.dumps({"messages": ASKED}),
            "ai.response.text": "",
            "ai.response.toolCalls": json.dumps(
                [
                    {
                        "toolCallType": "function",
                        "toolCallId": "c1",
                        "toolName": "where",
                        "args": '{"parcel":"7"}',
                    }
                ]
            ),
        },
        {"messages": ASKED},
        [CALL_TURN],
    ),
    "AI SDK 5 and later: words and tool calls": (
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.prompt.messages": json.dumps(ASKED),
            "ai.response.text": "One moment.",
            "ai.response.toolCalls": json.dumps(
                [{"toolCallId": "c1", "toolName": "where", "input": {"parcel": "7"}}]
            ),
        },
        ASKED,
        [{**CALL_TURN, "content": "One moment."}],
    ),
    "AI SDK: an object": (
        {"ai.prompt": json.dumps({"prompt": QUESTION}), "ai.response.object": json.dumps({"answer": ANSWER})},
        {"prompt": QUESTION},
        {"answer": ANSWER},
    ),
    "AI SDK before 4.0": (
        {"ai.prompt": json.dumps({"prompt": QUESTION}), "ai.result.text": ANSWER},
        {"prompt": QUESTION},
        ANSWER,
    ),
    "AI SDK before 4.0: an object": (
        {"ai.prompt": json.dumps({"prompt": QUESTION}), "ai.result.object": json.dumps({"answer": ANSWER})},
        {"prompt": QUESTION},
        {"answer": ANSWER},
    ),
    "AI SDK: a tool": (
        {
            "ai.toolCall.name": "where",
            "ai.toolCall.args": '{"parcel": "7"}',
            "ai.toolCall.result": '"In Bonn."',
        },
        {"parcel": "7"},
        "In Bonn.",
    ),
    "GenAI: tool turns": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": parts(
                ("user", [text(QUESTION)]),
                (
                    "assistant",
                    [{"type": "tool_call", "id": "c1", "name": "where", "arguments": {"parcel": "7"}}],
                ),
                ("tool", [{"type": "tool_call_response", "id": "c1", "response": "In Bonn."}]),
            ),
            "gen_ai.output.messages": parts(("assistant", [text(ANSWER)])),
        },
        [*ASKED, CALL_TURN, RESULT_TURN],
        ANSWERED,
    ),
    "GenAI 1.37: results of tools under their former name": (
        {
            "gen_ai.input.messages": parts(
                ("user", [text(QUESTION)]),
                (
                    "assistant",
                    [{"type": "tool_call", "id": "c1", "name": "where", "arguments": '{"parcel": "7"}'}],
                ),
                ("tool", [{"type": "tool_call_response", "id": "c1", "result": "In Bonn."}]),
            ),
            "gen_ai.output.messages": parts(("assistant", [text(ANSWER)])),
        },
        [*ASKED, CALL_TURN, RESULT_TURN],
        ANSWERED,
    ),
    "GenAI: a thought before the answer": (
        {
            "gen_ai.input.messages": parts(("user", [text(QUESTION)])),
            "gen_ai.output.messages": parts(
                ("assistant", [{"type": "reasoning", "content": "Hm."}, text(ANSWER)])
            ),
        },
        ASKED,
        [{"role": "assistant", "thinking": "Hm.", "content": ANSWER}],
    ),
    "GenAI: parts as typed values": (
        {
            "gen_ai.input.messages": [{"role": "user", "parts": [text(QUESTION)]}],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [text(ANSWER)], "finish_reason": "stop"}
            ],
        },
        ASKED,
        ANSWERED,
    ),
    "GenAI: a tool": (
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": '{"parcel": "7"}',
            "gen_ai.tool.call.result": "In Bonn.",
        },
        {"parcel": "7"},
        "In Bonn.",
    ),
    "Pydantic AI 1: a tool": (
        {"gen_ai.tool.name": "where", "tool_arguments": '{"parcel":"7"}', "tool_response": "In Bonn."},
        {"parcel": "7"},
        "In Bonn.",
    ),
    "Pydantic AI: an object as the result": (
        {
            "pydantic_ai.all_messages": parts(("user", [text(QUESTION)])),
            "final_result": json.dumps({"answer": ANSWER}),
        },
        ASKED,
        {"answer": ANSWER},
    ),
    "OpenInference: tool calls, flattened": (
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "where",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"parcel": "7"}',
        },
        ASKED,
        [CALL_TURN],
    ),
    "OpenInference: several contents": (
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": ANSWER,
        },
        ASKED,
        ANSWERED,
    ),
    "OpenInference: completions": (
        {
            "openinference.span.kind": "LLM",
            "llm.prompts.0.prompt.text": QUESTION,
            "llm.choices.0.completion.text": ANSWER,
        },
        [{"text": QUESTION}],
        [{"text": ANSWER}],
    ),
    "OpenLLMetry: tool calls, numbered": (
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.tool_calls.0.id": "c1",
            "gen_ai.completion.0.tool_calls.0.name": "where",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"parcel": "7"}',
        },
        ASKED,
        [CALL_TURN],
    ),
    "OpenLLMetry before its names were gen_ai": (
        {
            "llm.prompts.0.role": "user",
            "llm.prompts.0.content": QUESTION,
            "llm.completions.0.role": "assistant",
            "llm.completions.0.content": ANSWER,
        },
        ASKED,
        ANSWERED,
    ),
    "LangSmith: messages, numbered, in a message": (
        {
            "langsmith.span.kind": "llm",
            "gen_ai.prompt.0.message.role": "user",
            "gen_ai.prompt.0.message.content": QUESTION,
            "gen_ai.completion.0.message.role": "assistant",
            "gen_ai.completion.0.message.content": ANSWER,
        },
        ASKED,
        ANSWERED,
    ),
    "LangSmith: LangChain's serialised messages": (
        {
            "langsmith.span.kind": "llm",
            "gen_ai.prompt": json.dumps(
                {
                    "messages": [
                        [
                            {
                                "lc": 1,
                                "type": "constructor",
                                "id": ["langchain", "schema", "messages", "HumanMessage"],
                                "kwargs": {"content": QUESTION, "type": "human"},
                            }
                        ]
                    ]
                }
            ),
            "gen_ai.completion": json.dumps({"output": ANSWER}),
        },
        {"messages": [ASKED]},
        {"output": ANSWER},
    ),
    "Langfuse: the trace's own, beside the observation's": (
        {
            "langfuse.observation.input": '{"args": [1], "kwargs": {}}',
            "langfuse.observation.output": "null",
            "langfuse.trace.input": QUESTION,
            "langfuse.trace.output": json.dumps({"answer": ANSWER}),
        },
        QUESTION,
        {"answer": ANSWER},
    ),
    "MLflow: texts in quotes": (
        {"mlflow.spanInputs": json.dumps(QUESTION), "mlflow.spanOutputs": json.dumps(ANSWER)},
        QUESTION,
        ANSWER,
    ),
    "Logfire: a request of OpenAI's responses": (
        {
            "request_data": json.dumps({"model": "m", "messages": ASKED, "stream": True}),
            "response_data": json.dumps({"combined_chunk_content": ANSWER, "chunk_count": 3}),
        },
        {"model": "m", "messages": ASKED, "stream": True},
        {"combined_chunk_content": ANSWER, "chunk_count": 3},
    ),
}


@pytest.mark.parametrize("title", ATTRIBUTES)
def test_attributes_are_read_in_each_form(title: str) -> None:
    attributes, inputs, outputs = ATTRIBUTES[title]
    assert is_of_ai(attributes)
    trace = trace_of(root(**attributes))
    assert (trace.inputs, trace.outputs) == (inputs, outputs)
    below = trace_of(root(**HTTP), call(attributes))
    assert (below.inputs, below.outputs) == (inputs, outputs)


EVENTS: Mapping[str, Events] = {
    "Azure AI Inference, Semantic Kernel": [
        (
            "gen_ai.system.message",
            {"gen_ai.event.content": json.dumps({"role": "system", "content": "Be kind."})},
        ),
        ("gen_ai.user.message", {"gen_ai.event.content": json.dumps({"role": "user", "content": QUESTION})}),
        (
            "gen_ai.choice",
            {
                "gen_ai.event.content": json.dumps(
                    {"message": {"content": ANSWER}, "finish_reason": "stop", "index": 0}
                )
            },
        ),
    ],
    "OpenTelemetry 1.28 to 1.36": [
        ("gen_ai.system.message", {"content": "Be kind."}),
        ("gen_ai.user.message", {"content": QUESTION}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": json.dumps({"content": ANSWER})}),
    ],
    "parts of messages as structured values": [
        ("gen_ai.system.message", {"content": "Be kind."}),
        ("gen_ai.user.message", {"role": "user", "content": [{"type": "text", "text": QUESTION}]}),
        ("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": ANSWER}}),
    ],
    "an event with all, and one for each side": [
        (
            "gen_ai.client.inference.operation.details",
            {"gen_ai.system_instructions": json.dumps([text("Be kind.")])},
        ),
        (
            "gen_ai.client.inference.operation.details",
            {"gen_ai.input.messages": parts(("user", [text(QUESTION)]))},
        ),
        (
            "gen_ai.client.inference.operation.details",
            {"gen_ai.output.messages": parts(("assistant", [text(ANSWER)]))},
        ),
    ],
}


@pytest.mark.parametrize("title", EVENTS)
def test_events_are_read_in_each_form(title: str) -> None:
    chat = {"gen_ai.operation.name": "chat", "gen_ai.system": "some"}
    trace = trace_of(TestSpan(trace="t", name="root", attributes=chat, events=EVENTS[title]))
    assert trace.conversation == [SYSTEM, *ASKED, *ANSWERED]
    assert trace.outputs == ANSWERED
    assert not trace.spans[0].get("events")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    ],
    ids=["GenAI", "OpenAI", "Anthropic"],
)
def test_pictures_beside_the_question_become_placeholders(part: Json) -> None:
    messages = json.dumps([{"role": "user", "parts": [part, text(QUESTION)]}])
    trace = trace_of(root(**{"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages}))
    (turn,) = trace.inputs
    assert turn["content"].startswith("[picture: PNG")
    assert turn["content"].endswith(QUESTION)


@pytest.mark.parametrize(
    "instructions",
    [
        "Be kind.",
        json.dumps([text("Be kind.")]),
        [text("Be kind.")],
        json.dumps([{"type": "text", "text": "Be kind."}]),
    ],
    ids=["a text", "parts as JSON", "parts as values", "parts of OpenAI's"],
)
def test_system_instructions_come_first_in_the_conversation(instructions: Json) -> None:
    span = call(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": instructions,
            "gen_ai.input.messages": parts(("user", [text(QUESTION)])),
            "gen_ai.output.messages": parts(("assistant", [text(ANSWER)])),
        }
    )
    assert trace_of(root(**HTTP), span).conversation == [SYSTEM, *ASKED, *ANSWERED]


def test_a_system_prompt_beside_the_messages_of_the_ai_sdk_comes_first_too() -> None:
    span = root(
        **{
            "ai.prompt": json.dumps({"system": "Be kind.", "messages": ASKED}),
            "ai.response.text": ANSWER,
        }
    )
    assert trace_of(span).conversation == [SYSTEM, *ASKED, *ANSWERED]


@pytest.mark.parametrize(
    ("request_", "outputs"),
    [
        ({"ai.prompt": json.dumps({"prompt": QUESTION, "system": "Be kind."})}, {"ai.response.text": ANSWER}),
        (
            {"input.value": json.dumps({"model": "m", "input": QUESTION, "instructions": "Be kind."})},
            {"output.value": json.dumps({"id": "resp_1", "output": ANSWERED})},
        ),
    ],
    ids=["AI SDK", "OpenAI's responses"],
)
def test_a_question_in_words_is_a_conversation_and_no_older_call_takes_its_place(
    request_: dict[str, Json], outputs: dict[str, Json]
) -> None:
    older = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": parts(("user", [text("Hello?")]))}
    model = {"gen_ai.operation.name": "chat"}
    trace = trace_of(
        root(**HTTP),
        call({**older, "gen_ai.output.messages": parts(("assistant", [text("Hi.")]))}, name="older"),
        call({**model, **request_, **outputs}, name="last", start_ms=50),
    )
    assert trace.conversation == [SYSTEM, *ASKED, *ANSWERED]


def test_a_call_that_tells_its_question_alone_does_not_hide_the_one_that_answered() -> None:
    asked = {"openinference.span.kind": "LLM", "input.value": QUESTION}
    trace = trace_of(
        root(**HTTP),
        call({**asked, "output.value": ANSWER}, name="stream", start_ms=5),
        call({**asked, "input.value": "again"}, name="started only", start_ms=50),
    )
    assert (trace.inputs, trace.outputs) == (QUESTION, ANSWER)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"},
        {"openinference.span.kind": "EMBEDDING", "input.value": "a text", "embedding.model_name": "e"},
        {"llm.request.type": "embedding", "gen_ai.prompt.0.content": "a text"},
        {"ai.operationId": "ai.embedMany.doEmbed", "ai.model.id": "e", "ai.values": ["a text"]},
        {"langfuse.observation.type": "embedding", "langfuse.observation.input": "a text"},
        {"mlflow.spanType": '"EMBEDDING"', "mlflow.spanInputs": '"a text"'},
        {"langsmith.span.kind": "embedding", "gen_ai.prompt": "a text"},
        {"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "helper"},
        {"db.system": "postgresql", "db.statement": "select 1"},
        {"http.request.method": "GET", "url.path": "/healthz", "session.id": "s"},
        {"langfuse.environment": "production", "http.route": "/healthz"},
        {"traceloop.association.properties.user_id": "u", "http.route": "/healthz"},
        {"logfire.msg": "GET /healthz", "logfire.span_type": "span"},
        {"messaging.system": "kafka", "rpc.system": "grpc"},
    ],
)
def test_spans_in_which_nobody_is_asked_are_noise(attributes: dict[str, Json]) -> None:
    assert not is_of_ai(attributes)


def test_hidden_content_stays_missing_in_each_form() -> None:
    spans = [
        root(**HTTP),
        call({"gen_ai.operation.name": "chat", "gen_ai.output.messages": parts(("assistant", []))}),
    ]
    assert not has_content(trace_of(*spans))
