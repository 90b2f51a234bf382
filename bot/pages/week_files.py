"""The digest of a week in each kind of file, by the ending of its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from bot.charts.drawing import chart_png
from bot.charts.theme import DARK, LIGHT
from bot.judge_week import JudgeWeek
from bot.pages.week_charts import week_charts
from bot.pages.week_markdown import digest_markdown
from bot.pages.week_page import digest_page
from bot.pages.week_rows import week_rows

ThemeName: TypeAlias = Literal["light", "dark"]
Renderer: TypeAlias = Callable[[Sequence[JudgeWeek], ThemeName], str | bytes]
"""Makes a file of the week of one or more judges; the theme is for pictures."""


def _picture(weeks: Sequence[JudgeWeek], theme: ThemeName) -> bytes:
    charts = [chart for week in weeks for chart in week_charts(week)]
    return chart_png(charts, DARK if theme == "dark" else LIGHT)


RENDERERS: Mapping[str, Renderer] = {
    ".md": lambda weeks, _: digest_markdown(weeks),
    ".html": lambda weeks, _: digest_page(weeks),
    ".csv": lambda weeks, _: week_rows(weeks),
    ".png": _picture,
}
