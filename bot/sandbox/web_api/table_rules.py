"""Slack's rules for the two blocks with rows: `table` and `data_table`."""

from collections.abc import Iterator, Mapping

from bot.sandbox.web_api.composition_rules import BLOCK_ID
from bot.sandbox.web_api.rich_text_rules import RICH_TEXT
from bot.sandbox.web_api.validators import (
    Rule,
    any_number,
    array,
    both,
    choice,
    complain,
    flag,
    nullable,
    record,
    string,
    tagged,
    whole_number,
)
from bot.sandbox.workspace.records import Payload

MAX_TABLE_COLUMNS = 20
MAX_TABLE_ROWS = 100
"""Of a `table`; a `data_table` has its header besides."""
MAX_TABLE_CHARACTERS = 10_000
"""Of all cells of one message. Slack has announced 20,000 for `data_table`; the older limit is safe everywhere."""
MAX_PAGE_SIZE = 100

_CELLS: Mapping[str, Rule] = {
    "raw_text": record({"type": choice("raw_text"), "text": string(MAX_TABLE_CHARACTERS)}),
    "raw_number": record(
        {"type": choice("raw_number"), "value": any_number, "text": string(MAX_TABLE_CHARACTERS)}
    ),
    "rich_text": RICH_TEXT,
}
_ROW = array(tagged(_CELLS), MAX_TABLE_COLUMNS)
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": flag})


def _rows_of(value: object) -> list[object]:
    rows = value.get("rows") if isinstance(value, dict) else None
    return rows if isinstance(rows, list) else []


def _rows_are_equally_long(value: object, pointer: str, complaints: list[str]) -> None:
    if len({len(row) for row in _rows_of(value) if isinstance(row, list)}) > 1:
        complain(complaints, "all rows must have the same number of cells", f"{pointer}/rows")


def _header_is_plain(value: object, pointer: str, complaints: list[str]) -> None:
    header = next(iter(_rows_of(value)), None)
    for index, cell in enumerate(header if isinstance(header, list) else []):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            complain(complaints, "rich_text is not allowed in the header", f"{pointer}/rows/0/{index}")


def _row_header_exists(value: object, pointer: str, complaints: list[str]) -> None:
    index = value.get("row_header_column_index") if isinstance(value, dict) else None
    width = max((len(row) for row in _rows_of(value) if isinstance(row, list)), default=0)
    if isinstance(index, int) and index >= width:
        complain(complaints, "must name a column of the table", f"{pointer}/row_header_column_index")


TABLE: Rule = record(
    {"type": choice("table"), "rows": array(_ROW, MAX_TABLE_ROWS)},
    {"column_settings": array(nullable(_COLUMN), MAX_TABLE_COLUMNS), "block_id": BLOCK_ID},
)
DATA_TABLE: Rule = both(
    record(
        {
            "type": choice("data_table"),
            "caption": string(3000),
            "rows": array(_ROW, MAX_TABLE_ROWS + 1, 2),
        },
        {
            "page_size": whole_number(1, MAX_PAGE_SIZE),
            "row_header_column_index": whole_number(0, MAX_TABLE_COLUMNS - 1),
            "block_id": BLOCK_ID,
        },
    ),
    _rows_are_equally_long,
    _header_is_plain,
    _row_header_exists,
)


def check_table_characters(blocks: list[Payload], complaints: list[str]) -> None:
    """Complain when the cells of all tables hold more characters than Slack takes together."""
    tables = [
        (index, block) for index, block in enumerate(blocks) if block["type"] in {"table", "data_table"}
    ]
    total = sum(length for _, block in tables for length in _cell_lengths(block["rows"]))
    if total > MAX_TABLE_CHARACTERS:
        what = f"no more than {MAX_TABLE_CHARACTERS} characters allowed in the cells of all tables"
        complain(complaints, what, f"/blocks/{tables[-1][0]}/rows")


def _cell_lengths(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        text = value.get("text")
        if isinstance(text, str):
            yield len(text)
        yield from _cell_lengths(value.get("elements"))
    elif isinstance(value, list):
        for part in value:
            yield from _cell_lengths(part)
