"""Answers to blind cards of several weeks, where one week has too few."""

from dataclasses import replace

from bot.config import Settings
from bot.records import MIN_VERDICTS_FOR_SHARE, Digest
from bot.reports.answered_weeks import read_answered_weeks
from bot.reports.blind_agreement import compare_blind, first_answers
from bot.runtime.clock import last_weeks
from memalign.value_types import ValueType
from storage.database import Database

WEEKS_OF_BLIND_ANSWERS = 12
"""Weeks whose answers are taken together. At 10 % blind cards and 20 answers a week they are about 24 answers."""


async def with_blind_of_weeks(
    database: Database, week: Digest, value_type: ValueType, settings: Settings
) -> Digest:
    """Return a week's figures with the blind answers of more weeks, where its own are too few for a share.

    Args:
        database: the store.
        week: the week's figures.
        value_type: the judge's.
        settings: the settings; where no card is to ask first any more, only a week with blind answers is looked at.

    Returns:
        The figures; those of a week with blind answers enough, or of which there are none before either, as they are.

    Raises:
        StorageError: the store cannot be read.
    """
    own = week.blind.n if week.blind else 0
    if own >= MIN_VERDICTS_FOR_SHARE or not (own or settings.sampling.blind):
        return week
    weeks = last_weeks(week.week, WEEKS_OF_BLIND_ANSWERS)
    by_week = await read_answered_weeks(database, week.judge, value_type, weeks, settings.digest.zone)
    verdicts = [each for some in by_week.values() for each in some]
    blind = compare_blind(first_answers(verdicts, value_type), WEEKS_OF_BLIND_ANSWERS)
    return week if blind is None or blind.n == own else replace(week, blind=blind)
