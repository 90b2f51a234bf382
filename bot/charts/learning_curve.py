"""The chart of a judge's agreement with people over its weeks."""

from collections.abc import Sequence
from datetime import timedelta
from math import isclose

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from bot.charts.chart import Chart
from bot.charts.theme import Theme
from bot.digest_words import percent
from bot.plain_text import pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, AgreementShare, CurvePoint, EstimatedShare
from bot.runtime.clock import monday_of, week_of

JUDGE_LABEL = "judge"
BASE_LABEL = "judge without what it learned"
NO_VOTES = "Nobody has voted on a verdict yet."
MAX_WEEK_NAMES = 13
"""Names of weeks that fit below a chart."""
LINE_OF_NUMBERS = 130
"""Characters of the numbers that fit below a chart, at their smallest."""
WIDTH, HEIGHT = 8.5, 3.4

Line = NDArray[np.float64]
Weeks = Sequence[tuple[str, CurvePoint | None]]
"""All weeks from the first to the last; None where people gave no label."""


def learning_curve_chart(title: str, points: Sequence[CurvePoint]) -> Chart:
    """Return the chart of a judge's agreement by week, with its interval, beside that of the judge without memory.

    Args:
        title: The chart's title.
        points: The weeks in which people gave labels, in order of time.
    """
    weeks = _all_weeks(points)
    return Chart(
        title=title,
        description=" ".join(map(_week_sentence, points)) or NO_VOTES,
        draw=lambda axes, theme: _draw(axes, theme, weeks),
        width=WIDTH,
        height=HEIGHT,
    )


def draws_base(points: Sequence[CurvePoint]) -> bool:
    """Return whether there is enough of the judge without memory for a line: a percentage, or half of the weeks."""
    compared = [point.base.n if point.base else 0 for point in points]
    known = sum(map(bool, compared))
    return any(n >= MIN_VERDICTS_FOR_SHARE for n in compared) or (known > 0 and 2 * known >= len(compared))


def _all_weeks(points: Sequence[CurvePoint]) -> Weeks:
    by_week = {point.week: point for point in points}
    if not points:
        return []
    first, last = monday_of(points[0].week), monday_of(points[-1].week)
    names = [week_of(first + timedelta(weeks=number)) for number in range((last - first).days // 7 + 1)]
    return [(name, by_week.get(name)) for name in names]


def _week_sentence(point: CurvePoint) -> str:
    return f"{point.week}: {_share_words(point.shown, point.estimate)}{_base_words(point)}."


def _base_words(point: CurvePoint) -> str:
    if point.base is None or point.beside_base is None or point.base_share is None:
        return ""
    share = "" if point.base.n < MIN_VERDICTS_FOR_SHARE else f"{percent(point.base_share)}, "
    counts = f"{point.base.agreed} of {point.base.n} where it agreed on {point.beside_base.agreed} with it"
    return f"; without what it learned {share}{counts}"


def _share_words(counts: AgreementShare, estimate: EstimatedShare) -> str:
    told = f"{counts.agreed} of {pluralise(counts.n, 'verdict')}"
    if counts.n < MIN_VERDICTS_FOR_SHARE:
        return told
    weighed = (
        "" if isclose(estimate.share, counts.agreed / counts.n) else "weighed by chance of being picked "
    )
    low, high = percent(estimate.low), percent(estimate.high)
    return f"{told} ({weighed}{percent(estimate.share)}, likely {low} to {high})"


def _draw(axes: Axes, theme: Theme, weeks: Weeks) -> None:
    axes.set_ylim(0, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.yaxis.grid(visible=True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_ylabel("agreement with people", color=theme.muted)
    axes.set_xlim(-0.6, max(len(weeks), 1) - 0.4)
    if not weeks:
        axes.set_xticks([])
        axes.text(0.5, 0.5, NO_VOTES, transform=axes.transAxes, ha="center", va="center", color=theme.text)
        return
    _name_weeks(axes, weeks)
    _write_numbers(axes, theme, weeks)
    _draw_judge(axes, theme, weeks)
    _draw_base(axes, theme, weeks)
    _mark_few(axes, theme, weeks)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        frameon=False,
        borderaxespad=0.3,
        labelcolor=theme.text,
    )


def _draw_judge(axes: Axes, theme: Theme, weeks: Weeks) -> None:
    shown = [point.estimate if point else None for _, point in weeks]
    places = np.arange(len(weeks))
    low = _line([each.low if each else None for each in shown])
    high = _line([each.high if each else None for each in shown])
    axes.fill_between(places, low, high, color=theme.judge, alpha=0.18, linewidth=0)
    axes.vlines(places, low, high, color=theme.judge, alpha=0.45, linewidth=1)
    line = _line([_share(each) for each in shown])
    axes.plot(places, line, color=theme.judge, linewidth=2, marker="o", markersize=6, label=JUDGE_LABEL)


def _draw_base(axes: Axes, theme: Theme, weeks: Weeks) -> None:
    line = _line([point.base_share if point else None for _, point in weeks])
    if draws_base([point for _, point in weeks if point]):
        dashes = (0, (5, 2))
        axes.plot(
            np.arange(len(weeks)),
            line,
            color=theme.base,
            linewidth=1.6,
            linestyle=dashes,
            marker="s",
            markersize=4.5,
            label=BASE_LABEL,
        )


def _mark_few(axes: Axes, theme: Theme, weeks: Weeks) -> None:
    """Draw the weeks hollow whose verdicts are too few for a percentage."""
    base = (
        [_few(point.base_share, point.base) if point else None for _, point in weeks]
        if draws_base([point for _, point in weeks if point])
        else []
    )
    judge = [_few(point.estimate.share, point.shown) if point else None for _, point in weeks]
    label = f"fewer than {MIN_VERDICTS_FOR_SHARE} verdicts"
    for shares, colour, marker, size in ((base, theme.base, "s", 4.5), (judge, theme.judge, "o", 6.0)):
        if any(share is not None for share in shares):
            axes.plot(
                np.arange(len(shares)),
                _line(shares),
                color=colour,
                linestyle="none",
                marker=marker,
                markersize=size,
                markerfacecolor=theme.background,
                markeredgewidth=1.5,
                label=label,
            )
            label = "_"  # named once; matplotlib's legend leaves such names out


def _few(share: float | None, counts: AgreementShare | None) -> float | None:
    return share if counts is not None and counts.n < MIN_VERDICTS_FOR_SHARE else None


def _name_weeks(axes: Axes, weeks: Weeks) -> None:
    places = _spread(len(weeks), MAX_WEEK_NAMES)
    names = [weeks[place][0].partition("-W") for place in places]
    years = [year for year, _, _ in names]
    is_first = [number == 0 or years[number - 1] != year for number, year in enumerate(years)]
    labels = [
        f"W{week}\n{year}" if is_new else f"W{week}"
        for (year, _, week), is_new in zip(names, is_first, strict=True)
    ]
    axes.set_xticks(list(places), labels)
    axes.tick_params(axis="x", pad=18, length=0)


def _write_numbers(axes: Axes, theme: Theme, weeks: Weeks) -> None:
    """Write the number of verdicts below each week, as far as there is room."""
    numbers = [str(point.shown.n if point else 0) for _, point in weeks]
    places = _spread(len(weeks), LINE_OF_NUMBERS // (max(map(len, numbers)) + 1))
    size = 9 if len(places) <= 20 else 6.5
    below = blended_transform_factory(axes.transData, axes.transAxes)
    for place in places:
        axes.text(
            place, -0.04, numbers[place], transform=below, ha="center", va="top", size=size, color=theme.muted
        )
    axes.text(-0.012, -0.04, "n", transform=axes.transAxes, ha="right", va="top", size=9, color=theme.muted)


def _spread(number: int, most: int) -> range:
    """Return places at equal distances, the last included, `most` of them at most."""
    step = max(1, -(-number // most))
    return range((number - 1) % step, number, step)


def _share(estimate: EstimatedShare | None) -> float | None:
    return estimate.share if estimate else None


def _line(values: Sequence[float | None]) -> Line:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
