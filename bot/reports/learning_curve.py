"""The learning curve: a judge's agreement with people, week by week, beside that of the judge without memory."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.feedback import Feedback
from bot.records import AgreementShare, CurvePoint
from bot.reports.agreement import wilson_interval
from bot.reports.answered_weeks import read_touched
from bot.reports.memory_comparison import PairedVerdict, pair_with_shadow
from bot.reports.verdict_label import label_verdict
from bot.reports.vote_week import votes_in_week
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement
from bot.runtime.clock import week_bounds, week_of
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import StoredVerdict

CURVE_WEEKS = 52
"""Weeks of a curve by default: a year."""


async def read_learning_curve(
    database: Database,
    judge: str,
    value_type: ValueType,
    zone: ZoneInfo,
    last_week: str,
    weeks: int = CURVE_WEEKS,
) -> tuple[CurvePoint, ...]:
    """Read a judge's learning curve; the verdicts that people answered in each week are read once.

    Args:
        database: the store.
        judge: the judge's name.
        value_type: the type of its values.
        zone: the time zone in which weeks begin and end.
        last_week: the last ISO week of the curve, such as `2026-W47`.
        weeks: the number of weeks up to it.

    Returns:
        A point for each week in which people gave labels, in order.

    Raises:
        ValueError: If there is no such week.
        StorageError: If the store does not answer.
    """
    points = [
        await _read_point(database, judge, value_type, zone, week) for week in _weeks_up_to(last_week, weeks)
    ]
    return tuple(point for point in points if point is not None)


def _weeks_up_to(last_week: str, weeks: int) -> list[str]:
    """Return ISO weeks in order. Raises `ValueError` if there is no such week."""
    week_bounds(last_week, ZoneInfo("UTC"))
    monday = date.fromisocalendar(int(last_week[:4]), int(last_week[-2:]), 1)
    return [week_of(monday - timedelta(weeks=back)) for back in reversed(range(weeks))]


async def _read_point(
    database: Database, judge: str, value_type: ValueType, zone: ZoneInfo, week: str
) -> CurvePoint | None:
    touched = await read_touched(database, judge, *week_bounds(week, zone))

    def compute() -> CurvePoint | None:
        votes = [(stored, votes_in_week(stored, each, value_type, week, zone)) for stored, each in touched]
        return compute_point(week, value_type, votes)

    # a week of many replies takes a tenth of a second to read
    return await asyncio.to_thread(compute) if touched else None


def compute_point(
    week: str, value_type: ValueType, verdicts: Sequence[tuple[StoredVerdict, Sequence[Feedback]]]
) -> CurvePoint | None:
    """Compute one week's point of the curve.

    Args:
        week: The ISO week.
        value_type: The type of the judge's values.
        verdicts: The verdicts that belong to the week, each with the feedback on it.

    Returns:
        The point; None if people gave no label.
    """
    cases = [
        WeightedCase(agreed=case.agreed, probability=each[0].selection.probability)
        for each in verdicts
        if (case := label_verdict(*each, value_type))
    ]
    estimate = weighted_agreement(cases)
    if estimate is None:
        return None
    paired = [
        (each[0].selection.probability, pair)
        for each in verdicts
        if value_type.kind != "str" and (pair := pair_with_shadow(*each, value_type, "base"))
    ]
    return CurvePoint(
        week=week,
        shown=_share([case.agreed for case in cases]),
        beside_base=_share([pair.right_now for _, pair in paired]) if paired else None,
        base=_share([pair.right_then for _, pair in paired]) if paired else None,
        estimate=estimate,
        base_share=_base_share(estimate.share, paired),
    )


def _base_share(share: float, paired: Sequence[tuple[float, PairedVerdict]]) -> float | None:
    """Return the agreement of the judge without memory, by the difference on the verdicts for which it was asked.

    Where it was asked for some only, its own share of these would differ from the judge's share of all for the choice
    of verdicts alone. The difference estimator: C.-E. Särndal, B. Swensson and J. Wretman, "Model Assisted Survey
    Sampling" (1992), chapter 6.
    """
    now = weighted_agreement([WeightedCase(agreed=pair.right_now, probability=p) for p, pair in paired])
    then = weighted_agreement([WeightedCase(agreed=pair.right_then, probability=p) for p, pair in paired])
    if now is None or then is None:
        return None
    return min(max(share + then.share - now.share, 0.0), 1.0)


def _share(agreed: Sequence[bool]) -> AgreementShare:
    low, high = wilson_interval(sum(agreed), len(agreed))
    return AgreementShare(agreed=sum(agreed), n=len(agreed), low=low, high=high)
