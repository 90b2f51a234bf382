"""Messages in a card's thread, and answers to votes on the card."""

from bot.blocks.primitives import (
    SlackMessage,
    plain_message,
    small_message,
)
from bot.plain_text import format_label_plain
from memalign.records import Label

CORRECT_VALUE = "correct_value"


def lesson_taken_back() -> SlackMessage:
    """Return the note that replaces a lesson whose feedback is gone."""
    return small_message("Taken back: what I had learned here no longer counts.")


def vote_counted(vote: str | None, *, has_two_votes: bool) -> SlackMessage:
    """Return the answer to a pressed vote button, for the person who pressed it.

    Args:
        vote: the vote that counts now; None if it was taken back.
        has_two_votes: True if the person holds two different votes.
    """
    if has_two_votes:
        return two_votes()
    if vote is None:
        return plain_message("Your vote is taken back.")
    words = {"up": "the judge is right", "down": "the judge is wrong", "unsure": "you can't tell"}
    return plain_message(f"Counted: {words[vote]}.")


def two_votes() -> SlackMessage:
    """Return the hint, for one person, that their button and reactions contradict each other."""
    return plain_message(
        "You now hold two different votes on this card, so neither counts. Take one of them back."
    )


def value_counted(value: Label, *, has_two_votes: bool) -> SlackMessage:
    """Return the answer to a chosen value, for the person who chose it; `has_two_votes` as for `vote_counted`."""
    if has_two_votes:
        return two_votes()
    return plain_message(
        f"Your vote counts: you'd say {format_label_plain(value)}. What makes it so? Reply here."
    )


def not_counted() -> SlackMessage:
    """Return the answer to a guest, or a person of a connected workspace, where these do not teach."""
    return plain_message(
        "Thank you! Here only members of this workspace teach the judge, so this does not count."
    )


def not_in_channel() -> SlackMessage:
    """Return the answer to a click of somebody who is not in the card's channel."""
    return plain_message("Only members of the card's channel can do that. Join the channel, and try again.")


def card_gone() -> SlackMessage:
    """Return the answer to a click on a card whose trace was forgotten."""
    return plain_message("This card's trace was forgotten, so there is nothing left to vote on.")


def not_a_card() -> SlackMessage:
    """Return the answer to a shortcut on a message that is not a card."""
    return plain_message("That message is not one of my cards. Choose this on a card, or in its thread.")
