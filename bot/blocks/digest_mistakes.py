"""The part of a digest on what went wrong."""

from bot.blocks.excerpt import short_line
from bot.blocks.message_part import MessagePart
from bot.blocks.mrkdwn import escape, escape_name
from bot.blocks.primitives import Block, section
from bot.blocks.rich_text import bullets, link_run, rich_section, rich_text, run
from bot.report_words import main_mistake, overruled_words
from bot.weekly_report import ReportedVerdict, WeeklyReport

MAX_OVERRULED_SHOWN = 3
MAX_QUESTION_SHOWN = 80


def mistakes_part(report: WeeklyReport) -> MessagePart | None:
    """Return how the judge was wrong most, and the verdicts that people overruled most; None without any."""
    overruled = report.overruled[:MAX_OVERRULED_SHOWN]
    if not overruled:
        return None
    mistakes = main_mistake(report)
    kind = (
        ""
        if mistakes is None
        else f"{mistakes.share} *{escape_name(mistakes.kind, 150)}* ({mistakes.count} of {mistakes.total}). "
    )
    head = f"{kind}Most overruled:"
    lines = [f"• “{escape(_question(each))}”: {escape(overruled_words(each), 300)}" for each in overruled]
    listed = rich_text(bullets(*(_overruled(each) for each in overruled)))
    return "\n".join([head, *lines]), (section(head), listed)


def _overruled(verdict: ReportedVerdict) -> Block:
    question = f"“{_question(verdict)}”"
    link = link_run(question, verdict.link) if verdict.link else run(question)
    return rich_section(link, run(f": {overruled_words(verdict)}"))


def _question(verdict: ReportedVerdict) -> str:
    return short_line(verdict.question, MAX_QUESTION_SHOWN)
