"""The charts of a judge's week: agreement up to it, and the judge's values beside people's."""

from collections import Counter
from collections.abc import Sequence

from bot.charts.agreement_table import AgreementTable, agreement_table_chart
from bot.charts.chart import Chart, chart_label
from bot.charts.learning_curve import learning_curve_chart
from bot.charts.score_differences import score_differences_chart
from bot.judge_report import LabelCount
from bot.judge_week import CountedVerdict, JudgeWeek
from bot.pages.error_tables import label_matrix
from bot.plain_text import format_label_plain

MAX_JUDGE_LENGTH = 38
"""Characters of a judge's title that leave room for what the chart shows."""


def week_charts(week: JudgeWeek) -> list[Chart]:
    """Return the charts of a week; the second one only where labels can be compared, and there are any."""
    title = chart_label(week.report.title, MAX_JUDGE_LENGTH)
    return [
        learning_curve_chart(f"{title}: agreement by week", week.curve),
        *_comparison(f"{title}: judge and people in {week.report.week}", week),
    ]


def _comparison(title: str, week: JudgeWeek) -> list[Chart]:
    if not week.verdicts or not week.report.figures.is_comparable:
        return []
    if week.report.figures.has_scores:
        differences = _differences(week.verdicts)
        return [score_differences_chart(title, differences)] if differences else []
    matrix = label_matrix(week.value_type, label_counts(week.verdicts))
    if matrix is None:
        return []
    labels = [format_label_plain(label) for label in matrix.labels]
    return [agreement_table_chart(title, AgreementTable(labels=labels, rows=matrix.rows))]


def label_counts(verdicts: Sequence[CountedVerdict]) -> list[LabelCount]:
    """Return the verdicts by the judge's value and people's label."""
    counts = Counter((each.value, each.people_label) for each in verdicts)
    return [
        LabelCount(value=value, people=people, verdicts=number)
        for (value, people), number in counts.most_common()
    ]


def _differences(verdicts: Sequence[CountedVerdict]) -> list[float]:
    return [
        float(each.value) - float(each.people_label) for each in verdicts if each.people_label is not None
    ]
