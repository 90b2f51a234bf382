"""The weekly digest as a lead reads it: is the judge good, or better; what went wrong, what changed, what waits."""

from bot.blocks.agreement_chart import agreement_chart
from bot.blocks.chart import chart_words
from bot.blocks.digest_mistakes import mistakes_part
from bot.blocks.digest_rules import doubts_part, rules_part
from bot.blocks.message_part import MessagePart, message_of, paragraph_part, small_part
from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import Block, SlackMessage, button
from bot.digest_words import distance_sentence, late_line, learning_sentences, weighting_reason
from bot.plain_text import enumerated, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, Digest
from bot.report_words import headline, thanked_people, waiting_words, week_dates
from bot.runtime.clock import week_of
from bot.weekly_report import WeeklyReport

ANSWER_OPEN_CARDS = "answer_open_cards"
"""The button under what waits: the judge's open cards are shown to the person who presses it."""
COUNT_WORDS = ("none", "one", "two", "three")


def digest_message(report: WeeklyReport) -> SlackMessage:
    """Return a judge's week; one without votes and changes is a single line."""
    return message_of(_parts(report))


def weekly_digest_message(report: WeeklyReport, running: Digest) -> SlackMessage:
    """Return the digest that a channel gets, with the week that has begun since, so that nothing waits unseen.

    Args:
        report: the week.
        running: the week after it, so far.
    """
    if report.is_quiet:
        return digest_message(report)
    so_far = (
        f"This week so far: you agreed with {running.agreed} of {pluralise(running.n, 'verdict')}."
        if running.n and running.week == week_of(report.today)
        else ""
    )
    closing = " ".join(filter(None, (so_far, "All figures are in the thread.")))
    return message_of([*_parts(report), small_part(closing)])


def _parts(report: WeeklyReport) -> list[MessagePart]:
    if report.is_quiet:
        return [_quiet_week(report)]
    parts = (
        _headline(report),
        _chart(report),
        _learning(report),
        mistakes_part(report),
        rules_part(report),
        doubts_part(report),
        _waiting(report),
        _late(report),
        _thanks(report),
    )
    return [part for part in parts if part is not None]


def _title(report: WeeklyReport) -> str:
    so_far = ", so far" if report.is_running else ""
    return f"*{escape_name(report.title, 150)}* · {week_dates(report)}{so_far}"


def _quiet_week(report: WeeklyReport) -> MessagePart:
    if report.is_future:
        return paragraph_part(f"{_title(report)}: this week has not begun yet.")
    yet = " yet" if report.is_running else ""
    answer = f"nobody has voted{yet}" if report.figures.shown else f"no cards and no votes{yet}"
    waiting = waiting_words(report)
    line = f"{_title(report)}: a quiet week, {answer}."
    return paragraph_part(
        " ".join(filter(None, (line, waiting))), _answer_button(report) if waiting else None
    )


def _headline(report: WeeklyReport) -> MessagePart:
    told = headline(report)
    evidence = f" ({told.evidence})" if told.evidence else ""
    stop = "" if told.evidence else "."
    lines = [_title(report), f"*{told.agreement}*{evidence}{stop} {told.change}".strip()]
    if reason := weighting_reason(report.figures):
        week = report.figures
        lines.append(f"{reason} You agreed with {week.agreed} of {week.n}.")
    if distance := distance_sentence(report.figures):
        lines.append(distance)
    return paragraph_part("\n".join(lines))


def _chart(report: WeeklyReport) -> MessagePart | None:
    chart = agreement_chart(report.curve)
    return ("\n".join(map(chart_words, chart)), chart) if chart else None


def _learning(report: WeeklyReport) -> MessagePart | None:
    """Return the first sentence on what the judge's memory changed, of verdicts enough; all stand in the thread."""
    week = report.figures
    comparisons = [each for each in (week.against_base, week.against_last_week) if each is not None]
    if not comparisons or comparisons[0].all.n < MIN_VERDICTS_FOR_SHARE:
        return None
    return paragraph_part(learning_sentences(week)[0])


def _waiting(report: WeeklyReport) -> MessagePart | None:
    words = waiting_words(report)
    return paragraph_part(words, _answer_button(report)) if words else None


def _answer_button(report: WeeklyReport) -> Block | None:
    """Return the button that offers open cards; None where there are none."""
    number = min(report.open_splits + report.unanswered, len(COUNT_WORDS) - 1)
    return button(f"Answer {COUNT_WORDS[number]} now", ANSWER_OPEN_CARDS, report.judge) if number else None


def _late(report: WeeklyReport) -> MessagePart | None:
    line = late_line(report.figures)
    return small_part(line) if line else None


def _thanks(report: WeeklyReport) -> MessagePart | None:
    if not report.figures.people:
        return None
    return paragraph_part(f"Thanks to {_thanked(report)}.")


def _thanked(report: WeeklyReport) -> str:
    return enumerated([escape_name(name, 80) for name in thanked_people(report)])
