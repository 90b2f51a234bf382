"""Text of others in Markdown: read back by a real parser, it is the text and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.pages.markdown import WORD_JOINER, escape_markdown, markdown_link, markdown_table
from bot.visible_text import visible_line

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "&lt;b&gt; &amp; &#60;",
    "[click](javascript:alert(1)) ![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "`code` *bold* _it_ ~~gone~~ **b** $x_2$",
    "# not a heading",
    "- not a list",
    "+ nor this",
    "1. nor this",
    "1) nor this",
    "> not a quote",
    "a | b | c",
    "\\| \\",
    "=====",
    "-----",
    "[ref]: https://evil.example",
    "[^1] :smile:",
    "    indented",
    "two\nlines\r\nand\ttabs",
    "礼貌 مهذب 👍🏽",
]


def texts_of(tokens: list[Token]) -> str:
    """All text in a document, and an alarm at anything but text."""
    told = ""
    for token in tokens:
        assert token.type in {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}, token
        told += texts_of(token.children) if token.children else token.content
    return told


def read_back(text: str) -> str:
    return texts_of(PARSER.parse(escape_markdown(text))).replace(WORD_JOINER, "")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text: str) -> None:
    assert read_back(text) == " ".join(visible_line(text).split())


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\\`*_{}[]<>()#+-.!|~&@=$:\n 123")))
def test_any_text_is_text(text: str) -> None:
    assert read_back(text) == " ".join(visible_line(text).split())


@given(
    st.lists(st.lists(st.text("ab|\\`-:<*\n", max_size=8), min_size=3, max_size=3), min_size=1, max_size=4)
)
def test_a_table_holds_each_cell_where_it_belongs(rows: list[list[str]]) -> None:
    table = markdown_table(("A", "B", "C"), [[escape_markdown(cell) for cell in row] for row in rows])
    tokens = PARSER.parse(table)
    cells = [each.children or [] for each in tokens if each.type == "inline"]
    told = ["".join(child.content for child in children) for children in cells]
    assert told[:3] == ["A", "B", "C"]
    assert told[3:] == [" ".join(cell.split()) for row in rows for cell in row]


@pytest.mark.parametrize("text", ["@acme/team and @ana", "ana@example.com", "@"])
def test_nobody_is_notified(text: str) -> None:
    assert "@" + WORD_JOINER in escape_markdown(text)


@pytest.mark.parametrize(
    "text", ["https://evil.example", "http://x.example/a?b=c", "www.evil.example", "WWW.x.example"]
)
def test_an_address_does_not_become_a_link_by_itself(text: str) -> None:
    escaped = escape_markdown(text)
    assert re.search(r"(?<!\\):", escaped) is None
    assert "www." not in escaped.lower()


def test_a_link_shows_its_words_and_leads_to_its_address_only_on_the_web() -> None:
    (_, inline, _) = PARSER.parse(
        markdown_link("a [b](c) | d", "https://acme.slack.com/archives/C1/p1?x=(1)")
    )
    link, *_ = inline.children or []
    assert link.attrs == {"href": "https://acme.slack.com/archives/C1/p1?x=(1)"}
    assert markdown_link("a", "javascript:alert(1)") == "a"
    assert markdown_link("a", "https://x.example/> <b>") == "a"
    assert markdown_link("a", "") == "a"
