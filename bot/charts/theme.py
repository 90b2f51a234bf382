"""Colours of charts on a light and on a dark page.

The hues are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which people with any colour vision can
tell apart; lines differ in dash and marker besides. Text keeps the contrast of WCAG 2.2, 1.4.3 (4.5 : 1), and lines
that of 1.4.11 (3 : 1).
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of a chart by what they mark; no two are equal, so that an SVG's can be told apart."""

    background: str
    text: str
    muted: str
    """Axes, and text that matters less."""
    grid: str
    judge: str
    """The judge with what it learned; equal values in a table."""
    base: str
    """The judge without what it learned; different values in a table."""

    @property
    def variables(self) -> dict[str, str]:
        """The colours by the name of their CSS variable."""
        return {f"--chart-{role}": colour for role, colour in asdict(self).items()}


LIGHT = Theme(
    background="#fffffe",
    text="#1f2328",
    muted="#57606a",
    grid="#d8dee4",
    judge="#0072b2",
    base="#d55e00",
)
DARK = Theme(
    background="#14181d",
    text="#e6edf3",
    muted="#9da7b3",
    grid="#30363d",
    judge="#56b4e9",
    base="#e69f00",
)
