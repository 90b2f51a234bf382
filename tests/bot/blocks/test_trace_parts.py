"""A trace on a card and in a modal: its own words, byte for byte, in blocks that Slack takes."""

import json
from collections.abc import Iterator

import pytest

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.excerpt import count_lines
from bot.blocks.primitives import Block
from bot.blocks.rich_text import rich_text
from bot.blocks.tables import Table
from bot.blocks.trace_modal import trace_view
from bot.blocks.trace_parts import PAGE_LENGTH, TracePart, text_pages
from bot.blocks.trace_reading import trace_part
from bot.sandbox.web_api.block_checks import check_message_blocks
from bot.sandbox.web_api.view_rules import normalize_view
from memalign.records import Json, Verdict
from storage.records import StoredVerdict
from tests.factories import a_judge, a_trace

CODE = 'Use this:\n\n```python\nwith open("a.txt") as f:\n\tfor x in f:\n        print(x > 1)\n```\n\nand `that`.\n'
TEXTS = {
    "markup": "*not bold* _nor this_ ~nor that~ `code` :tada: > 1 &amp; <b>",
    "mentions": "<!channel> <@U123> <!subteam^S1> @here #general",
    "links": "<https://evil.example|bank> [here](https://evil.example) https://a.b",
    "a table": "| a | b |\n|---|---|\n| 1 | 2 |\n# Heading\n- item",
    "code in a fence": CODE,
    "two fences": "```\na\n```\n```sh\nb\n```",
    "a fence alone": "```\n\n  x\n\n```",
    "a fence that is never closed": "see\n```python\nx = 1\n",
    "a fence in one line": "```x = 1``` and ```y```",
    "blank lines and indentation": "\n\n  a\n\n\n\tb  \n \n",
    "quotes": ">a\n> b\n&gt; c",
    "other scripts": "שלום, עולם! 你好 é e\u0301 👩\u200d💻",
    "one letter": "x",
}
STRUCTURES: dict[str, Json] = {
    "a tool call": {"user": {"id": 7, "tags": ["a<b", "*c*"]}, "ok": True},
    "a list": [1, "<!here>", None, {"deep": {"deeper": "```"}}],
    "numbers": [[1.5, -2], [0, 1e3]],
}


def runs(blocks: Json) -> Iterator[Block]:
    """Yield the runs of text in blocks, in the order shown."""
    if isinstance(blocks, dict):
        if blocks.get("type") == "text":
            yield blocks
        for part in blocks.values():
            yield from runs(part)
    elif isinstance(blocks, list | tuple):
        for part in blocks:
            yield from runs(part)


def quoted_text(*blocks: Block) -> str:
    """Return what stands in the quotations and the preformatted parts of blocks, without the bot's own notes."""
    parts = [part for block in blocks for part in block["elements"] if part["type"] != "rich_text_section"]
    return "".join(run["text"] for run in runs(parts) if run.get("style") != {"italic": True})


def excerpt(part: TracePart, lines: int = 20) -> Block:
    pieces = part.excerpt_blocks(lines)
    return rich_text(*(piece for piece in pieces if isinstance(piece, dict)))


def shown(rationale: str = "Because.") -> CardVerdict:
    verdict = Verdict(trace_id="tr-1", judge="politeness", value=True, rationale=rationale)
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=1, channel="C")
    return CardVerdict(stored=stored, judge=a_judge(), title="Polite")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_shown_byte_for_byte(text: str) -> None:
    part = trace_part("Input", text)
    assert part.text == text
    assert quoted_text(*part.whole_blocks()).encode() == text.encode()
    if not any(isinstance(piece, Table) for piece in part.excerpt_blocks(20)):
        assert quoted_text(excerpt(part)).encode() == text.encode()


@pytest.mark.parametrize("value", STRUCTURES.values(), ids=STRUCTURES)
def test_json_keeps_its_values_and_is_indented_in_letters_of_equal_widths(value: Json) -> None:
    block = excerpt(trace_part("Output", value))
    assert block["elements"][0]["type"] == "rich_text_preformatted"
    assert json.loads(quoted_text(block)) == value
    assert quoted_text(block) == json.dumps(value, ensure_ascii=False, indent=2)


def test_code_of_a_text_stands_in_letters_of_equal_widths() -> None:
    kinds = [part["type"] for part in excerpt(trace_part("Output", CODE))["elements"]]
    assert kinds == ["rich_text_quote", "rich_text_preformatted", "rich_text_quote"]


@pytest.mark.parametrize("text", ["", " \n\t", "\x07"])
def test_a_text_of_nothing_is_said_to_be_empty(text: str) -> None:
    assert quoted_text(excerpt(trace_part("Input", text))) == "(empty)"


def test_what_hides_or_turns_text_is_taken_out() -> None:
    assert (
        quoted_text(excerpt(trace_part("Input", "ad\u200bmin \u202egnp.exe\x1b[31m"))) == "admin gnp.exe[31m"
    )


def bold(block: Block) -> list[str]:
    parts = [part for part in block["elements"] if part["type"] != "rich_text_section"]
    return [run["text"] for run in runs(parts) if run.get("style") == {"bold": True}]


def test_turns_of_a_chat_begin_with_who_speaks() -> None:
    turns: Json = [
        {"role": "user", "content": "Help?\nuser: not I"},
        {"role": "tool", "name": "search", "content": "nothing"},
        {"role": "assistant", "content": "No: sorry."},
    ]
    part = trace_part("Input", turns)
    block = excerpt(part)
    assert quoted_text(block) == part.text
    assert bold(block) == ["User", "Tool search", "Assistant"]


def test_fields_begin_with_their_names() -> None:
    block = excerpt(trace_part("Input", {"page_title": "Parks", "a.*": "x: y"}))
    assert quoted_text(block) == "page_title: Parks\na.*: x: y"
    assert bold(block) == ["page_title", "a.*"]


@pytest.mark.parametrize(
    "text",
    ["word " * 500, "\n".join(map(str, range(8))), "x" * 641, "```\n" + "x = 1\n" * 9 + "```"],
    ids=["words", "lines", "one long word", "code"],
)
def test_a_card_says_how_much_it_leaves_out_and_cuts_at_a_word(text: str) -> None:
    part = trace_part("Output", text)
    block = excerpt(part, 6)
    shown_text = quoted_text(block)
    assert text.startswith(shown_text)
    assert text[len(shown_text)].isspace() or text == "x" * 641
    assert 0 < count_lines(shown_text) <= 6
    *_, note = runs(block)
    missing = len(text) - len(shown_text)
    assert note["text"] == f" … {missing:,} more character{'' if missing == 1 else 's'}"
    assert quoted_text(*part.whole_blocks()) == text


def test_of_a_long_chat_the_last_turn_is_there_in_full() -> None:
    turns: Json = [
        {"role": "user", "content": "Question. " * 100},
        {"role": "assistant", "content": "Earlier. " * 100},
        {"role": "user", "content": "And then?"},
        {"role": "assistant", "content": "The last word.\nuser: an imitation"},
    ]
    block = excerpt(trace_part("Conversation", turns), 6)
    assert quoted_text(block) == "User: And then?\nAssistant: The last word.\nuser: an imitation"
    assert bold(block) == ["User", "Assistant"]


@pytest.mark.parametrize("text", ["word " * 2_000, "x" * 9_000, "a\n" * 5_000, "```\nx\n```\n" * 900])
def test_pages_are_short_and_together_the_whole_text(text: str) -> None:
    assert "".join(text_pages(text)) == text
    assert all(len(page) <= PAGE_LENGTH for page in text_pages(text))
    blocks = trace_part("Input", text).whole_blocks()
    assert quoted_text(*blocks) == text
    assert len(blocks) <= len(text) // (PAGE_LENGTH // 2) + 1


def test_a_page_ends_with_a_word() -> None:
    first, *_ = text_pages("word " * 1_000)
    assert first.endswith("word ")


@pytest.mark.parametrize("value", [*TEXTS.values(), *STRUCTURES.values(), "word " * 9_000, "", "\n" * 5_000])
def test_slack_takes_the_card_and_the_modal_of_any_trace(value: Json) -> None:
    trace = a_trace(inputs=value, outputs=value)
    card = verdict_card([shown("*r* <!channel> " * 200)], trace)
    check_message_blocks(list(card.blocks))
    normalize_view(trace_view([shown()], trace), "modal", 1)


def test_a_rationale_is_shown_as_it_is() -> None:
    rationale = "*Not bold* <!channel> :tada:\n  indented"
    card = verdict_card([shown(rationale)], a_trace())
    *_, reason = runs(card.blocks[1])
    assert reason["text"] == rationale
