"""Traces of any shape, made of the names that libraries use: they are read, and to read them twice changes nothing."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.trace_reading import parts_of
from memalign.embedded_text import text_of
from memalign.records import Json, Trace
from memalign.spans import span_tree
from memalign.template import VARIABLES, fields_of
from memalign.trace_content import content_of

NAMES = st.sampled_from([
    "role", "content", "parts", "type", "text", "name", "id", "tool_calls", "tool_call", "function", "arguments",
    "kwargs", "data", "message", "messages", "source", "inline_data", "mime_type", "image_url", "url", "stopped",
    "thinking", "tool_call_id", "from", "value", "choices", "finish_reason", "functionCall", "toolUse", "output",
    "result", "span_id", "parent_id", "attributes", "events", "status", "code", "start_time", "inputs", "outputs",
    "exceptions", "children", "error", "key", "stringValue", "context", "start_ms", "mlflow.spanInputs", "audio",
])  # fmt: skip
WORDS = st.sampled_from([
    "user", "assistant", "tool", "text", "tool_use", "tool_result", "function_call", "image", "human", "ai", "system",
    "constructor", "HumanMessage", "message", "reasoning", "thinking", "[]", "{}", '{"role": "user", "content": "x"}',
    '[{"role": 7}]', "", " ", "[picture: PNG]", "length", "1", "2026-01-01", "file", "tool-x", "exception",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_any_value_is_read_and_stays_as_it_was_read(value: Json) -> None:
    once = content_of(value)

    assert content_of(once) == once
    json.dumps(once)


@pytest.mark.parametrize(
    "status", [{"message": "slow"}, "ok", {"code": "OK", "message": "slow"}, "ERROR", None]
)
def test_a_tree_of_spans_stays_as_it_was_read(status: Json) -> None:
    tree = span_tree([{"name": "a", "status": status, "statusMessage": "slow", "output": '{"answer": "x"}'}])

    assert span_tree(tree) == tree


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VALUES, max_size=4), VALUES)
def test_any_trace_is_read_and_shown(spans: list[Json], value: Json) -> None:
    json.dumps(span_tree(span_tree(spans)))

    trace = Trace(trace_id="t", inputs=value, outputs=value, conversation=value, spans=tuple(spans))
    assert all(isinstance(part, str) for part in text_of(fields_of(trace, VARIABLES)))
    assert all(part.excerpt_blocks(6) for part in parts_of(trace))
