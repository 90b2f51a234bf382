"""The digest of a week as GitHub's Markdown."""

from collections.abc import Iterator, Sequence

from bot.judge_week import JudgeWeek
from bot.pages.error_tables import LabelMatrix
from bot.pages.markdown import escape_markdown, markdown_link, markdown_table
from bot.pages.week_summary import CurveRow, OverruledRow, RuleRow, WeekSummary, summarise
from bot.plain_text import format_label_plain, pluralise
from bot.report_words import week_dates

WEEKS_IN_TABLE = 12


def digest_markdown(weeks: Sequence[JudgeWeek]) -> str:
    """Return the week of one or more judges as one document."""
    report = weeks[0].report
    head = f"# Digest of {report.week} ({week_dates(report)}{', so far' if report.is_running else ''})"
    parts = [head, *(part for week in weeks for part in _judge(summarise(week)))]
    return "\n\n".join(parts) + "\n"


def _judge(week: WeekSummary) -> Iterator[str]:
    yield f"## {escape_markdown(week.title)}"
    if week.quiet:
        yield week.quiet
        return
    told = week.headline
    evidence = f" ({told.evidence})" if told.evidence else ""
    yield f"**{told.agreement}**{evidence} {told.change}".rstrip()
    yield from map(escape_markdown, week.notes)
    yield from _overruled(week.overruled, week.more_overruled)
    yield from _rules(week.rules_head, week.rules)
    yield from map(escape_markdown, week.closing)
    yield "### All figures"
    yield "\n".join(f"- {escape_markdown(line)}" for line in week.figures)
    yield from _matrix(week.matrix)
    yield from _curve(week.curve)


def _overruled(rows: Sequence[OverruledRow], more: int) -> Iterator[str]:
    if not rows:
        return
    yield "### Most overruled"
    cells = [
        (markdown_link(row.question, row.link), escape_markdown(row.judge), escape_markdown(row.people))
        for row in rows
    ]
    yield markdown_table(("Card", "Judge", "People"), cells)
    if more:
        yield f"{pluralise(more, 'more verdict')} can be found in the CSV."


def _rules(head: str, rules: Sequence[RuleRow]) -> Iterator[str]:
    if not head:
        return
    yield f"### {head}"
    if rules:
        cells = [[escape_markdown(cell) for cell in (rule.text, rule.change, rule.origin)] for rule in rules]
        yield markdown_table(("Guideline", "Change", "From"), cells)


def _matrix(matrix: LabelMatrix | None) -> Iterator[str]:
    if matrix is None:
        return
    labels = [escape_markdown(format_label_plain(label)) for label in matrix.labels]
    header = [
        "",
        *(f"People: {label}" for label in labels),
        *(["People: not so"] if matrix.has_unnamed else []),
    ]
    rows = [
        [f"Judge: {label}", *map(str, counts[: len(header) - 1])]
        for label, counts in zip(labels, matrix.rows, strict=True)
    ]
    yield markdown_table(header, rows)


def _curve(curve: Sequence[CurveRow]) -> Iterator[str]:
    if len(curve) < 2:
        return
    yield "### Agreement by week"
    rows = [(row.week, str(row.verdicts), row.agreement, row.base or "–") for row in curve[-WEEKS_IN_TABLE:]]
    yield markdown_table(("Week", "Verdicts", "Agreement", "Without what it learned"), rows)
