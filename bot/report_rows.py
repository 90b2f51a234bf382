"""A week's verdicts as rows of a table, one for each."""

import csv
import io
from collections.abc import Iterable, Sequence

from bot.plain_text import format_label_plain
from bot.visible_text import visible_line
from bot.weekly_report import ReportedVerdict

SHORT_ROW_HEADER = ("card", "judge", "people", "agreeing", "answering")
"""`agreeing` people gave their label, of the `answering` who could tell."""
SPREADSHEET_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""First characters by which a spreadsheet takes a cell for a formula."""


def short_row(verdict: ReportedVerdict) -> tuple[str, ...]:
    """Return a verdict's cells under `SHORT_ROW_HEADER`; a card without a known address goes by its trace."""
    return (
        verdict.link or verdict.trace_id,
        judge_word(verdict),
        people_word(verdict),
        str(verdict.majority),
        str(verdict.labels),
    )


def judge_word(verdict: ReportedVerdict) -> str:
    """Return the judge's value as a word, unless its card does not show it yet."""
    return "not shown yet" if verdict.is_hidden else format_label_plain(verdict.value)


def people_word(verdict: ReportedVerdict) -> str:
    """Return people's label as a word; without one, whether they tie or nobody could tell."""
    if verdict.agreed is None:
        return "split" if verdict.labels else "cannot tell"
    return "not so" if verdict.people_value is None else format_label_plain(verdict.people_value)


def csv_line(cells: Sequence[str]) -> str:
    """Return cells as one line of CSV (RFC 4180) without its end; no spreadsheet takes a cell for a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the header and all rows as lines of CSV."""
    return [csv_line(header), *map(csv_line, rows)]


def _harmless(cell: str) -> str:
    """Return a cell in one line; one that would be a formula is marked as text by an apostrophe."""
    line = visible_line(cell)
    return f"'{line}" if line.startswith(SPREADSHEET_FORMULA) and not _is_number(line) else line


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
