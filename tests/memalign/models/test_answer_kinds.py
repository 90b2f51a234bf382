"""The part of a model's answer that counts: kinds x samples, for a judge of yes or no, also in a message."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memalign.models.answer_reading import find_answer
from memalign.models.message_answer import answer_of_blocks, answer_of_chat
from memalign.models.prompts import distilling_schema, judging_schema
from memalign.records import Json
from memalign.value_types import value_type_of
from tests.memalign.models.answer_samples import KINDS, D, F

BOOL = value_type_of(bool)
SCHEMA = judging_schema(BOOL)
ROWS = [(kind, place) for kind, samples in KINDS.items() for place in range(len(samples))]


@pytest.mark.parametrize(("kind", "place"), ROWS)
def test_the_last_answer_outside_the_thinking_counts_and_no_doubtful_one(kind: str, place: int) -> None:
    text, value = KINDS[kind][place]
    answer = find_answer(text, SCHEMA)
    assert (None if answer is None else BOOL.parse(answer["value"])) is value


def test_there_are_enough_samples() -> None:
    assert len(ROWS) >= 120


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": D}]}


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ({"content": F, "reasoning_content": D}, False),
        ({"content": F, "reasoning": D}, False),
        ({"content": [THINKING, {"type": "text", "text": F}]}, False),
        ({"content": [{"type": "text", "text": F[:12]}, {"type": "text", "text": F[12:]}]}, False),
        ({"content": [F]}, False),
        ({"content": [{"text": D, "thought": True}]}, None),
        ({"content": [{"text": F}, {"type": "text", "text": D, "thought": True}]}, False),
        ({"content": json.loads(F)}, False),
        ({"content": "", "reasoning_content": F}, False),
        ({"content": None, "reasoning": f"```json\n{F}\n```"}, False),
        ({"content": None, "reasoning_content": f"Perhaps {D}? No."}, None),
        ({"content": "I do not know.", "reasoning_content": D}, None),
        ({"content": [THINKING]}, None),
        ({"content": None, "tool_calls": [{"function": {"name": "answer", "arguments": F}}]}, False),
        ({"content": D, "tool_calls": [{"function": {"name": "answer", "arguments": json.loads(F)}}]}, False),
        ({"content": None, "function_call": {"arguments": F}}, False),
        ({"content": None, "refusal": "I can not."}, None),
        (None, None),
    ],
)
def test_a_message_is_read_by_what_is_said_in_it(message: Json, value: bool | None) -> None:
    answer = answer_of_chat(message, SCHEMA, SCHEMA)
    assert (answer and answer["value"]) is value


def test_a_field_for_reasoning_counts_only_where_a_schema_was_asked_for() -> None:
    assert answer_of_chat({"content": "", "reasoning_content": F}, SCHEMA, None) is None


@pytest.mark.parametrize(
    ("blocks", "value"),
    [
        ([{"type": "thinking", "thinking": D}, {"type": "text", "text": F}], False),
        ([{"type": "text", "text": D}, {"type": "tool_use", "input": json.loads(F)}], False),
        ([{"type": "tool_use", "input": {"nothing": 1}}, {"type": "text", "text": F}], False),
        ([{"type": "redacted_thinking", "data": D}], None),
        ([{"type": "tool_use", "input": F}], False),
        ([{"type": "tool_use", "input": {"answer": F}}], False),
        ([{"text": D, "thought": True}], None),
        (None, None),
    ],
)
def test_blocks_are_read_by_what_is_said_in_them(blocks: Json, value: bool | None) -> None:
    answer = answer_of_blocks(blocks, SCHEMA)
    assert (answer and answer["value"]) is value


DRAFT = {"text": "Greet first.", "records": [0]}


@pytest.mark.parametrize(
    ("text", "guidelines"),
    [
        ('{"guidelines": []}', []),
        (json.dumps({"guidelines": [DRAFT], "supports": None}), [DRAFT]),
        ('{"guidelines": [{"text": "Greet first.", "records": [0],},],}', [DRAFT]),
        ("{'guidelines': [{'text': 'Greet first.', 'records': [0]}]}", [DRAFT]),
        ('{"supports": [{"rule": 0, "records": [1]}]}', []),
        (json.dumps({"guidelines": [DRAFT], "supports": "none", "same": {}}), [DRAFT]),
        (json.dumps({"guidelines": DRAFT}), [DRAFT]),
        ('{"guidelines": {}}', []),
        (f'{{"guidelines": [{json.dumps(DRAFT)},]}}', [DRAFT]),
        (f"{{'guidelines': [{json.dumps(DRAFT)}, {json.dumps(DRAFT)}]}}", [DRAFT, DRAFT]),
        ('<think>{"guidelines": []}</think>' + json.dumps({"guidelines": [DRAFT]}), [DRAFT]),
        ('{"guidelines": [{"text": "Greet first.", "records": [0]}, {"text": "Never sen', None),
        ('{"guidelines": [{"records": [0], "text": "Never sen', None),
        ('{"type": "object", "properties": {"guidelines": {"type": "array"}}}', None),
        ('{"guidelines": "none"}', None),
        ("none", None),
        ("{}", None),
    ],
)
def test_a_distillation_may_lack_lists_but_is_never_cut(text: str, guidelines: Json) -> None:
    answer = find_answer(text, distilling_schema())
    assert (None if answer is None else answer["guidelines"]) == guidelines


FLOAT = value_type_of(float)


@pytest.mark.parametrize(
    ("written", "value"), [("0,85", None), ("1,5", None), (".85", 0.85), ("+.5", 0.5), ("1.", 1.0)]
)
def test_a_number_without_quotation_marks_is_read_whole_or_not(written: str, value: float | None) -> None:
    answer = find_answer(f'{{"rationale": "a", "value": {written}}}', judging_schema(FLOAT))
    assert (None if answer is None else FLOAT.parse(answer["value"])) == value


FRAGMENTS = st.sampled_from(
    [D, F, "<think>", "</think>", "{", "}", '"', "value", ":", "true", "\\", "```", "\ud83d"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=30).map("".join))
def test_whatever_is_answered_is_read_or_not(text: str) -> None:
    for schema in (SCHEMA, distilling_schema(), judging_schema(value_type_of(int, (1, 5)))):
        answer = find_answer(text, schema)
        json.dumps(answer, ensure_ascii=False).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from([D, F]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "text", "type", "value", "tool_calls", "function"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_whatever_a_message_is_it_is_read_or_not(message: Json) -> None:
    for schema in (SCHEMA, distilling_schema()):
        for answer in (answer_of_chat(message, schema, schema), answer_of_blocks(message, schema)):
            assert answer is None or isinstance(answer, dict)
