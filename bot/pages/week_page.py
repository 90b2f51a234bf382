"""The digest of a week as one HTML page."""

from collections.abc import Sequence

from markupsafe import Markup

from bot.charts.drawing import chart_svg
from bot.judge_week import JudgeWeek
from bot.pages.environment import render
from bot.pages.week_charts import week_charts
from bot.pages.week_summary import summarise
from bot.report_words import week_dates


def digest_page(weeks: Sequence[JudgeWeek]) -> str:
    """Return the week of one or more judges, one document that needs nothing beside it."""
    report = weeks[0].report
    judges = [
        {
            "id": f"judge-{number}",
            "summary": summarise(week),
            "charts": _charts(week, number),
        }
        for number, week in enumerate(weeks, 1)
    ]
    return render(
        "digest.html",
        {"week": report.week, "dates": week_dates(report), "is_running": report.is_running, "judges": judges},
    )


def _charts(week: JudgeWeek, number: int) -> list[tuple[str, Markup]]:
    """Return the title and the drawing of each chart; the drawing's texts are escaped already."""
    return [
        (chart.title, Markup(chart_svg(chart, f"chart-{number}-{place}")))  # noqa: S704 - our own SVG
        for place, chart in enumerate(week_charts(week), 1)
    ]
