"""Weeks of a judge for charts."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.records import AgreementShare, CurvePoint, EstimatedShare
from bot.reports.agreement import wilson_interval
from bot.runtime.clock import week_of

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    "]]></svg><img src=x onerror=alert(1)>",
    '" id="chart-title" style="fill: #0072b2',
    'url(#clip) href="#x" &amp; &#60;',
    "$\\frac{1}{0}$ and $unclosed",
    "礼貌吗？",
    "هل هو مهذب",
    "מנומס \u202eesrever",
    "Ist es höflich? 👍🏽 ผ่าน नमस्ते",
    "line\nbreak\tand\x00\x1b[31mcontrol\u2028",
    "\ud83d half an emoji",
    "x" * 5000,
    "",
)


def share(agreed: int, n: int) -> AgreementShare:
    low, high = wilson_interval(agreed, n)
    return AgreementShare(agreed=agreed, n=n, low=low, high=high)


def weeks_from(week: str) -> Iterator[str]:
    """ISO weeks without end."""
    monday = date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)
    while True:
        yield week_of(monday)
        monday += timedelta(weeks=1)


def estimate(agreed: int, n: int) -> EstimatedShare:
    low, high = wilson_interval(agreed, n)
    return EstimatedShare(share=agreed / n, low=low, high=high)


def point(week: str, counts: tuple[int, int], base: tuple[int, int] | None = None) -> CurvePoint:
    """A week with verdicts agreed with and verdicts in all; of the judge without memory, too."""
    return CurvePoint(
        week=week,
        shown=share(*counts),
        beside_base=share(base[0] + 1, base[1]) if base else None,
        base=share(*base) if base else None,
        estimate=estimate(*counts),
        base_share=base[0] / base[1] if base else None,
    )


def points(number: int, *, first: str = "2026-W31", n: int = 40, with_base: bool = True) -> list[CurvePoint]:
    """Weeks of growing agreement."""
    return [
        point(week, (min(n, n // 2 + place), n), (n // 2, n) if with_base else None)
        for place, week in zip(range(number), weeks_from(first), strict=False)
    ]
