"""The page of a judge's report."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from bot.blocks.selection import SELECTION_WORDS
from bot.charts.drawing import chart_svg
from bot.charts.learning_curve import draws_base, learning_curve_chart
from bot.config import SkippedKind
from bot.digest_words import counts_with_share, gap_sentence, learning_sentences, strength
from bot.judge_report import JudgeReport, ReportRule, RuleGroup
from bot.pages.environment import render
from bot.pages.error_tables import differences, label_matrix
from bot.pages.report_limits import report_limits
from bot.pages.report_sentences import (
    agreement_sentences,
    anchoring_sentences,
    error_sentence,
    learning_in_short,
)
from bot.plain_text import capitalised
from bot.records import MemoryComparison, ShadowComparison
from memalign.judge import LOCAL_MODELS

SKIPPED: Mapping[SkippedKind, str] = {
    "errors": "runs that ended with an error",
    "empty_outputs": "runs without output",
    "no_expectations": "traces without expectations",
}
RULE_TITLES: Mapping[RuleGroup, str] = {
    "used": "In use",
    "doubtful": "In doubt",
    "waiting": "Not used yet",
    "retired": "Retired",
}
CURVE_TITLE = "Agreement by week"


def judge_report_page(report: JudgeReport) -> str:
    """Return the page, one HTML document that needs nothing beside it."""
    life = report.life
    return render(
        "judge_report.html",
        {
            "report": report,
            "short": _short(report),
            "chart": Markup(chart_svg(learning_curve_chart(CURVE_TITLE, report.curve), "curve")),  # noqa: S704
            "points": {point.week: point for point in report.curve},
            "is_weighted": report.data.has_different_chances,
            "draws_base": draws_base(report.curve),
            "has_base": any(point.base for point in report.curve),
            "comparisons": [
                *_comparisons("Without memory", life.against_base),
                *_comparisons("With Monday's memory", life.against_last_week),
            ],
            "learning": learning_sentences(life),
            "limits": report_limits(report),
            "matrix": label_matrix(report.card.value_type, report.labels),
            "differences": differences(report.labels) if life.has_scores else None,
            "blind": anchoring_sentences(life),
            "gap": gap_sentence(life),
            "skipped": [SKIPPED[kind] for kind in report.card.skipped],
            "reasons": [
                (capitalised(SELECTION_WORDS[reason]), count) for reason, count in report.data.reasons.items()
            ],
            "rules": _rules(report.rules),
            "reads_no_guidelines": report.card.model.startswith(LOCAL_MODELS),
            "strength": strength,
            "counts_with_share": counts_with_share,
        },
    )


def _short(report: JudgeReport) -> list[str]:
    """Return the paragraphs on agreement, on learning and on errors."""
    paragraphs = (agreement_sentences(report), learning_in_short(report), [error_sentence(report)])
    return [text for sentences in paragraphs if (text := " ".join(filter(None, sentences)))]


def _comparisons(memory: str, comparison: ShadowComparison | None) -> list[tuple[str, str, MemoryComparison]]:
    """Return the rows of a comparison with another memory; near copies apart where there are any."""
    if comparison is None:
        return []
    rows = [("all traces", comparison.all)]
    if comparison.seen_before.n:
        rows += [("new traces", comparison.new), ("near copies of learned cases", comparison.seen_before)]
    return [(memory, traces, figures) for traces, figures in rows]


def _rules(rules: Sequence[ReportRule]) -> list[tuple[str, list[ReportRule]]]:
    groups = (
        (title, [rule for rule in rules if rule.group == group]) for group, title in RULE_TITLES.items()
    )
    return [(title, group) for title, group in groups if group]
