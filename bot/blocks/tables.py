"""Tables in traces: lists of records, and tables that a model wrote in Markdown."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from unicodedata import east_asian_width

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.blocks.primitives import Block
from bot.visible_text import visible_line
from memalign.records import Json

MAX_COLUMNS = 20
"""Slack takes so many columns of a table."""
MAX_CELL_LENGTH = 80
"""Characters of a cell; records with longer texts are read better one below the other."""
PARSER = MarkdownIt("zero").enable("table")
DELIMITER_ROW = re.compile(r"^[ \t|:-]*-[ \t|:-]*$", re.MULTILINE)
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: a header, and rows with as many cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def first_rows(self, number: int) -> "Table":
        """Return the table with so many of its rows."""
        return replace(self, rows=self.rows[:number])

    def block(self) -> Block:
        """Return the block, which Slack takes in messages."""
        cells = [[{"type": "raw_text", "text": _cell(text)} for text in row] for row in self._lines]
        return {"type": "table", "rows": cells}

    def aligned(self) -> str:
        """Return the table as lines of text with aligned columns, for preformatted text."""
        lines = [[_cell(text) for text in row] for row in self._lines]
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        header, *rows = ["  ".join(map(_padded, line, widths)).rstrip() for line in lines]
        return "\n".join([header, "  ".join("─" * width for width in widths), *rows])

    @property
    def _lines(self) -> Sequence[Sequence[str]]:
        return (self.header, *self.rows)


def records_table(value: Json) -> Table | None:
    """Return a list of at least two records with the same short fields as a table; None for all else."""
    if isinstance(value, Mapping) and len(value) == 1:
        [value] = value.values()
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(each, Mapping) for each in value):
        return None
    names = list(value[0])
    if not 1 < len(names) <= MAX_COLUMNS or any(set(record) != set(names) for record in value):
        return None
    if any(isinstance(field, list | Mapping) for record in value for field in record.values()):
        return None
    rows = tuple(tuple(field_text(record[name]) for name in names) for record in value)
    if not all(map(_is_short, (text for row in (names, *rows) for text in row))):
        return None
    return Table(header=tuple(map(str, names)), rows=rows)


def field_text(value: Json) -> str:
    """Return a field as a person reads it: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_short(text: str) -> bool:
    return len(text) <= MAX_CELL_LENGTH and "\n" not in text


def passages_with_tables(text: str) -> list[tuple[bool, str]]:
    """Part prose into that and tables in Markdown; True for these. Joined, the passages are the text."""
    if "|" not in text or not DELIMITER_ROW.search(text):
        return [(False, text)]
    lines = LINE.findall(text)
    maps = [token.map for token in PARSER.parse(text) if token.type == "table_open" and token.map]
    ends = [0, *(place for start_and_end in maps for place in start_and_end), len(lines)]
    passages = [
        (number % 2 == 1, "".join(lines[start:end])) for number, (start, end) in enumerate(pairwise(ends))
    ]
    return [(is_table, passage) for is_table, passage in passages if passage]


def markdown_table(text: str) -> Table | None:
    """Return the table that a text in Markdown begins with, its cells as they were written; None for none."""
    rows = [*_rows(PARSER.parse(text))]
    if not rows or not 0 < len(rows[0]) <= MAX_COLUMNS:
        return None
    return Table(header=rows[0], rows=tuple(rows[1:]))


def _rows(tokens: Sequence[Token]) -> Iterator[tuple[str, ...]]:
    starts = [place for place, token in enumerate(tokens) if token.type == "tr_open"]
    for start, end in pairwise([*starts, len(tokens)]):
        row = [token.content for token in tokens[start:end] if token.type == "inline" and token.level > 2]
        yield tuple(row)


def _cell(text: str) -> str:
    """Return a cell's text, which Slack wants to be at least one character, in one line."""
    line = visible_line(text)
    return line if line.strip() else " "


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
