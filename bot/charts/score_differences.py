"""The chart of how far a judge's numbers lie from people's."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bot.charts.chart import Chart
from bot.charts.theme import Theme
from bot.plain_text import pluralise

MAX_BARS = 21
"""Bars up to which every difference has one of its own, where all are whole numbers."""
BAR_WIDTH = 0.86
MIN_REACH = 1e-6
"""Differences below it are drawn as none."""
WIDTH, HEIGHT = 6.0, 2.8

Bars = Sequence[tuple[float, float, int]]
"""Middle, width and height of each."""


def score_differences_chart(title: str, differences: Sequence[float]) -> Chart:
    """Return the chart of differences: the judge's number minus people's, each with its number of verdicts.

    Args:
        title: The chart's title.
        differences: One for each verdict for which people named a number.
    """
    bars = _bars(differences)
    return Chart(
        title=title,
        description=_describe(differences),
        draw=lambda axes, theme: _draw(axes, theme, bars),
        width=WIDTH,
        height=HEIGHT,
    )


def _describe(differences: Sequence[float]) -> str:
    if not differences:
        return "No verdicts with a number of people's."
    low, high = sum(each < 0 for each in differences), sum(each > 0 for each in differences)
    equal = len(differences) - low - high
    return (
        f"{pluralise(len(differences), 'verdict')}. The judge's number is equal to people's on {equal}, too low on "
        f"{low} and too high on {high}."
    )


def _bars(differences: Sequence[float]) -> Bars:
    """Return a bar for each whole difference; of others, an odd number of equal ones around none."""
    farthest = max((abs(each) for each in differences), default=0.0)
    if all(float(each).is_integer() for each in differences) and farthest <= MAX_BARS // 2:
        counts = Counter(map(int, differences))
        reach = max(int(farthest), 1)
        return [(float(place), 1.0, counts[place]) for place in range(-reach, reach + 1)]
    reach_of_scale = max(farthest, MIN_REACH)
    numbers, edges = np.histogram(differences, bins=MAX_BARS, range=(-reach_of_scale, reach_of_scale))
    width = float(edges[1] - edges[0])
    return [
        (float(edge) + width / 2, width, int(count)) for edge, count in zip(edges[:-1], numbers, strict=True)
    ]


def _draw(axes: Axes, theme: Theme, bars: Bars) -> None:
    most = max(count for _, _, count in bars)
    for middle, width, count in bars:
        is_equal = abs(middle) < width / 2
        axes.bar(
            middle, count, width=width * BAR_WIDTH, color=theme.judge if is_equal else theme.base, linewidth=0
        )
        if count:
            axes.text(middle, count + most * 0.02, f"{count:,}", ha="center", va="bottom", color=theme.text)
    axes.set_ylim(0, max(most, 1) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.yaxis.grid(visible=True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    if all(width == 1 for _, width, _ in bars):
        axes.set_xticks([middle for middle, _, _ in bars], [_signed(middle) for middle, _, _ in bars])
    axes.set_xlabel("the judge's number minus people's", color=theme.muted)
    axes.set_ylabel("verdicts", color=theme.muted)


def _signed(difference: float) -> str:
    return f"{difference:+.0f}".replace("-", "−") if difference else "0"
