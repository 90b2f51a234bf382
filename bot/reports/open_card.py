"""The state of a card that people may still answer."""

from collections.abc import Mapping

from bot.feedback import all_feedback
from bot.reports.verdict_label import label_verdict, person_labels
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
    votes = [each for each in all_feedback(card, people, value_type) if each.vote is not None]
    return bool(person_labels(votes, value_type)) and label_verdict(card, votes, value_type) is None
