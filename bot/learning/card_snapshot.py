"""A card and its thread as Slack shows them at one moment, and how that differs from what the store knows. Pure.

A later event always wins: what is read counts as known at the moment of reading, by Slack's clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.feedback import REPLY_SUBTYPES
from bot.vote_marks import vote_of_reaction
from memalign.records import Json
from storage.records import FeedbackEvent, PersonFeedback


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSnapshot:
    """A card and its thread as Slack shows them."""

    card_ts: str
    reactions: Mapping[str, frozenset[str]]
    """Our emoji names -> people who put them there."""
    partial: frozenset[str]
    """Emoji of which Slack did not name all people."""
    replies: Mapping[tuple[str, str], Mapping[str, Json]]
    """(person, ts) -> the message."""
    at: str
    """The moment of reading, as an event time of Slack's clock."""


def snapshot_of(
    message: Mapping[str, Json], thread: Sequence[Mapping[str, Json]], *, card_ts: str, at: str
) -> CardSnapshot | None:
    """Read a card's message and its thread; None if they do not show the card: nothing follows from that."""
    if message.get("ts") != card_ts or card_ts not in {reply.get("ts") for reply in thread}:
        return None
    ours = [each for each in message.get("reactions") or [] if vote_of_reaction(str(each["name"]))]
    return CardSnapshot(
        card_ts=card_ts,
        reactions={str(each["name"]): frozenset(each["users"]) for each in ours},
        partial=frozenset(str(each["name"]) for each in ours if each["count"] > len(each["users"])),
        replies={
            (str(reply["user"]), str(reply["ts"])): reply for reply in thread if is_reply(reply, card_ts)
        },
        at=at,
    )


def is_reply(message: Mapping[str, Json], card_ts: str) -> bool:
    """Return whether a message of a thread carries a person's own words."""
    own = message.get("ts") != card_ts and bool(message.get("user")) and not message.get("bot_id")
    return own and message.get("subtype") in REPLY_SUBTYPES


def diff(snapshot: CardSnapshot, known: Mapping[str, PersonFeedback]) -> list[FeedbackEvent]:
    """Return the events that lead from what the store knows to what Slack shows.

    Args:
        snapshot: the card as Slack shows it.
        known: each person's feedback on the card's verdict, as stored.
    """
    return [*_reactions(snapshot, known), *_replies_shown(snapshot, known), *_replies_gone(snapshot, known)]


def _reactions(snapshot: CardSnapshot, known: Mapping[str, PersonFeedback]) -> Iterator[FeedbackEvent]:
    shown = {(person, name) for name, people in snapshot.reactions.items() for person in people}
    stored = {
        (person, name)
        for person, feedback in known.items()
        for name, reaction in feedback.reactions.items()
        if reaction.value
    }
    removed = {(person, name) for person, name in stored - shown if name not in snapshot.partial}
    for person, name in sorted((shown - stored) | removed):
        value = (person, name) in shown
        yield FeedbackEvent(person=person, kind="reaction", name=name, value=value, at=snapshot.at)


def _replies_shown(snapshot: CardSnapshot, known: Mapping[str, PersonFeedback]) -> Iterator[FeedbackEvent]:
    for (person, ts), message in snapshot.replies.items():
        reply = known[person].replies.get(ts) if person in known else None
        text, edited = str(message.get("text") or ""), (message.get("edited") or {}).get("ts")
        if reply is None or (edited and reply.text != text):
            yield FeedbackEvent(person=person, kind="reply", name=ts, value=text, at=str(edited or ts))


def _replies_gone(snapshot: CardSnapshot, known: Mapping[str, PersonFeedback]) -> Iterator[FeedbackEvent]:
    for person, feedback in known.items():
        for ts, reply in feedback.replies.items():
            # a modal's reason is stored at the card's own ts; a newer reply may not have been there yet
            may_be_shown = ts != snapshot.card_ts and Decimal(ts) < Decimal(snapshot.at)
            if may_be_shown and reply.text is not None and (person, ts) not in snapshot.replies:
                yield FeedbackEvent(person=person, kind="reply", name=ts, value=None, at=snapshot.at)
