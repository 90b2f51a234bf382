"""The chart of a judge's agreement by week, for messages."""

from collections.abc import Sequence

from bot.blocks.chart import PERCENT, line_chart
from bot.blocks.primitives import Block
from bot.records import CurvePoint
from bot.report_words import curve_lines, day_words, drawn_points
from bot.runtime.clock import monday_of


def agreement_chart(curve: Sequence[CurvePoint]) -> tuple[Block, ...]:
    """Return the chart of a curve; none where weeks with a percentage are too few for a line."""
    points = drawn_points(curve)
    if not points:
        return ()
    labels = [day_words(monday_of(point.week)) for point in points]
    return (line_chart("Agreement by week", "Week from", PERCENT, labels, curve_lines(points)),)
