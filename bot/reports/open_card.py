"""The cards that people may still answer, and the state of each."""

from collections.abc import Mapping

from bot.card_expiry import MS_OPEN
from bot.config import JudgeSettings
from bot.feedback import all_feedback, has_answered
from bot.reports.verdict_label import is_tied
from bot.runtime.clock import now_ms
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import PersonFeedback, StoredVerdict

People = Mapping[str, PersonFeedback]
"""All that people did about one verdict, by person."""


async def read_open_cards(database: Database, judge: JudgeSettings) -> list[StoredVerdict]:
    """Return the cards of the last days in a judge's channel, answered or not. Raises `StorageError`."""
    now = now_ms()
    # Slack's clock, which tells when a card was posted, may be ahead of ours
    cards = await database.verdicts.cards_between(judge.name, now - MS_OPEN, now + MS_OPEN)
    return [card for card in cards if card.channel == judge.channel]


def is_unanswered(card: StoredVerdict, people: People, value_type: ValueType) -> bool:
    """Return whether nobody holds a vote on a card."""
    return not any(has_answered(card, person, events, value_type) for person, events in people.items())


def is_split(card: StoredVerdict, people: People, value_type: ValueType) -> bool:
    """Return whether people tie on a card, so that one more vote decides."""
    return is_tied(card, all_feedback(card, people, value_type), value_type)
