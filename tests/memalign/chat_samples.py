"""Recorded shapes of one conversation, as libraries and services write it, with a picture and a call of a tool."""

import base64
import json

from memalign.records import Json

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
PICTURE = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{PICTURE}"
QUESTION = "Which error is this?"
ARGUMENTS = {"code": "E42"}
RESULT = "E42 is a full disk"
ANSWER = "The disk is full."

_OPENAI: Json = [
    {"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": DATA_URL}}, {"type": "text", "text": QUESTION}]},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": json.dumps(ARGUMENTS)}}]},
    {"role": "tool", "tool_call_id": "c1", "content": RESULT},
    {"role": "assistant", "content": ANSWER},
]  # fmt: skip
_LANGCHAIN: Json = [
    {"type": "human", "content": [
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": PICTURE},
        {"type": "text", "text": QUESTION}]},
    {"type": "ai", "content": "", "tool_calls": [{"name": "lookup", "args": ARGUMENTS, "id": "c1"}]},
    {"type": "tool", "content": RESULT, "tool_call_id": "c1"},
    {"type": "ai", "content": ANSWER},
]  # fmt: skip
_OTEL: Json = [
    {"role": "user", "parts": [
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": PICTURE},
        {"type": "text", "content": QUESTION}]},
    {"role": "assistant", "parts": [
        {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": ARGUMENTS}], "finish_reason": "tool_call"},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": RESULT}]},
    {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"},
]  # fmt: skip

CONVERSATIONS: dict[str, Json] = {
    "haystack": [
        {"role": "user", "content": [
            {"image": {"base64_image": PICTURE, "mime_type": "image/png"}}, {"text": QUESTION}]},
        {"role": "assistant", "content": [
            {"tool_call": {"tool_name": "lookup", "arguments": ARGUMENTS, "id": "c1"}}]},
        {"role": "tool", "content": [{"tool_call_result": {
            "result": RESULT, "error": False,
            "origin": {"tool_name": "lookup", "arguments": ARGUMENTS, "id": "c1"}}}]},
        {"role": "assistant", "content": [{"text": ANSWER}]},
    ],
    "llamaindex": [
        {"role": "user", "blocks": [
            {"block_type": "image", "image": PICTURE, "image_mimetype": "image/png"},
            {"block_type": "text", "text": QUESTION}]},
        {"role": "assistant", "blocks": [], "additional_kwargs": {}, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": json.dumps(ARGUMENTS)}}]},
        {"role": "tool", "blocks": [{"block_type": "text", "text": RESULT}], "tool_call_id": "c1"},
        {"role": "assistant", "blocks": [{"block_type": "text", "text": ANSWER}]},
    ],
    "openai": _OPENAI,
    "openai request": {"model": "gpt-5", "temperature": 1, "messages": _OPENAI},
    "openai in a text": json.dumps({"messages": _OPENAI}),
    "openai functions": [
        _OPENAI[0],
        {"role": "assistant", "content": None,
         "function_call": {"name": "lookup", "arguments": json.dumps(ARGUMENTS)}},
        {"role": "function", "name": "lookup", "content": RESULT},
        _OPENAI[3],
    ],
    "openai responses": [
        {"role": "user", "content": [
            {"type": "input_image", "image_url": DATA_URL}, {"type": "input_text", "text": QUESTION}]},
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": json.dumps(ARGUMENTS)},
        {"type": "function_call_output", "call_id": "c1", "output": RESULT},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]},
    ],
    "anthropic": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
            {"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "c1", "name": "lookup", "input": ARGUMENTS}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": RESULT}]}]},
        {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]},
    ],
    "bedrock": [
        {"role": "user", "content": [
            {"image": {"format": "png", "source": {"bytes": PICTURE}}}, {"text": QUESTION}]},
        {"role": "assistant", "content": [
            {"toolUse": {"toolUseId": "c1", "name": "lookup", "input": ARGUMENTS}}]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "c1", "content": [{"text": RESULT}], "status": "success"}}]},
        {"role": "assistant", "content": [{"text": ANSWER}]},
    ],
    "gemini": {"contents": [
        {"role": "user", "parts": [
            {"inline_data": {"mime_type": "image/png", "data": PICTURE}}, {"text": QUESTION}]},
        {"role": "model", "parts": [{"function_call": {"name": "lookup", "args": ARGUMENTS}}]},
        {"role": "user", "parts": [{"function_response": {"name": "lookup", "response": {"result": RESULT}}}]},
        {"role": "model", "parts": [{"text": ANSWER}]},
    ]},
    "gemini in camel case": {"contents": [
        {"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": PICTURE}}, {"text": QUESTION}]},
        {"role": "model", "parts": [{"functionCall": {"name": "lookup", "args": ARGUMENTS}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "lookup", "response": {"result": RESULT}}}]},
        {"role": "model", "parts": [{"text": ANSWER}]},
    ]},
    "langchain": _LANGCHAIN,
    "langchain batch": {"messages": [_LANGCHAIN]},
    "langchain with data": [
        {"type": message["type"], "data": {name: part for name, part in message.items() if name != "type"}}
        for message in _LANGCHAIN
    ],
    "langchain constructors": [
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind], "kwargs": message}
        for kind, message in zip(
            ("HumanMessage", "AIMessage", "ToolMessage", "AIMessageChunk"), _LANGCHAIN, strict=True)
    ],
    "vercel models": [
        {"role": "user", "content": [
            {"type": "image", "image": PICTURE, "mediaType": "image/png"}, {"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "c1", "toolName": "lookup", "input": ARGUMENTS}]},
        {"role": "tool", "content": [
            {"type": "tool-result", "toolCallId": "c1", "toolName": "lookup",
             "output": {"type": "text", "value": RESULT}}]},
        {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]},
    ],
    "vercel interface": [
        {"id": "1", "role": "user", "parts": [
            {"type": "file", "mediaType": "image/png", "url": DATA_URL}, {"type": "text", "text": QUESTION}]},
        {"id": "2", "role": "assistant", "parts": [
            {"type": "step-start"},
            {"type": "tool-lookup", "toolCallId": "c1", "state": "output-available", "input": ARGUMENTS,
             "output": RESULT},
            {"type": "text", "text": ANSWER}]},
    ],
    "opentelemetry": _OTEL,
    "opentelemetry in a text": json.dumps(_OTEL),
    "openinference": [
        {"message": {"role": "user", "contents": [
            {"message_content": {"type": "image", "image": {"image": {"url": DATA_URL}}}},
            {"message_content": {"type": "text", "text": QUESTION}}]}},
        {"message": {"role": "assistant", "tool_calls": [
            {"tool_call": {"id": "c1", "function": {"name": "lookup", "arguments": json.dumps(ARGUMENTS)}}}]}},
        {"message": {"role": "tool", "tool_call_id": "c1", "content": RESULT}},
        {"message": {"role": "assistant", "content": ANSWER}},
    ],
}  # fmt: skip
