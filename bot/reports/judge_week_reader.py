"""Reads one judge's week for a file to hand on."""

from collections.abc import Sequence

from bot.config import JudgeSettings, Settings
from bot.feedback import Feedback
from bot.judge_week import CountedVerdict, JudgeWeek
from bot.reports.digest import read_answered_week
from bot.reports.learning_curve import read_learning_curve
from bot.reports.verdict_label import UNNAMED, label_verdict
from bot.reports.weekly_report_reader import LinksTo, NamesOf, WeeklyReportReader
from memalign.memory.semantic import guidelines_of
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.records import StoredVerdict


async def read_judge_week(
    settings: Settings,
    database: Database,
    judge: JudgeSettings,
    week: str,
    names_of: NamesOf,
    links_to: LinksTo,
) -> JudgeWeek:
    """Return a judge's week.

    Args:
        settings: the bot's.
        database: the store.
        judge: the judge.
        week: the ISO week, such as `2026-W47`.
        names_of: looks up people's names.
        links_to: looks up the addresses of cards.

    Raises:
        StorageError: the store cannot be read.
    """
    value_type, zone = value_type_of(judge.feedback_value_type, judge.range), settings.digest.zone
    rules = guidelines_of(await database.memories.load(judge.name), settings.policy_of(judge))
    reader = WeeklyReportReader(settings, database, names_of, links_to)
    answered = await read_answered_week(database, judge.name, value_type, week, zone)
    in_order = sorted(answered.verdicts, key=lambda each: (each[0].judged_ms, each[0].verdict_id))
    links = await links_to([stored for stored, _ in in_order])
    counted = (
        counted_verdict(stored, votes, value_type, week, links.get(stored.verdict_id, ""))
        for stored, votes in in_order
    )
    return JudgeWeek(
        report=await reader.read(judge, week, rules),
        value_type=value_type,
        verdicts=tuple(each for each in counted if each is not None),
        curve=await read_learning_curve(database, judge.name, value_type, zone, week),
    )


def counted_verdict(
    stored: StoredVerdict, votes: Sequence[Feedback], value_type: ValueType, week: str, link: str
) -> CountedVerdict | None:
    """Return a verdict as it counts in a week; None where people have no majority.

    Args:
        stored: the verdict.
        votes: the votes that count in its week.
        value_type: its judge's.
        week: the ISO week.
        link: the address of its card; empty where it is not known.
    """
    case = label_verdict(stored, votes, value_type)
    if case is None:
        return None
    return CountedVerdict(
        judge=stored.verdict.judge,
        week=week,
        trace_id=stored.verdict.trace_id,
        verdict_id=stored.verdict_id,
        value=case.value,
        people_label=None if case.people_label is UNNAMED else case.people_label,
        agreed=case.agreed,
        people=len({entry.person for entry in votes}),
        selection=stored.selection,
        is_blind=stored.is_blind,
        is_hidden=stored.is_hidden,
        link=link,
    )
