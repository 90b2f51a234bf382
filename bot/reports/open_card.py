"""The state of a card that people may still answer."""

from collections.abc import Mapping

from bot.feedback import all_feedback
from bot.reports.verdict_label import is_tied
from bot.vote_marks import votes_of
from memalign.value_types import ValueType
from storage.records import PersonFeedback, StoredVerdict

People = Mapping[str, PersonFeedback]
"""All that people did about one verdict, by person."""


def is_unanswered(card: StoredVerdict, people: People) -> bool:
    """Return whether nobody holds a vote on a card."""
    return not any(votes_of(card, each) for each in people.values())


def is_split(card: StoredVerdict, people: People, value_type: ValueType) -> bool:
    """Return whether people tie on a card, so that one more vote decides."""
    return is_tied(card, all_feedback(card, people, value_type), value_type)
