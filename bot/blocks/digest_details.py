"""The figures of a week in full, and its verdicts as rows: replies in the digest's thread."""

from collections.abc import Sequence

from bot.blocks.label_table import label_table
from bot.blocks.mrkdwn import escape
from bot.blocks.primitives import MAX_TEXT_LENGTH, Block, SlackMessage, context, paragraphs, section
from bot.blocks.rich_text import preformatted, rich_text
from bot.digest_words import coverage_line, figure_sentences, learning_sentences
from bot.plain_text import FROM_ONE_PERSON, pluralise
from bot.report_rows import SHORT_ROW_HEADER, csv_line, short_row
from bot.report_words import guideline_line, headline, week_dates
from bot.weekly_report import WeeklyReport

MAX_ROWS_LENGTH = 9_000
"""Characters of the rows that one message shows."""


def digest_figures_message(report: WeeklyReport) -> SlackMessage:
    """Return all figures of a week."""
    head = f"*All figures of {week_dates(report)}*"
    week = report.figures
    lines = [
        f"{headline(report).line}.",
        *figure_sentences(week),
        *learning_sentences(week),
        coverage_line(week),
    ]
    lines += [guideline_line(report), *_voices(report)]
    told = [escape(line) for line in lines if line]
    table = label_table(report)
    counts = () if table is None else (table.aligned(),)
    blocks = (section(head), *map(_preformatted, counts), *paragraphs("\n".join(told)))
    text = "\n".join([head, *map(escape, counts), *told])
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=blocks)


def digest_rows_message(report: WeeklyReport) -> SlackMessage | None:
    """Return the week's verdicts as lines of CSV, as many as a message holds; None without any."""
    if not report.verdicts:
        return None
    lines = [csv_line(SHORT_ROW_HEADER), *(csv_line(short_row(each)) for each in report.verdicts)]
    shown = _within(lines, MAX_ROWS_LENGTH)
    left = len(lines) - len(shown)
    head = f"*The verdicts of {week_dates(report)}*, one in a row"
    more = f"There is no room for {pluralise(left, 'more row')}. " if left else ""
    note = f"{more}For a file with all of them: `memalign digest --week {report.week} --out verdicts.csv`"
    text = "\n".join([head, *(escape(line) for line in shown), note])
    rows = rich_text(preformatted("\n".join(shown)))
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=(section(head), rows, context(note)))


def _voices(report: WeeklyReport) -> list[str]:
    """Return a line on guidelines that rest on one person, and on those that are not used yet."""
    parts = []
    if report.from_one_person:
        parts.append(
            f"{report.from_one_person} of {pluralise(report.in_use, 'guideline')} in use: {FROM_ONE_PERSON}"
        )
    if report.pending:
        parts.append(
            f"{report.pending} not used yet: to be approved, said by more people, or proved on earlier cases"
        )
    return [" · ".join(parts)] if parts else []


def _preformatted(text: str) -> Block:
    return rich_text(preformatted(text))


def _within(lines: Sequence[str], length: int) -> list[str]:
    """Return the first lines that have so many characters together."""
    shown, used = [], 0
    for line in lines:
        used += len(line) + 1
        if used > length:
            break
        shown.append(line)
    return shown
