"""The table of a week's verdicts by what the judge and people say."""

from collections import Counter
from collections.abc import Sequence

from bot.blocks.tables import Table
from bot.plain_text import format_label_plain
from bot.report_rows import people_word
from bot.weekly_report import ReportedVerdict, WeeklyReport
from memalign.records import Label

MAX_VALUES_IN_TABLE = 8
"""Values of judge and people in a table that can still be read."""
MAX_VALUE_IN_TABLE = 20
"""Characters of a value in its table."""


def label_table(report: WeeklyReport) -> Table | None:
    """Return the verdicts on which people had a majority, the judge's values by rows and people's by columns.

    None without verdicts, of free texts, and where there are too many values for a table.
    """
    counted = [verdict for verdict in report.verdicts if verdict.agreed is not None]
    judge, people = _values(counted)
    if not counted or not report.figures.is_comparable or len(people) > MAX_VALUES_IN_TABLE:
        return None
    counts = Counter((format_label_plain(each.value), people_word(each)) for each in counted)
    rows = tuple(
        (f"judge: {_cut(value)}", *(str(counts[value, label]) for label in people)) for value in judge
    )
    return Table(header=("", *(f"people: {_cut(label)}" for label in people)), rows=rows)


def _values(verdicts: Sequence[ReportedVerdict]) -> tuple[list[str], list[str]]:
    """Return the values of the judge and of people in one order; of a judge that says pass or fail always both."""
    labels: set[Label] = {each.value for each in verdicts}
    labels |= {each.people_value for each in verdicts if each.people_value is not None}
    if any(isinstance(label, bool) for label in labels):
        return ["pass", "fail"], ["pass", "fail"]
    words = list(map(format_label_plain, sorted(labels, key=_order)))
    unnamed = ["not so"] if any(each.people_value is None for each in verdicts) else []
    return words, [*words, *unnamed]


def _order(label: Label) -> tuple[bool, float, str]:
    """Put numbers first, in their order."""
    return (True, 0, label.casefold()) if isinstance(label, str) else (False, label, "")


def _cut(word: str) -> str:
    return word if len(word) <= MAX_VALUE_IN_TABLE else f"{word[: MAX_VALUE_IN_TABLE - 1]}…"
