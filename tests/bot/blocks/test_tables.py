"""Tables on cards: lists of records of one kind, and tables that a model wrote in Markdown."""

import pytest

from bot.blocks.card import verdict_card
from bot.blocks.tables import markdown_table, passages_with_tables, records_table
from bot.blocks.trace_modal import rendered_trace_view, trace_view
from bot.sandbox.web_api.block_checks import check_message_blocks
from memalign.records import Json
from tests.bot.blocks.test_trace_parts import quoted_text, runs, shown
from tests.factories import a_trace

CITIES: Json = [{"city": f"City <{n}>", "people": n, "capital": n == 1} for n in range(12)]
MARKDOWN = "Sizes:\n\n| City | People |\n|:--|--:|\n| *a* \\| b | 4 |\n\nThat is all."


def cells(value: Json) -> list[list[str]]:
    card = verdict_card([shown()], a_trace(outputs=value))
    check_message_blocks(list(card.blocks))
    [table] = [block for block in card.blocks if block["type"] == "table"]
    return [[cell["text"] for cell in row] for row in table["rows"]]


def test_records_of_one_kind_are_a_table_with_their_first_rows() -> None:
    header, *rows = cells(CITIES)
    assert header == ["city", "people", "capital"]
    assert rows[:2] == [["City <0>", "0", "false"], ["City <1>", "1", "true"]]
    card = verdict_card([shown()], a_trace(outputs=CITIES))
    assert f"… {12 - len(rows)} more rows" in [run["text"] for run in runs(card.blocks)]


def test_records_below_one_name_are_a_table_too() -> None:
    assert cells({"rows": CITIES[:2]})[0] == ["city", "people", "capital"]


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 1, "b": 2}],
        [{"a": 1, "b": 2}, {"a": 1}],
        [{"a": 1, "b": [2]}, {"a": 1, "b": 2}],
        [{"a": "long " * 40, "b": 1}, {"a": "", "b": 1}],
        [{"a": 1}, {"a": 2}],
        [1, 2],
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    ],
)
def test_other_lists_are_none(value: Json) -> None:
    blocks = verdict_card([shown()], a_trace(outputs=value)).blocks
    assert "table" not in [block["type"] for block in blocks]


def test_a_table_in_markdown_is_one_with_its_cells_as_written_between_its_prose() -> None:
    assert cells(MARKDOWN) == [["City", "People"], ["*a* | b", "4"]]
    card = verdict_card([shown()], a_trace(outputs=MARKDOWN))
    assert [block["type"] for block in card.blocks] == [
        "section",
        "rich_text",
        "table",
        "rich_text",
        "context",
        "actions",
    ]


@pytest.mark.parametrize(
    "text",
    [
        MARKDOWN,
        MARKDOWN.replace("\n", "\r\n"),
        "a | b",
        "| a |\n|---|",
        f"{MARKDOWN}\n{MARKDOWN}",
        "a\r|b|\n-|-\n",
    ],
)
def test_parted_from_their_prose_tables_and_prose_are_the_text(text: str) -> None:
    assert "".join(passage for _, passage in passages_with_tables(text)) == text


def test_slack_takes_one_table_so_the_second_is_aligned_text() -> None:
    card = verdict_card([shown()], a_trace(inputs=CITIES, outputs=CITIES[:3]))
    assert [block["type"] for block in card.blocks].count("table") == 1
    assert "city      people  capital\n" in str([run["text"] for run in runs(card.blocks)]).replace(
        "\\n", "\n"
    )
    check_message_blocks(list(card.blocks))


def test_the_modal_has_the_text_as_it_was_sent_and_the_table_as_the_user_saw_it() -> None:
    trace = a_trace(outputs=MARKDOWN)
    sent = [block for block in trace_view([shown()], trace)["blocks"] if block["type"] == "rich_text"]
    assert MARKDOWN in quoted_text(*sent)
    rendered = [run["text"] for run in runs(rendered_trace_view([shown()], trace)["blocks"])]
    assert "City   People\n─────  ──────\na | b  4" in rendered


def test_cells_are_aligned_by_what_their_letters_take() -> None:
    table = records_table([{"n": "東京", "m": None}, {"m": 1.5, "n": ""}])
    assert table is not None
    assert table.aligned() == "n     m\n────  ────\n東京  null\n      1.5"


def test_a_text_without_a_table_is_none() -> None:
    assert markdown_table("| a |") is None
