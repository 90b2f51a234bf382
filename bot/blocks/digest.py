"""The weekly digest as a lead reads it: is the judge good, or better; what went wrong, what changed, what waits."""

from collections.abc import Sequence

from bot.blocks.agreement_chart import agreement_chart
from bot.blocks.chart import chart_words
from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.blocks.mrkdwn import escape, escape_name
from bot.blocks.primitives import MAX_TEXT_LENGTH, Block, SlackMessage, button, context, section
from bot.blocks.rich_text import bullets, link_run, rich_section, rich_text, run
from bot.digest_words import distance_sentence, late_line, learning_sentences, weighting_reason
from bot.guideline_page import GuidelineQuery
from bot.plain_text import pluralise
from bot.records import Digest
from bot.report_words import (
    headline,
    main_mistake,
    overruled_words,
    thanked_people,
    waiting_words,
    week_dates,
)
from bot.runtime.clock import week_of
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport
from memalign.records import Guideline

ANSWER_OPEN_CARDS = "answer_open_cards"
"""The button under what waits: the judge's open cards are shown to the person who presses it."""
MAX_OVERRULED_SHOWN, MAX_RULES_SHOWN, MAX_RETIRED_SHOWN = 3, 3, 2
MAX_QUESTION_SHOWN, MAX_RULE_SHOWN = 80, 200
MAX_AUTHORS_SHOWN = 3
COUNT_WORDS = ("none", "one", "two", "three")

Part = tuple[str, tuple[Block, ...]]
"""A line of the text for notifications, and the blocks that say the same."""


def digest_message(report: WeeklyReport) -> SlackMessage:
    """Return a judge's week; one without votes and changes is a single line."""
    return _message(_parts(report))


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
    return _message([*_parts(report), _small(closing)])


def _message(parts: Sequence[Part]) -> SlackMessage:
    text = "\n".join(line for line, _ in parts)
    return SlackMessage(
        text=text[:MAX_TEXT_LENGTH], blocks=tuple(block for _, part in parts for block in part)
    )


def _parts(report: WeeklyReport) -> list[Part]:
    if report.is_quiet:
        return [_quiet_week(report)]
    parts = (
        _headline(report),
        _chart(report),
        _learning(report),
        _mistakes(report),
        _rules(report),
        _doubts(report),
        _waiting(report),
        _late(report),
        _thanks(report),
    )
    return [part for part in parts if part is not None]


def _paragraph(text: str, accessory: Block | None = None) -> Part:
    block = section(text)
    return text, ({**block, "accessory": accessory} if accessory else block,)


def _small(text: str) -> Part:
    return text, (context(text),)


def _title(report: WeeklyReport) -> str:
    so_far = ", so far" if report.is_running else ""
    return f"*{escape_name(report.title, 150)}* · {week_dates(report)}{so_far}"


def _quiet_week(report: WeeklyReport) -> Part:
    if report.is_future:
        return _paragraph(f"{_title(report)}: this week has not begun yet.")
    yet = " yet" if report.is_running else ""
    answer = f"nobody has voted{yet}" if report.figures.shown else f"no cards and no votes{yet}"
    waiting = waiting_words(report)
    line = f"{_title(report)}: a quiet week, {answer}."
    return _paragraph(" ".join(filter(None, (line, waiting))), _answer_button(report) if waiting else None)


def _headline(report: WeeklyReport) -> Part:
    told = headline(report)
    evidence = f" ({told.evidence})" if told.evidence else ""
    stop = "" if told.evidence else "."
    lines = [_title(report), f"*{told.agreement}*{evidence}{stop} {told.change}".strip()]
    if reason := weighting_reason(report.figures):
        week = report.figures
        lines.append(f"{reason} You agreed with {week.agreed} of {week.n}.")
    if distance := distance_sentence(report.figures):
        lines.append(distance)
    return _paragraph("\n".join(lines))


def _chart(report: WeeklyReport) -> Part | None:
    chart = agreement_chart(report.curve)
    return ("\n".join(map(chart_words, chart)), chart) if chart else None


def _learning(report: WeeklyReport) -> Part | None:
    """Return the first of the sentences on what the judge's memory changed; the others stand in the thread."""
    sentences = learning_sentences(report.figures)
    return _paragraph(sentences[0]) if sentences else None


# --- mistakes


def _mistakes(report: WeeklyReport) -> Part | None:
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
    return _first_words(verdict.question, MAX_QUESTION_SHOWN)


def _first_words(text: str, length: int) -> str:
    """Return the beginning of a text in one line, cut at a word; not escaped."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    cut = line[:length]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut else cut} …"


# --- guidelines


def _rules(report: WeeklyReport) -> Part | None:
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
    return _first_words(rule.text, MAX_RULE_SHOWN)


def _origin(rule: ReportedRule) -> str:
    """Return the authors, the number of cases and the state of a guideline, in brackets; not escaped."""
    names = list(rule.authors[:MAX_AUTHORS_SHOWN])
    if len(rule.authors) > MAX_AUTHORS_SHOWN:
        names.append("others")
    parts = [" and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))] if names else []
    if rule.cases:
        parts.append(pluralise(rule.cases, "case"))
    state = "in doubt" if rule.is_doubtful else "not used yet" if rule.is_pending else ""
    return f"({', '.join(filter(None, (*parts, state)))})" if parts or state else ""


def _doubts(report: WeeklyReport) -> Part | None:
    line = doubt_words(len(report.doubtful))
    if not line:
        return None
    see = button("Decide", SHOW_GUIDELINES, GuidelineQuery(judge=report.judge).to_json())
    first = report.doubtful[0]
    lines = [f"⚠️ {line}", f"The first: “{escape(_rule(first))}”"]
    return _paragraph("\n".join(lines), see)


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


# --- what waits, and thanks


def _waiting(report: WeeklyReport) -> Part | None:
    words = waiting_words(report)
    return _paragraph(words, _answer_button(report)) if words else None


def _answer_button(report: WeeklyReport) -> Block | None:
    """Return the button that offers open cards; None where there are none."""
    number = min(report.open_splits + report.unanswered, len(COUNT_WORDS) - 1)
    return button(f"Answer {COUNT_WORDS[number]} now", ANSWER_OPEN_CARDS, report.judge) if number else None


def _late(report: WeeklyReport) -> Part | None:
    line = late_line(report.figures)
    return _small(line) if line else None


def _thanks(report: WeeklyReport) -> Part | None:
    if not report.figures.people:
        return None
    return _paragraph(f"Thanks to {_thanked(report)}.")


def _thanked(report: WeeklyReport) -> str:
    names = [escape_name(name, 80) for name in thanked_people(report)]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
