"""Slack's chart block, and its figures in words for a workspace that does not know it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.blocks.mrkdwn import escape
from bot.blocks.primitives import Block, SlackMessage, section
from bot.visible_text import visible_line

CHART = "data_visualization"
MAX_CHART_TITLE_LENGTH, MAX_CHART_LABEL_LENGTH, MAX_AXIS_LABEL_LENGTH = 50, 20, 50
PERCENT = "percent"
"""Words at the axis of percentages."""
MAX_CHART_POINTS = 20
"""Slack takes so many categories of an axis."""


def line_chart(
    title: str, x_label: str, y_label: str, labels: Sequence[str], lines: Mapping[str, Sequence[int]]
) -> Block:
    """Return a chart of lines; beyond `MAX_CHART_POINTS` the last points.

    Args:
        title: its title.
        x_label: words at the horizontal axis.
        y_label: words at the vertical axis.
        labels: names of the points, each another one.
        lines: name of each line -> its values, one for each label.
    """
    names = [_cut(label, MAX_CHART_LABEL_LENGTH) for label in labels][-MAX_CHART_POINTS:]
    series = [
        {
            "name": _cut(name, MAX_CHART_LABEL_LENGTH),
            "data": [
                {"label": label, "value": value}
                for label, value in zip(names, values[-MAX_CHART_POINTS:], strict=True)
            ],
        }
        for name, values in lines.items()
    ]
    axes = {
        "categories": names,
        "x_label": _cut(x_label, MAX_AXIS_LABEL_LENGTH),
        "y_label": _cut(y_label, MAX_AXIS_LABEL_LENGTH),
    }
    return {
        "type": CHART,
        "title": _cut(title, MAX_CHART_TITLE_LENGTH),
        "chart": {"type": "line", "series": series, "axis_config": axes},
    }


def chart_words(chart: Block) -> str:
    """Return the title and all figures of a chart of lines, a line of text for each of them; escaped."""
    unit = "%" if chart["chart"]["axis_config"]["y_label"] == PERCENT else ""
    lines = [escape(chart["title"])]
    for series in chart["chart"]["series"]:
        points = " · ".join(f"{escape(point['label'])}: {point['value']}{unit}" for point in series["data"])
        lines.append(f"*{escape(series['name'])}* · {points}")
    return "\n".join(lines)


def has_chart(message: SlackMessage) -> bool:
    """Return True if the message holds a chart."""
    return any(block["type"] == CHART for block in message.blocks)


def without_charts(message: SlackMessage) -> SlackMessage:
    """Return the message with the figures of each chart in words, which every workspace takes."""
    blocks = tuple(
        section(chart_words(block)) if block["type"] == CHART else block for block in message.blocks
    )
    return replace(message, blocks=blocks)


def _cut(text: str, length: int) -> str:
    line = visible_line(text)
    return line if len(line) <= length else f"{line[: length - 1]}…"
