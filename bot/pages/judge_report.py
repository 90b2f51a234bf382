"""The page of a judge's report."""

from collections.abc import Mapping, Sequence

from bot.judge_report import JudgeReport, ReportRule, RuleGroup
from bot.pages.environment import render
from bot.pages.error_tables import differences, label_matrix
from bot.pages.report_limits import report_limits
from bot.pages.report_sentences import (
    agreement_sentence,
    agreement_word,
    error_sentence,
    gap_sentence,
    share_words,
)
from storage.records import SelectionReason

REASONS: Mapping[SelectionReason, str] = {
    "all": "Every trace that was sampled is shown",
    "random": "Picked by chance",
    "unlike": "Unlike anything seen before",
    "disagreement": "Second opinions differ from the verdict",
    "dissent": "People said different things on similar cases",
    "new_rule": "A new guideline led the judge",
    "doubtful_rule": "A doubtful guideline led the judge",
    "conflicting_rules": "Guidelines that contradict each other led the judge",
}
RULE_TITLES: Mapping[RuleGroup, str] = {
    "used": "In use",
    "doubtful": "In doubt",
    "waiting": "Not used yet",
    "retired": "Retired",
}


def judge_report_page(report: JudgeReport) -> str:
    """Return the page, one HTML document that needs nothing beside it."""
    short = (agreement_sentence(report), error_sentence(report))
    return render(
        "judge_report.html",
        {
            "report": report,
            "short": [sentence for sentence in short if sentence],
            "limits": report_limits(report),
            "matrix": label_matrix(report.card.value_type, report.labels),
            "differences": differences(report.labels) if report.life.has_scores else None,
            "gap": gap_sentence(report.life),
            "reasons": [(REASONS[reason], count) for reason, count in report.data.reasons.items()],
            "rules": _rules(report.rules),
            "agreement_word": agreement_word,
            "share_words": share_words,
        },
    )


def _rules(rules: Sequence[ReportRule]) -> list[tuple[str, list[ReportRule]]]:
    groups = (
        (title, [rule for rule in rules if rule.group == group]) for group, title in RULE_TITLES.items()
    )
    return [(title, group) for title, group in groups if group]
