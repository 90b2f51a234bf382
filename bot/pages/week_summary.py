"""A judge's week in sentences and rows of plain text, of which the pages in Markdown and in HTML are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.digest_words import (
    coverage_line,
    figure_sentences,
    late_line,
    learning_sentences,
    percent,
    weighting_reason,
)
from bot.judge_week import JudgeWeek
from bot.pages.error_tables import LabelMatrix, label_matrix
from bot.pages.week_charts import label_counts
from bot.plain_text import enumerated, format_label_plain, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, AgreementShare, CurvePoint, EstimatedShare
from bot.report_words import (
    Headline,
    guideline_line,
    headline,
    main_mistake,
    rule_state,
    thanked_people,
    waiting_words,
)
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport

MAX_OVERRULED = 25
"""Overruled verdicts that a page lists; the rows of the CSV are all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverruledRow:
    """A verdict of which most people say otherwise."""

    question: str
    link: str
    """Empty where it is not known."""
    judge: str
    people: str
    """Such as `fail (3 of 3)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A guideline that came, went or waits for a decision."""

    text: str
    change: str
    """`new`, `retired` or `in doubt`."""
    origin: str
    """Its authors, as far as they may be named, and its number of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRow:
    """A week of the curve."""

    week: str
    verdicts: int
    agreement: str
    base: str
    """Of the judge without what it learned; empty where that was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSummary:
    """One judge's week; no text is escaped."""

    title: str
    quiet: str
    """A sentence where the week has nothing else to tell; else empty."""
    headline: Headline
    notes: Sequence[str]
    overruled: Sequence[OverruledRow]
    more_overruled: int
    """Those that are not listed."""
    rules_head: str
    """Empty without any."""
    rules: Sequence[RuleRow]
    closing: Sequence[str]
    """Cards that wait, and thanks."""
    figures: Sequence[str]
    matrix: LabelMatrix | None
    curve: Sequence[CurveRow]


def summarise(week: JudgeWeek) -> WeekSummary:
    """Return a week in words."""
    report = week.report
    comparable = report.figures.is_comparable and not report.figures.has_scores
    matrix = label_matrix(week.value_type, label_counts(week.verdicts)) if comparable else None
    return WeekSummary(
        title=report.title,
        quiet=_quiet(report),
        headline=headline(report),
        notes=_notes(report),
        overruled=[_overruled(each) for each in report.overruled[:MAX_OVERRULED]],
        more_overruled=max(len(report.overruled) - MAX_OVERRULED, 0),
        rules_head=_rules_head(report),
        rules=_rules(report),
        closing=[line for line in (waiting_words(report), _thanks(report)) if line],
        figures=_figures(report),
        matrix=matrix if week.verdicts else None,
        curve=[_curve_row(point) for point in week.curve],
    )


def _quiet(report: WeeklyReport) -> str:
    if not report.is_quiet:
        return ""
    if report.is_future:
        return "This week has not begun yet."
    return "A quiet week: nobody voted, and nothing was learned."


def _notes(report: WeeklyReport) -> list[str]:
    week, mistakes = report.figures, main_mistake(report)
    weighed = f"{weighting_reason(week)} You agreed with {week.agreed} of {week.n}."
    return [
        *([weighed] if weighting_reason(week) else []),
        *([f"{mistakes.share} {mistakes.kind} ({mistakes.count} of {mistakes.total})."] if mistakes else []),
    ]


def _overruled(verdict: ReportedVerdict) -> OverruledRow:
    people = "not so" if verdict.people_value is None else format_label_plain(verdict.people_value)
    return OverruledRow(
        question=verdict.question or verdict.trace_id,
        link=verdict.link,
        judge=format_label_plain(verdict.value),
        people=f"{people} ({verdict.majority}\u00a0of\u00a0{verdict.labels})",
    )


def _rules_head(report: WeeklyReport) -> str:
    new, gone = report.figures.guidelines_learned, report.figures.guidelines_retired
    parts = [pluralise(new, "new guideline")] if new else []
    parts += [f"{gone} retired"] if gone else []
    doubtful = len(report.doubtful)
    parts += [f"{doubtful} in doubt, for you to decide"] if doubtful else []
    head = ", ".join(parts)
    return head if new or not head else f"Guidelines: {head}"


def _rules(report: WeeklyReport) -> list[RuleRow]:
    told = {rule.guideline_id for rule in (*report.learned, *report.retired)}
    return [
        *(_rule(rule, "new") for rule in report.learned),
        *(_rule(rule, "retired") for rule in report.retired),
        *(_rule(rule, "") for rule in report.doubtful if rule.guideline_id not in told),
    ]


def _rule(rule: ReportedRule, change: str) -> RuleRow:
    cases = [pluralise(rule.cases, "case")] if rule.cases else []
    return RuleRow(
        text=rule.text,
        change=", ".join(filter(None, (change, rule_state(rule)))),
        origin=", ".join([*rule.authors, *cases]),
    )


def _thanks(report: WeeklyReport) -> str:
    if not report.figures.people:
        return ""
    return f"Thanks to {enumerated(thanked_people(report))}."


def _figures(report: WeeklyReport) -> list[str]:
    week = report.figures
    sentences = (*figure_sentences(week), *learning_sentences(week), coverage_line(week), late_line(week))
    return [*(line for line in sentences if line), guideline_line(report)]


def _curve_row(point: CurvePoint) -> CurveRow:
    return CurveRow(
        week=point.week,
        verdicts=point.shown.n,
        agreement=_share_words(point.shown, point.estimate),
        base=_base_words(point),
    )


def _share_words(counts: AgreementShare, estimate: EstimatedShare) -> str:
    if counts.n < MIN_VERDICTS_FOR_SHARE:
        return f"{counts.agreed} of {counts.n}"
    return f"{percent(estimate.share)} ({percent(estimate.low)} to {percent(estimate.high)})"


def _base_words(point: CurvePoint) -> str:
    if point.base is None or point.beside_base is None or point.base_share is None:
        return ""
    counts = f"{point.base.agreed} of {point.base.n}, with it {point.beside_base.agreed}"
    return counts if point.base.n < MIN_VERDICTS_FOR_SHARE else f"{percent(point.base_share)} ({counts})"
