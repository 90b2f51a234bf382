"""The part of a digest on what was learned, and on what somebody has to decide."""

from collections.abc import Sequence

from bot.blocks.excerpt import short_line
from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.blocks.message_part import MessagePart, paragraph_part
from bot.blocks.mrkdwn import escape
from bot.blocks.primitives import button, section
from bot.blocks.rich_text import bullets, rich_section, rich_text, run
from bot.guideline_page import GuidelineQuery
from bot.plain_text import enumerated, pluralise
from bot.report_words import rule_state
from bot.weekly_report import ReportedRule, WeeklyReport
from memalign.records import Guideline

MAX_RULES_SHOWN, MAX_RETIRED_SHOWN = 3, 2
MAX_RULE_SHOWN = 200
MAX_AUTHORS_SHOWN = 3


def rules_part(report: WeeklyReport) -> MessagePart | None:
    """Return the guidelines that the week brought and took; None without any."""
    week = report.figures
    new, gone = week.guidelines_learned, week.guidelines_retired
    if not (new or gone):
        return None
    told = [f"*{pluralise(new, 'new guideline')}*"] if new else []
    told += [f"{gone} retired" if new else f"*{pluralise(gone, 'guideline')} retired*"] if gone else []
    head = ", ".join(told)
    learned, retired = report.learned[:MAX_RULES_SHOWN], report.retired[:MAX_RETIRED_SHOWN]
    rows = [(_rule(rule), _origin(rule)) for rule in learned]
    rows += [(_rule(rule), "retired") for rule in retired]
    lines = [f"• “{escape(rule)}” {escape(origin)}" for rule, origin in rows]
    listed = (
        [rich_text(bullets(*(rich_section(run(f"“{rule}” {origin}")) for rule, origin in rows)))]
        if rows
        else []
    )
    see_all = button("See all", SHOW_GUIDELINES, GuidelineQuery(judge=report.judge).to_json())
    return "\n".join([head, *lines]), ({**section(head), "accessory": see_all}, *listed)


def _rule(rule: ReportedRule) -> str:
    return short_line(rule.text, MAX_RULE_SHOWN)


def _origin(rule: ReportedRule) -> str:
    """Return the authors, the number of cases and the state of a guideline, in brackets; not escaped."""
    names = list(rule.authors[:MAX_AUTHORS_SHOWN])
    if len(rule.authors) > MAX_AUTHORS_SHOWN:
        names.append("others")
    parts = [enumerated(names)] if names else []
    if rule.cases:
        parts.append(pluralise(rule.cases, "case"))
    state = rule_state(rule)
    return f"({', '.join(filter(None, (*parts, state)))})" if parts or state else ""


def doubts_part(report: WeeklyReport) -> MessagePart | None:
    """Return the guidelines that somebody has to decide on; None without any."""
    line = doubt_words(len(report.doubtful))
    if not line:
        return None
    see = button("Decide", SHOW_GUIDELINES, GuidelineQuery(judge=report.judge).to_json())
    first = report.doubtful[0]
    lines = [f"⚠️ {line}", f"The first: “{escape(_rule(first))}”"]
    return paragraph_part("\n".join(lines), see)


def doubt_line(rules: Sequence[Guideline]) -> str:
    """Return the line on guidelines that somebody has to decide on, and where; empty where there is none."""
    line = doubt_words(sum(rule.stands and rule.doubtful for rule in rules))
    return f"{line} `/memalign guidelines` lists them first." if line else ""


def doubt_words(number: int) -> str:
    """Return the sentences on guidelines that somebody has to decide on; empty without any."""
    if not number:
        return ""
    verb, whom = ("is", "it") if number == 1 else ("are", "them")
    return (
        f"{pluralise(number, 'guideline')} {verb} in doubt: most votes were against verdicts that rested on {whom}. "
        f"Please keep, edit or retire {whom}."
    )
