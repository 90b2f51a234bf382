"""The learning curve: a judge's agreement with people, week by week, beside that of the judge without memory."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.records import AgreementShare, CurvePoint
from bot.reports.agreement import wilson_interval
from bot.reports.answered_weeks import AnsweredVerdict, read_answered_weeks
from bot.reports.memory_comparison import PairedVerdict, pair_with_shadow
from bot.reports.verdict_label import label_verdict
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement
from bot.runtime.clock import last_weeks
from memalign.value_types import ValueType
from storage.database import Database

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
    """Read a judge's learning curve.

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
    names = last_weeks(last_week, weeks)
    by_week = await read_answered_weeks(database, judge, value_type, names, zone)
    points = [compute_point(week, value_type, by_week.get(week, ())) for week in names]
    return tuple(point for point in points if point is not None)


def compute_point(week: str, value_type: ValueType, verdicts: Sequence[AnsweredVerdict]) -> CurvePoint | None:
    """Compute one week's point of the curve.

    Args:
        week: The ISO week.
        value_type: The type of the judge's values.
        verdicts: The verdicts that belong to the week, each with the feedback on it.

    Returns:
        The point; None if people gave no label.
    """
    cases = [case.weighted for each in verdicts if (case := label_verdict(*each, value_type))]
    estimate = weighted_agreement(cases)
    if estimate is None:
        return None
    paired = [
        (each[0].selection.probability, pair)
        for each in verdicts
        if (pair := pair_with_shadow(*each, value_type, "base"))
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
