"""Weeks of judges for files, of verdicts whose votes a test knows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.feedback import Feedback
from bot.judge_week import JudgeWeek
from bot.records import CurvePoint
from bot.reports.judge_week_reader import counted_verdict
from bot.weekly_report import ReportedRule
from memalign.value_types import value_type_of
from storage.records import StoredVerdict
from tests.bot.charts.samples import points
from tests.bot.report_factory import WEEK, report_of
from tests.bot.reports.test_digest import DOWN, UP, voted

LINK = "https://acme.slack.com/archives/C1/p1764000000000100"
RULE = ReportedRule(guideline_id="g-1", text="Name the place.", authors=("Ana", "Ben"), cases=3)


def a_week(
    cases: Sequence[tuple[StoredVerdict, list[Feedback]]],
    values: object = bool,
    curve: Sequence[CurvePoint] = (),
    **fields: Any,
) -> JudgeWeek:
    """A judge's week of answered verdicts; `fields` are those of its report."""
    value_type = value_type_of(values)
    counted = (counted_verdict(*case, value_type, WEEK, LINK) for case in cases)
    report = report_of(cases, values=values, **fields)
    figures = replace(
        report.figures, guidelines_learned=len(report.learned), guidelines_retired=len(report.retired)
    )
    return JudgeWeek(
        report=replace(report, figures=figures),
        value_type=value_type,
        verdicts=tuple(each for each in counted if each),
        curve=tuple(curve),
    )


def a_full_week(**fields: Any) -> JudgeWeek:
    """A week with something of everything: 21 of 28 verdicts right, rules, and a year's curve."""
    cases = [voted(number, number % 3 != 0, UP if number % 3 != 0 else DOWN) for number in range(21)]
    cases += [voted(100 + number, True, DOWN, DOWN) for number in range(7)]
    rules = {"learned": (RULE,), "people": ("Ana", "Ben"), "unnamed_people": 0}
    return a_week(cases, curve=points(52, first="2025-W49"), **{**rules, **fields})
