"""Markdown as people saw it: rich text in which nothing pings and no link hides where it leads."""

import pytest

from bot.blocks.markdown import markdown_elements
from bot.blocks.primitives import Block
from bot.blocks.rich_text import rich_text
from bot.sandbox.web_api.view_rules import normalize_view
from tests.bot.blocks.test_trace_parts import runs


def shown(text: str) -> list[tuple[str, str]]:
    """Return the runs of a text in Markdown, each with its styles."""
    return [(run["text"], " ".join(run.get("style", {}))) for run in runs(markdown_elements(text))]


def kinds(text: str) -> list[str]:
    return [element["type"].removeprefix("rich_text_") for element in markdown_elements(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold** and *thin*", [("Bold", "bold"), (" and ", ""), ("thin", "italic")]),
        ("***both***", [("both", "italic bold")]),
        ("~~gone~~ `x = 1`", [("gone", "strike"), (" ", ""), ("x = 1", "code")]),
        ("# A *great* day", [("A ", "bold"), ("great", "bold italic"), (" day", "bold")]),
        ("a\nb", [("a", ""), ("\n", ""), ("b", "")]),
        ("5 * 3 * 2 &lt; 31", [("5 * 3 * 2 < 31", "")]),
    ],
)
def test_styles_are_those_of_markdown(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[the bank](https://evil.example)", "the bank (https://evil.example)"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("![a cat](https://a.example/cat.png)", "a cat (https://a.example/cat.png)"),
        ("<@U1> <!channel> @here <b>bold</b>", "<@U1> <!channel> @here <b>bold</b>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ],
)
def test_links_say_where_they_lead_and_mentions_stay_text(text: str, expected: str) -> None:
    assert "".join(words for words, _ in shown(text)) == expected
    assert {run["type"] for run in runs(markdown_elements(text))} == {"text"}


def items(element: Block) -> list[str]:
    return ["".join(run["text"] for run in runs(item)) for item in element["elements"]]


def test_lists_keep_their_numbers_around_what_is_nested() -> None:
    lists = markdown_elements("3. three\n4. four\n   - deep\n     - deeper\n5. five\n6. six")
    assert [(each["style"], each["indent"], each.get("offset", 0), items(each)) for each in lists] == [
        ("ordered", 0, 2, ["three", "four"]),
        ("bullet", 1, 0, ["deep"]),
        ("bullet", 2, 0, ["deeper"]),
        ("ordered", 0, 4, ["five", "six"]),
    ]


def test_a_list_that_begins_with_a_year_keeps_it() -> None:
    assert items(markdown_elements("1986. A good year")[0]) == ["1986. A good year"]


def test_code_and_tables_stand_in_letters_of_equal_widths() -> None:
    text = "See:\n\n```python\nif x:\n    y()\n```\n\n| City | People |\n|---|--:|\n| Giza | 4 |\n| 東京 | **14** |"
    assert kinds(text) == ["section", "preformatted", "preformatted"]
    code, table = [next(runs(each))["text"] for each in markdown_elements(text)[1:]]
    assert code == "if x:\n    y()"
    assert table == "City  People\n────  ──────\nGiza  4\n東京  14"


def test_quotations_stay_quotations() -> None:
    quote, bullets = markdown_elements("> Said.\n> - a\n> - b")
    assert quote["type"] == "rich_text_quote"
    assert (bullets["type"], bullets["border"], items(bullets)) == ("rich_text_list", 1, ["a", "b"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "- \n  ```\n  x\n  ```",
        "> > > a",
        "```",
        "---",
        "#",
        "[](x)",
        "| |\n|-|",
        "1. " * 40,
        "- a\n" * 900,
    ],
)
def test_slack_takes_whatever_comes_of_it(text: str) -> None:
    blocks = [rich_text(*elements)] if (elements := markdown_elements(text)) else []
    view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": blocks}
    normalize_view(view, "modal", 1)
