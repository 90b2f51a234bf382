"""The one week that a verdict belongs to, and the votes that count in it."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from bot.feedback import Feedback, feedback_of
from bot.runtime.clock import from_ms, week_bounds, week_of
from memalign.value_types import ValueType
from storage.feedback_events import as_of, moments
from storage.records import PersonFeedback, StoredVerdict


def votes_in_week(
    stored: StoredVerdict,
    people: Mapping[str, PersonFeedback],
    value_type: ValueType,
    week: str,
    zone: ZoneInfo,
) -> list[Feedback]:
    """Return the votes on a verdict as they stood at the end of a week, if it is the verdict's.

    A verdict belongs to the week of its first vote, in whose figures it counts ever after; a vote taken back within
    its week is none.

    Args:
        stored: the verdict.
        people: all feedback on it, by person.
        value_type: the judge's.
        week: the ISO week.
        zone: the time zone in which weeks begin and end.

    Returns:
        The votes up, down and unsure; none if the verdict belongs to another week, or to none yet.
    """
    start_ms, end_ms = week_bounds(week, zone)
    earlier = _week_ends_before(start_ms, people, zone)
    if any(_votes_at(stored, people, value_type, moment) for moment in earlier):
        return []
    return _votes_at(stored, people, value_type, end_ms)


def has_late_vote(
    stored: StoredVerdict,
    people: Mapping[str, PersonFeedback],
    value_type: ValueType,
    week: str,
    zone: ZoneInfo,
) -> bool:
    """Return whether anybody voted in a week on a verdict that has no `votes_in_week`, which takes the same."""
    start_ms, end_ms = week_bounds(week, zone)
    return any(entry.time_ms >= start_ms for entry in _votes_at(stored, people, value_type, end_ms))


def _week_ends_before(start_ms: int, people: Mapping[str, PersonFeedback], zone: ZoneInfo) -> Iterator[int]:
    """Yield the ends of earlier weeks in which anything was said or taken back."""
    known = {moment for events in people.values() for moment in moments(events) if moment < start_ms}
    weeks = {week_of(from_ms(moment, zone).date()) for moment in known}
    return (week_bounds(week, zone)[1] for week in sorted(weeks))


def _votes_at(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType, end_ms: int
) -> list[Feedback]:
    feedback = (
        feedback_of(stored, person, as_of(events, end_ms), value_type) for person, events in people.items()
    )
    return [entry for entry in feedback if entry.vote is not None]
