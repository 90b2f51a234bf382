"""Charts drawn by matplotlib, as SVG text and as PNG bytes; the same chart gives the same bytes.

matplotlib's settings and font caches are of the whole process, so one chart is drawn at a time. No screen is needed,
and nothing is kept between charts. Settings that somebody has for plots of their own change nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from math import sqrt
from threading import Lock
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.image import imsave
from numpy.typing import NDArray

from bot.charts.chart import MAX_TITLE_LENGTH, Chart, chart_label
from bot.charts.svg_document import page_svg
from bot.charts.theme import LIGHT, Theme

Picture: TypeAlias = NDArray[np.uint8]
"""Rows of pixels, each red, green, blue and opaque."""

PIXELS_PER_INCH = 96
PNG_SCALE = 2
"""Pixels of a PNG for each of a page, since most screens have more than 96 an inch."""
MAX_PNG_PIXELS = 20_000_000
"""Viewers are slow with larger pictures, or refuse them; many charts get fewer pixels each."""
TITLE_INCHES = 0.5
WIDTH_OF_TITLES = 8.5
"""Inches that `MAX_TITLE_LENGTH` characters need."""

FIRST_FONT = "DejaVu Sans"
"""Comes with matplotlib, as does `LAST_FONT`, which has a sign for every character there is."""
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Nirmala UI",
)
"""Fonts of other scripts, of which those that the machine has are used."""
LAST_FONT = "Last Resort High-Efficiency"

_drawing = Lock()
# a folder of its own that it cannot write to, or fonts that it looks through for the first time, are no one's trouble
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def chart_svg(chart: Chart, chart_id: str) -> str:
    """Return a chart as an SVG element for a page, whose colours are those that the reader's system prefers.

    Args:
        chart: The chart.
        chart_id: Its id on the page: letters, digits and hyphens; the ids within it begin with it.
    """
    with _settings(chart_id):
        figure = _figure(chart, LIGHT, size=(chart.width, chart.height))
        file = BytesIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=metadata)
    return page_svg(file.getvalue().decode("utf-8"), chart, chart_id)


def chart_png(charts: Sequence[Chart], theme: Theme) -> bytes:
    """Return charts as one PNG, one below the other, each with its title.

    Args:
        charts: The charts, one at least.
        theme: The colours.
    """
    width = max(WIDTH_OF_TITLES, *(chart.width for chart in charts))
    pixels = width * sum(map(_titled_height, charts)) * PIXELS_PER_INCH**2
    dpi = PIXELS_PER_INCH * min(PNG_SCALE, sqrt(MAX_PNG_PIXELS / pixels))
    file = BytesIO()
    with _settings("png"):
        rows = np.vstack([_picture(chart, theme, width, dpi) for chart in charts])
        imsave(file, rows, format="png", dpi=dpi, metadata={"Software": "memalign"})
    return file.getvalue()


def _titled_height(chart: Chart) -> float:
    return chart.height + TITLE_INCHES


def _picture(chart: Chart, theme: Theme, width: float, dpi: float) -> Picture:
    """Return a chart at the left of a picture of some width, below its title."""
    figure = _figure(chart, theme, size=(width, _titled_height(chart)), share=chart.width / width)
    title = chart_label(chart.title, MAX_TITLE_LENGTH)
    figure.suptitle(title, x=0.01, ha="left", weight="bold", size=13, color=theme.text)
    file = BytesIO()
    figure.savefig(file, format="rgba", dpi=dpi)
    return np.frombuffer(file.getvalue(), dtype=np.uint8).reshape(-1, int(width * dpi), 4)


@contextmanager
def _settings(salt: str) -> Iterator[None]:
    """Let nobody else draw, and use matplotlib's own defaults with what is the same for all charts."""
    with _drawing, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": _font_families(),
                "font.size": 10,
                "svg.fonttype": "none",
                "svg.hashsalt": salt,
                "text.parse_math": False,
                "axes.unicode_minus": False,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        )
        yield


def _font_families() -> list[str]:
    known = set(fontManager.get_font_names())
    return [FIRST_FONT, *(name for name in OTHER_FONTS if name in known), LAST_FONT]


def _figure(chart: Chart, theme: Theme, *, size: tuple[float, float], share: float = 1) -> Figure:
    """Draw a chart into the left `share` of a figure."""
    figure = Figure(figsize=size, dpi=72, facecolor=theme.background)
    figure.set_layout_engine("constrained", rect=(0, 0, share, 1), h_pad=0.08)
    axes = figure.subplots()
    _colour_axes(axes, theme)
    chart.draw(axes, theme)
    return figure


def _colour_axes(axes: Axes, theme: Theme) -> None:
    axes.set_facecolor(theme.background)
    axes.tick_params(colors=theme.muted)
    for spine in axes.spines.values():
        spine.set_color(theme.muted)
