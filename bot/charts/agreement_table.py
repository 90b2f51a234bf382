"""The chart of a judge's values against people's labels: a table whose cells are the darker the more they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bot.charts.chart import Chart, chart_label
from bot.charts.theme import Theme
from bot.plain_text import pluralise

UNNAMED_LABEL = "not so"
"""Heads the verdicts that people only call wrong."""
MAX_CELL_OPACITY = 0.45
"""Beyond this the text of a theme would not stand out from its hues."""
MAX_CATEGORY_LENGTH = 14
MARGIN_INCHES, CELL_WIDTH, CELL_HEIGHT = 1.6, 1.15, 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTable:
    """Verdicts by the judge's value and people's label."""

    labels: Sequence[str]
    """In the order of rows and columns; not escaped."""
    rows: Sequence[Sequence[int]]
    """For each value of the judge, the verdicts by people's label; last those where nobody named the right one."""

    @property
    def columns(self) -> Sequence[str]:
        """People's labels; those without a name only where there are any."""
        has_unnamed = any(row[-1] for row in self.rows)
        return [*self.labels, UNNAMED_LABEL] if has_unnamed else self.labels


def agreement_table_chart(title: str, table: AgreementTable) -> Chart:
    """Return the chart of a judge's values (rows) against people's labels (columns).

    Args:
        title: The chart's title.
        table: The verdicts, of two labels at least.
    """
    return Chart(
        title=title,
        description=_describe(table),
        draw=lambda axes, theme: _draw(axes, theme, table),
        width=MARGIN_INCHES + CELL_WIDTH * len(table.columns),
        height=0.9 + CELL_HEIGHT * len(table.labels),
    )


def _describe(table: AgreementTable) -> str:
    cells = [
        f"judge {chart_label(value)}, people {chart_label(people)}: {count}"
        for value, row in zip(table.labels, table.rows, strict=True)
        for people, count in zip(table.columns, row, strict=False)
        if count
    ]
    total = sum(map(sum, table.rows))
    return f"{pluralise(total, 'verdict')}. {'; '.join(cells)}." if cells else "No verdicts."


def _draw(axes: Axes, theme: Theme, table: AgreementTable) -> None:
    axes.set_xlim(0, len(table.columns))
    axes.set_ylim(len(table.labels), 0)
    _draw_cells(axes, theme, table)
    places = [place + 0.5 for place in range(len(table.columns))]
    axes.set_xticks(places, [chart_label(label, MAX_CATEGORY_LENGTH) for label in table.columns])
    axes.set_yticks(
        places[: len(table.labels)], [chart_label(label, MAX_CATEGORY_LENGTH) for label in table.labels]
    )
    axes.tick_params(length=0, labelcolor=theme.text, labeltop=True, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("people", color=theme.muted)
    axes.set_ylabel("judge", color=theme.muted)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_cells(axes: Axes, theme: Theme, table: AgreementTable) -> None:
    most = max(max(row) for row in table.rows) or 1
    for row, counts in enumerate(table.rows):
        for column, count in enumerate(counts[: len(table.columns)]):
            hue, weight = (theme.judge, "bold") if row == column else (theme.base, "normal")
            opacity = MAX_CELL_OPACITY * count / most
            cell = Rectangle((column, row), 1, 1, facecolor=hue, alpha=opacity, edgecolor="none")
            frame = Rectangle((column, row), 1, 1, fill=False, edgecolor=theme.grid)
            axes.add_patch(cell)
            axes.add_patch(frame)
            middle = (column + 0.5, row + 0.5)
            axes.text(
                *middle, f"{count:,}", ha="center", va="center", color=theme.text, weight=weight, size=12
            )
