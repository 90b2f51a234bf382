"""The one week that a verdict belongs to, and the votes that count in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.feedback import Feedback, feedback_of
from bot.runtime.clock import from_ms, week_bounds, week_of
from memalign.value_types import ValueType
from storage.feedback_events import as_of, moments
from storage.records import PersonFeedback, StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteWeek:
    """The week of a verdict's first vote, and the votes as they stood at that week's end."""

    week: str
    """The ISO week."""
    votes: Sequence[Feedback]
    """Up, down and unsure; at least one."""


def first_vote_week(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType, zone: ZoneInfo
) -> VoteWeek | None:
    """Return the one week that a verdict belongs to, with its votes; None while it has none.

    A vote taken back within its week is none.

    Args:
        stored: the verdict.
        people: all feedback on it, by person.
        value_type: the judge's.
        zone: the time zone in which weeks begin and end.
    """
    for week in _weeks_of_feedback(people, zone):
        if votes := _votes_at(stored, people, value_type, week_bounds(week, zone)[1]):
            return VoteWeek(week=week, votes=votes)
    return None


def votes_in_week(
    stored: StoredVerdict,
    people: Mapping[str, PersonFeedback],
    value_type: ValueType,
    week: str,
    zone: ZoneInfo,
) -> list[Feedback]:
    """Return the votes on a verdict as they stood at the end of a week, if it is the verdict's.

    A verdict belongs to the week of its first vote, in whose figures it counts ever after.

    Args:
        stored: the verdict.
        people: all feedback on it, by person.
        value_type: the judge's.
        week: the ISO week.
        zone: the time zone in which weeks begin and end.

    Returns:
        The votes up, down and unsure; none if the verdict belongs to another week, or to none yet.
    """
    first = first_vote_week(stored, people, value_type, zone)
    return list(first.votes) if first is not None and first.week == week else []


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


def _weeks_of_feedback(people: Mapping[str, PersonFeedback], zone: ZoneInfo) -> list[str]:
    """Return the weeks in which anything was said or taken back, in order."""
    known = {moment for events in people.values() for moment in moments(events)}
    return sorted({week_of(from_ms(moment, zone).date()) for moment in known})


def _votes_at(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType, end_ms: int
) -> list[Feedback]:
    feedback = (
        feedback_of(stored, person, as_of(events, end_ms), value_type) for person, events in people.items()
    )
    return [entry for entry in feedback if entry.vote is not None]
