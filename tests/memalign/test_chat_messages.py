"""Chat messages of common libraries and services: each is read alike, in prompts, embeddings and cards."""

import json

import pytest

from bot.blocks.trace_reading import parts_of
from memalign.embedded_text import text_of
from memalign.messages import read_messages
from memalign.records import Json
from memalign.template import fields_of
from tests.factories import a_trace
from tests.memalign.chat_samples import ANSWER, ARGUMENTS, CONVERSATIONS, PICTURE, QUESTION, RESULT
from tests.memalign.prompt_text import record_text


def turns_in(value: Json) -> list[Json]:
    if isinstance(value, dict) and "role" in value:
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [turn for each in inner for turn in turns_in(each)]


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_roles_words_calls_and_results_stay(form: str) -> None:
    fields = fields_of(a_trace(inputs=CONVERSATIONS[form]), ("inputs",))
    turns = turns_in(fields["inputs"])

    assert turns[0]["role"] == "user"
    assert turns[0]["content"].startswith("[picture: PNG, 10 KB]")
    assert turns[0]["content"].endswith(QUESTION)
    (call,) = [call for turn in turns for call in turn.get("tool_calls", ())]
    assert call == {"name": "lookup", "arguments": ARGUMENTS}
    (result,) = [turn for turn in turns if turn["role"] == "tool"]
    assert result["name"] == "lookup"
    assert RESULT in json.dumps(result["content"])
    assert any(turn.get("content") == ANSWER and turn["role"] in ("assistant", "model") for turn in turns)


BESIDE: dict[str, dict[str, Json]] = {
    "ollama": {"images": [PICTURE]},
    "vercel attachments": {"experimental_attachments": [
        {"name": "a.png", "contentType": "image/png", "url": f"data:image/png;base64,{PICTURE}"}]},
    "attachments": {"attachments": [{"type": "image", "mimeType": "image/png", "data": PICTURE}]},
}  # fmt: skip


@pytest.mark.parametrize("form", BESIDE)
def test_media_beside_the_words_are_placeholders_in_the_turn(form: str) -> None:
    fields = fields_of(a_trace(inputs=[{"role": "user", "content": QUESTION, **BESIDE[form]}]), ("inputs",))
    assert fields["inputs"] == [{"role": "user", "content": f"{QUESTION}\n[picture: PNG, 10 KB]"}]


def test_the_tools_of_a_request_stay() -> None:
    tools = [{"type": "function", "function": {"name": "lookup", "parameters": {}}}]
    assert read_messages({"messages": [{"role": "user", "content": "Hi"}], "tools": tools}) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": tools,
    }


def test_a_refusal_without_words_is_said() -> None:
    message = {"role": "assistant", "content": [], "stop_reason": "refusal"}
    assert read_messages(message) == {"role": "assistant", "content": "", "stopped": "refusal"}


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_prompt_embedding_and_card_show_the_same_turns(form: str) -> None:
    trace = a_trace(inputs=CONVERSATIONS[form])
    fields = fields_of(trace, ("inputs", "outputs"))
    card = parts_of(trace)[0]

    for text in (record_text(fields), "\n".join(text_of(fields)), card.text):
        assert PICTURE[:40] not in text
        for words in (QUESTION, ANSWER, "lookup", RESULT, "[picture: PNG, 10 KB]"):
            assert words in text
    assert QUESTION in card.question


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_turns_that_were_read_stay_as_they_are(form: str) -> None:
    turns = fields_of(a_trace(inputs=CONVERSATIONS[form]), ("inputs",))["inputs"]

    assert read_messages(turns) == turns


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ({"role": "assistant", "content": "Go away."}, "Go away."),
        ({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}, "Hi"),
        (
            {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}]},
            "assistant: Hi\n(assistant was stopped: length)",
        ),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}, "Hi"),
        ({"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}, "Hi"),
        ([{"role": "developer", "content": "Be brief."}], "developer: Be brief."),
        ([{"role": "system", "content": "S"}, {"role": "user", "content": "U"}], "system: S\nuser: U"),
        ({"messages": [["system", "S"], ["human", "U"]]}, "system: S\nuser: U"),
        ([{"from": "human", "value": "U"}, {"from": "gpt", "value": "A"}], "user: U\nassistant: A"),
        ([{"role": "USER", "message": "U"}], "USER: U"),
        ({"role": "assistant", "content": None, "refusal": "I will not."}, "I will not."),
        (
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "A"}]},
            "assistant thinks: hm\nassistant: A",
        ),
        ({"role": "assistant", "reasoning_content": "hm", "content": "A"}, "assistant thinks: hm\nassistant: A"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
            "user: [picture: https://example.com/a.png]",
        ),
        (
            {"role": "user", "content": [{"type": "tool_result", "content": "no", "is_error": True}]},
            "tool: (error) no",
        ),
        ([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
    ],
)  # fmt: skip
def test_messages_are_shown_as_people_read_them(message: Json, shown: str) -> None:
    assert parts_of(a_trace(inputs=message))[0].text.casefold() == shown.casefold()


@pytest.mark.parametrize(
    "value",
    [
        {"role": "engineer", "name": "ana"},
        [{"role": "boss", "team": "a"}, {"role": "clerk", "team": "b"}],
        {"type": "text", "n": 1},
        {"type": "human", "age": 40},
        ["user", "question"][:1],
        {"from": "Berlin", "value": "12"},
        {"content": "only content"},
        '{"role": "a text of JSON"',
        {"message": "just a text"},
        [{"type": "function", "function": {"name": "lookup", "parameters": {}}}, 7],
    ],
)
def test_what_is_no_message_stays_as_it_is(value: Json) -> None:
    assert read_messages(value) == value


def test_the_question_stays_while_something_longer_is_left() -> None:
    turns = [
        {"role": "system", "content": "Answer from the manual. " * 4_000},
        {"role": "user", "content": QUESTION},
        {"role": "tool", "name": "manual", "content": "A page of the manual. " * 8_000},
    ]
    trace = a_trace(inputs={"messages": turns}, outputs="word " * 20_000)
    fields = fields_of(trace, ("inputs", "outputs"))

    for text in (record_text(fields), "\n".join(text_of(fields))):
        assert QUESTION in text
    assert parts_of(trace)[0].question == QUESTION


def test_bedrocks_reasoning_is_thinking() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    assert read_messages({"role": "assistant", "content": [thought, {"text": "No"}]}) == {
        "role": "assistant",
        "thinking": "hm",
        "content": "No",
    }
