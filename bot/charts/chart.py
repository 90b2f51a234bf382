"""A chart that waits to be drawn: words for those who cannot see it, a size, and what puts it onto paper."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.axes import Axes

from bot.charts.theme import Theme
from bot.visible_text import visible_line

Drawing: TypeAlias = Callable[[Axes, Theme], None]

MAX_LABEL_LENGTH = 28
"""Characters of a label within a chart."""
MAX_TITLE_LENGTH = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart."""

    title: str
    description: str
    """All that the chart says, in sentences."""
    draw: Drawing
    width: float
    """Inches of 96 pixels."""
    height: float
    """Inches of 96 pixels."""


def chart_label(text: str, limit: int = MAX_LABEL_LENGTH) -> str:
    """Return a text of others as one line that fits into a chart."""
    line = visible_line(text).strip()
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
