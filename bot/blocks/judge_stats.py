"""A judge's figures over its life, in short."""

from bot.blocks.agreement_chart import agreement_chart
from bot.blocks.chart import chart_words
from bot.blocks.digest_rules import doubt_words
from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import MAX_TEXT_LENGTH, Block, SlackMessage, button, section
from bot.guideline_page import GuidelineQuery
from bot.judge_stats import JudgeStats
from bot.plain_text import pluralise
from bot.records import Digest
from bot.report_words import agreement_words, day_words


def judge_stats_message(stats: JudgeStats) -> SlackMessage:
    """Return the agreement of last week, of the last weeks and of all, the curve, and what the judge has learned."""
    lines = [f"*{escape_name(stats.title, 150)}*{_since(stats)}", *_periods(stats)]
    learned = " ".join(filter(None, (_learned(stats), doubt_words(stats.doubtful))))
    see_all = button("See all", SHOW_GUIDELINES, GuidelineQuery(judge=stats.judge).to_json())
    chart = agreement_chart(stats.curve)
    blocks: tuple[Block, ...] = (
        section("\n".join(lines)),
        *chart,
        {**section(learned), "accessory": see_all} if stats.in_use or stats.doubtful else section(learned),
    )
    text = "\n".join([*lines, *map(chart_words, chart), learned])
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=blocks)


def _periods(stats: JudgeStats) -> list[str]:
    life = stats.life
    if not life.people:
        return ["Nobody has voted on a verdict yet."]
    return [
        f"• Last week: {_period(stats.last_week)}",
        f"• The last {pluralise(stats.weeks, 'week')}, with this one: {_period(stats.last_weeks)}",
        f"• In all: {_period(life)}, by {pluralise(life.people, 'person', 'people')}",
    ]


def _since(stats: JudgeStats) -> str:
    if stats.since is None:
        return " has judged nothing yet"
    return f" · judging since {day_words(stats.since)} {stats.since.year}"


def _period(figures: Digest) -> str:
    return (
        agreement_words(figures)
        if figures.n
        else "no verdict found a majority"
        if figures.people
        else "no votes"
    )


def _learned(stats: JudgeStats) -> str:
    if not (stats.cases or stats.in_use):
        return "It remembers no cases and uses no guidelines."
    rules = pluralise(stats.in_use, "guideline") if stats.in_use else "no guidelines"
    return f"It remembers {pluralise(stats.cases, 'case')} and uses {rules}."
