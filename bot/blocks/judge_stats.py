"""A judge's figures over its life, in short."""

from bot.blocks.agreement_chart import agreement_chart
from bot.blocks.chart import chart_words
from bot.blocks.digest import doubt_words
from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import MAX_TEXT_LENGTH, Block, SlackMessage, button, context, section
from bot.guideline_page import GuidelineQuery
from bot.judge_stats import JudgeStats
from bot.plain_text import pluralise
from bot.records import Digest
from bot.report_words import agreement_words, day_words


def judge_stats_message(stats: JudgeStats) -> SlackMessage:
    """Return the agreement of last week, of the last weeks and of all, the curve, and what the judge has learned."""
    lines = [
        f"*{escape_name(stats.title, 150)}*{_since(stats)}",
        f"• Last week: {_period(stats.last_week)}",
        f"• The last {pluralise(stats.weeks, 'week')}: {_period(stats.last_weeks)}",
        f"• In all: {_period(stats.life)}",
    ]
    learned = " ".join(filter(None, (_learned(stats), doubt_words(stats.doubtful))))
    see_all = button("See all", SHOW_GUIDELINES, GuidelineQuery(judge=stats.judge).to_json())
    chart = agreement_chart(stats.curve)
    people = f"{pluralise(stats.life.people, 'person has', 'people have')} answered so far."
    blocks: tuple[Block, ...] = (
        section("\n".join(lines)),
        *chart,
        {**section(learned), "accessory": see_all},
        context(people),
    )
    text = "\n".join([*lines, *map(chart_words, chart), learned, people])
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=blocks)


def _since(stats: JudgeStats) -> str:
    if stats.since is None:
        return " has judged nothing yet"
    return f" · judging since {day_words(stats.since)} {stats.since.year}"


def _period(figures: Digest) -> str:
    return agreement_words(figures) if figures.n else "no verdict with a majority of votes"


def _learned(stats: JudgeStats) -> str:
    return f"It remembers {pluralise(stats.cases, 'case')} and uses {pluralise(stats.in_use, 'guideline')}."
