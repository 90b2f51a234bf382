"""The answered verdicts of several weeks."""

import asyncio
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from bot.feedback import Feedback
from bot.reports.vote_week import VoteWeek, first_vote_week
from bot.runtime.clock import DAY_MS, week_bounds
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import PersonFeedback, StoredVerdict

AnsweredVerdict = tuple[StoredVerdict, Sequence[Feedback]]
"""A verdict with the feedback on it."""
TouchedVerdict = tuple[StoredVerdict, Mapping[str, PersonFeedback]]
"""A verdict with all that people did about it."""
VERDICTS_AT_ONCE = 200
"""Verdicts whose feedback is read in one go; 20 ms."""


async def read_answered_weeks(
    database: Database, judge: str, value_type: ValueType, weeks: Sequence[str], zone: ZoneInfo
) -> dict[str, list[AnsweredVerdict]]:
    """Return a judge's verdicts of some ISO weeks, each with the votes as they stood at its own week's end.

    Args:
        database: the store.
        judge: the judge's name.
        value_type: the type of its values.
        weeks: the weeks, one after the other.
        zone: the time zone in which weeks begin and end.

    Returns:
        The verdicts by week; none of a week without any.

    Raises:
        StorageError: the store cannot be read.
    """
    by_week: dict[str, list[AnsweredVerdict]] = {}
    touched = await read_touched(
        database, judge, week_bounds(weeks[0], zone)[0], week_bounds(weeks[-1], zone)[1]
    )
    for start in range(0, len(touched), VERDICTS_AT_ONCE):
        some = touched[start : start + VERDICTS_AT_ONCE]
        # many replies take tenths of a second to read
        for (stored, _), first in zip(
            some, await asyncio.to_thread(_first_weeks, some, value_type, zone), strict=True
        ):
            if first is not None and first.week in weeks:
                by_week.setdefault(first.week, []).append((stored, first.votes))
    return by_week


def _first_weeks(
    touched: Sequence[TouchedVerdict], value_type: ValueType, zone: ZoneInfo
) -> list[VoteWeek | None]:
    return [first_vote_week(stored, people, value_type, zone) for stored, people in touched]


async def read_touched(database: Database, judge: str, start_ms: int, end_ms: int) -> list[TouchedVerdict]:
    """Return a judge's verdicts with feedback from `start_ms` up to, but without, `end_ms`, each with all its feedback.

    It reads a day at a time, since whoever writes to the store waits meanwhile. Raises `StorageError`.
    """
    touched: dict[str, TouchedVerdict] = {}
    for day_ms in range(start_ms, end_ms, DAY_MS):
        day = await database.feedback.voted_between(judge, day_ms, min(day_ms + DAY_MS, end_ms))
        touched.update((each[0].verdict_id, each) for each in day)
    return list(touched.values())
