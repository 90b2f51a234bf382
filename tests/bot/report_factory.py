"""Weekly reports for tests, with everything that a test does not care about filled in."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.feedback import Feedback
from bot.records import AgreementShare, CurvePoint, Digest, EstimatedShare
from bot.reports.digest import compute_digest
from bot.reports.learning_curve import compute_point
from bot.reports.reported_verdicts import reported_verdict
from bot.reports.share_difference import change_of
from bot.weekly_report import WeeklyReport
from memalign.value_types import value_type_of
from storage.records import StoredVerdict

JUDGE, WEEK, WEEK_BEFORE = "politeness", "2026-W48", "2026-W47"
Answered = Sequence[tuple[StoredVerdict, Sequence[Feedback]]]


def a_report(figures: Digest, before: Digest | None = None, **fields: Any) -> WeeklyReport:
    """A report of figures alone."""
    earlier = before or compute_digest(JUDGE, WEEK_BEFORE, value_type_of(bool), [], [])
    given = {
        "judge": figures.judge,
        "title": "Polite",
        "change": change_of(figures, earlier),
        "curve": tuple(curve_point(each) for each in (earlier, figures) if each.n),
        "verdicts": (),
        "learned": (),
        "retired": (),
        "doubtful": (),
        "in_use": 0,
        "from_one_person": 0,
        "pending": 0,
        "unanswered": 0,
        "open_splits": 0,
        "people": (),
        "unnamed_people": figures.people,
        "today": date(2026, 11, 30),
    }
    return WeeklyReport(figures=figures, before=earlier, **{**given, **fields})


def report_of(
    verdicts: Answered, before: Answered = (), values: object = bool, **fields: Any
) -> WeeklyReport:
    """A report of two weeks of answered verdicts."""
    value_type = value_type_of(values)
    weeks = {WEEK: verdicts, WEEK_BEFORE: before}
    figures, earlier = (compute_digest(JUDGE, week, value_type, each, []) for week, each in weeks.items())
    told = tuple(
        reported_verdict(stored, votes, value_type, question=f"Question {number}?")
        for number, (stored, votes) in enumerate(verdicts)
    )
    points = [compute_point(week, value_type, answered) for week, answered in sorted(weeks.items())]
    curve = tuple(point for point in points if point is not None)
    return a_report(figures, earlier, **{"verdicts": told, "curve": curve, **fields})


def curve_point(week: Digest) -> CurvePoint:
    """A week's point of the curve."""
    share, low, high = week.weighted_agreement or 0.0, week.weighted_low or 0.0, week.weighted_high or 0.0
    return CurvePoint(
        week=week.week,
        shown=AgreementShare(agreed=week.agreed, n=week.n, low=low, high=high),
        estimate=EstimatedShare(share=share, low=low, high=high),
    )
