"""The card read from top to bottom: verdict, question, answer, reason, small print, buttons that say their value."""

from dataclasses import replace

import pytest

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.primitives import Block
from memalign.models.local.explanations import NO_LANGUAGE_MODEL
from memalign.records import Label, Verdict
from memalign.value_types import FeedbackValueType
from storage.records import StoredVerdict
from tests.factories import a_judge, a_trace

CATEGORIES = ["polite", "rude", "neither one nor the other"]


def shown(
    value: Label = False,
    value_type: FeedbackValueType = bool,
    title: str = "Answers the question",
    rationale: str = "It dodges.",
    model: str = "openai:/gpt-5-mini",
) -> CardVerdict:
    verdict = Verdict(
        trace_id="tr-1", judge="j", value=value, rationale=rationale, retrieved_trace_ids=("a", "b", "c")
    )
    stored = StoredVerdict(verdict_id=f"v-{title}", verdict=verdict, judged_ms=1, channel="C")
    judge = a_judge(value_type=value_type, model=model)
    return CardVerdict(stored=stored, judge=judge, title=title)


def texts(block: Block) -> list[str]:
    return [run["text"] for part in block["elements"] for run in part["elements"]]


def test_verdict_question_answer_reason_and_small_print_stand_in_this_order() -> None:
    trace = a_trace(inputs={"question": "What is the capital of Australia?"}, outputs="Sydney.")
    headline, body, small_print, buttons = verdict_card([shown()], trace).blocks
    assert headline["text"]["text"] == "❌ *Fail* · Answers the question"
    assert texts(body) == ["What is the capital of Australia?", "Sydney.", "It dodges."]
    assert body["elements"][0]["elements"][0]["style"] == {"bold": True}
    assert small_print["elements"][0]["text"] == (
        "gpt-5-mini · 3 similar cases · shown as it came in · Trace tr-1"
    )
    assert [each["action_id"] for each in buttons["elements"]] == [
        "vote_up",
        "vote_down",
        "vote_unsure",
        "why",
        "show_all",
    ]


@pytest.mark.parametrize(
    ("value", "value_type", "headline", "up", "down"),
    [
        (True, bool, "✅ *Pass* · T", "👍 Right, it passes", "👎 No, it fails"),
        (False, bool, "❌ *Fail* · T", "👍 Right, it fails", "👎 No, it passes"),
        ("polite", CATEGORIES, "*Polite* · T", "👍 Right: polite", "👎 Not polite"),
        (CATEGORIES[2], CATEGORIES, f"*N{CATEGORIES[2][1:]}* · T", "👍 Right", "👎 Another value"),
        (2, int, "*2* · T", "👍 Right: 2", "👎 Another value"),
        (0.5, float, "*0.5* · T", "👍 Right: 0.5", "👎 Another value"),
        ("terse", str, "*Terse* · T", "👍 Right", "👎 Another value"),
    ],
)
def test_headline_and_buttons_say_the_value(
    value: Label, value_type: FeedbackValueType, headline: str, up: str, down: str
) -> None:
    card = verdict_card([shown(value, value_type, title="T")], a_trace())
    assert card.blocks[0]["text"]["text"] == headline
    labels = [each["text"]["text"] for each in card.blocks[-1]["elements"]]
    assert labels[:3] == [up, down, "🤷"]


def test_the_notification_begins_with_the_question() -> None:
    trace = a_trace(inputs="What is the\ncapital of Australia?")
    assert verdict_card([shown()], trace).text == (
        "“What is the capital of Australia?” Fail · Answers the question"
    )
    assert verdict_card([shown()], a_trace(inputs={"a": 1})).text == "Fail · Answers the question"


def test_an_offline_judge_is_named_in_the_small_print_alone() -> None:
    rationale = f"Leans to “fail”. {NO_LANGUAGE_MODEL}"
    card = verdict_card([shown(rationale=rationale, model="local:/cases")], a_trace())
    assert texts(card.blocks[1])[-1] == "Leans to “fail”."
    assert card.blocks[2]["elements"][0]["text"].startswith("offline model, no language model · 3 similar")
    assert str(card.blocks).count("language model") == 1


def test_a_question_and_a_reason_that_are_too_long_are_cut_at_a_word() -> None:
    card = verdict_card(
        [shown(rationale=("reason " * 100).strip())], a_trace(inputs=("question " * 40).strip(), outputs="a")
    )
    question, more_question, _, reason, more_reason = texts(card.blocks[1])
    assert question.endswith("question")
    assert len(question) <= 80
    assert reason.endswith("reason")
    assert more_question == f" … {40 * 9 - 1 - len(question)} more characters"
    assert more_reason == f" … {699 - len(reason)} more characters"


def test_what_was_sent_beside_the_question_is_there_too() -> None:
    inputs = {"page_title": "Parks", "question": "Which parks are open?"}
    body = verdict_card([shown()], a_trace(inputs=inputs, outputs="All.")).blocks[1]
    assert texts(body) == ["Which parks are open?", "page_title", ": Parks", "All.", "It dodges."]


def test_in_a_chat_the_last_question_is_asked_and_the_turns_before_it_are_turns() -> None:
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "Where?"},
    ]
    body = verdict_card([shown()], a_trace(inputs=turns, outputs="Here.")).blocks[1]
    assert texts(body) == ["Where?", "User", ": Hello\n", "Assistant", ": Hi!", "Here.", "It dodges."]


def test_two_judges_share_a_card_with_a_line_and_buttons_each() -> None:
    card = verdict_card([shown(True, title="Polite"), shown(False, title="True")], a_trace())
    assert card.blocks[0]["text"]["text"] == "✅ *Pass* · Polite\n❌ *Fail* · True"
    rows = [block["block_id"] for block in card.blocks if block["type"] == "actions"]
    assert rows == ["v-Polite", "v-True"]


def test_a_link_to_the_trace_stands_beside_its_id() -> None:
    trace = replace(a_trace(), url="https://tool.example/t?a=1&b=2")
    small_print = verdict_card([shown()], trace).blocks[2]["elements"][0]["text"]
    assert small_print.endswith("Trace tr-1 · <https://tool.example/t?a=1&amp;b=2|open it>")


@pytest.mark.parametrize(
    ("inputs", "beside"),
    [
        ({"question": "Who?", "k": 3, "strict": True}, ["k", ": 3\n", "strict", ": true"]),
        ({"page": "Parks\nand more", "question": "Who?"}, ["page", ": Parks\nand more"]),
    ],
)
def test_the_question_is_not_said_twice(inputs: dict[str, object], beside: list[str]) -> None:
    body = verdict_card([shown()], a_trace(inputs=inputs, outputs="I.")).blocks[1]
    assert texts(body) == ["Who?", *beside, "I.", "It dodges."]


@pytest.mark.parametrize("length", [81, 100, 104])
def test_a_question_that_is_hardly_too_long_is_whole(length: int) -> None:
    question = ("word " * 30)[:length].strip()
    assert texts(verdict_card([shown()], a_trace(inputs=question, outputs="a")).blocks[1])[0] == question


@pytest.mark.parametrize(("reason", "lines"), [("Short.", 5), ("word " * 30, 4)])
def test_the_answer_has_the_lines_that_the_reason_leaves(reason: str, lines: int) -> None:
    answer = "\n".join(f"Line {number}" for number in range(20))
    body = verdict_card([shown(rationale=reason)], a_trace(outputs=answer)).blocks[1]
    [excerpt] = [text for text in texts(body) if text.startswith("Line 0")]
    assert len(excerpt.split("\n")) == lines


def test_an_answer_of_one_line_more_is_whole() -> None:
    answer = "\n".join(f"Line {number}" for number in range(6))
    assert answer in texts(verdict_card([shown()], a_trace(outputs=answer)).blocks[1])
