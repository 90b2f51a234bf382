"""The verdicts that count in a week as CSV, a row each."""

from collections.abc import Iterable, Sequence

from bot.blocks.selection import SELECTION_WORDS
from bot.judge_week import CountedVerdict, JudgeWeek
from bot.plain_text import format_label_plain
from bot.report_rows import csv_lines

ROW_END = "\r\n"
"""RFC 4180."""
WEEK_ROW_HEADER = (
    "judge",
    "week",
    "trace_id",
    "verdict_id",
    "judge_value",
    "people_label",
    "agreed",
    "people",
    "inclusion_probability",
    "chosen_because",
    "blind",
    "link",
)
"""`people_label` is empty where people only say that the value is wrong, `agreed` while a card hides its verdict."""


def week_rows(weeks: Sequence[JudgeWeek]) -> str:
    """Return a row for each verdict that counts in the weeks of judges, below a row of names."""
    rows: Iterable[Sequence[str]] = (_row(verdict) for week in weeks for verdict in week.verdicts)
    return "".join(line + ROW_END for line in csv_lines(WEEK_ROW_HEADER, rows))


def _row(verdict: CountedVerdict) -> Sequence[str]:
    people = verdict.people_label
    return (
        verdict.judge,
        verdict.week,
        verdict.trace_id,
        verdict.verdict_id,
        "not shown yet" if verdict.is_hidden else format_label_plain(verdict.value),
        "" if people is None else format_label_plain(people),
        "" if verdict.is_hidden else _truth(verdict.agreed),
        str(verdict.people),
        f"{verdict.selection.probability:.6g}",
        SELECTION_WORDS[verdict.selection.reason],
        _truth(verdict.is_blind),
        verdict.link,
    )


def _truth(value: bool) -> str:
    """Return a word that spreadsheets and data frames read."""
    return "true" if value else "false"
