"""Votes on verdicts, read from people's reactions and presses. Pure.

On a card that asks before it shows the verdict a thumb says which value is right, for there is no verdict yet to agree
with: 👍 is pass. The time of the thumb decides which of the two it says, so it stays what it was once the verdict is
shown, and when Slack delivers it late.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Literal, get_args

from memalign.records import Json
from storage.records import FeedbackEvent, PersonFeedback, StoredVerdict, Timestamped

Vote = Literal["up", "down", "unsure"]
"""👍 the judge is right, 👎 the judge is wrong, 🤷 cannot tell."""

THUMBS: Mapping[str, Vote] = {
    "+1": "up",
    "thumbsup": "up",
    "-1": "down",
    "thumbsdown": "down",
    "shrug": "unsure",
    "person_shrugging": "unsure",
    "man-shrugging": "unsure",
    "woman-shrugging": "unsure",
}
BUTTON_VOTES: Mapping[Json, Vote] = {vote: vote for vote in get_args(Vote)}


def vote_of_reaction(name: str) -> Vote | None:
    """Return the vote of a reaction, whatever its skin tone; None for one that is no vote."""
    return THUMBS.get(name.split("::", 1)[0])


def vote_of_event(stored: StoredVerdict, event: FeedbackEvent) -> Vote | None:
    """Return the vote that a press gives; None for one that takes a vote back, and for all that is no press.

    A correction is none: the vote that it implies is an event of its own.
    """
    match event.kind:
        case "answer":
            return "up" if event.value == stored.verdict.value else "down"
        case "button" | "kept_vote":
            return BUTTON_VOTES.get(event.value)
        case _:
            return None


def is_before_reveal(stored: StoredVerdict, at: str) -> bool:
    """Return whether something of a time was done on a blind card while it did not show its verdict."""
    if not stored.is_blind:
        return False
    return stored.revealed_at is None or Decimal(at) <= Decimal(stored.revealed_at)


def votes_of(stored: StoredVerdict, events: PersonFeedback) -> frozenset[Vote]:
    """Return all votes a person holds at the moment: live reactions, and the button last pressed.

    A vote that the person chose to keep overrules what was there before, until they take it away themselves.

    Args:
        stored: the verdict.
        events: what the person did about it.
    """
    events = with_answer_as_vote(stored, events)
    marks = _vote_marks(stored, events)
    votes = frozenset(vote for vote, mark in marks if mark.value)
    kept = events.kept_vote
    if kept is None or kept.value is None:
        return votes
    later = [(vote, mark) for vote, mark in marks if Decimal(mark.at) > Decimal(kept.at)]
    is_taken_away = any(vote == kept.value and not mark.value for vote, mark in later)
    if is_taken_away and kept.value not in votes:
        return votes
    return frozenset({kept.value, *(vote for vote, mark in later if mark.value)})


def is_pressed_again(stored: StoredVerdict, events: PersonFeedback, vote: Vote, at: str) -> bool:
    """Return whether a vote button was pressed, at a time, whose vote stands by an earlier press already."""
    button = with_answer_as_vote(stored, events).button
    is_later = button is not None and button.value == vote and Decimal(at) > Decimal(button.at)
    return is_later and votes_of(stored, events) == {vote}


def conflict_since(stored: StoredVerdict, events: PersonFeedback) -> str | None:
    """Return when a reaction gave a person a second vote; None with one vote, or where a button did it."""
    if len(votes_of(stored, events)) < 2:
        return None
    reactions = [mark.at for name, mark in events.reactions.items() if mark.value and vote_of_reaction(name)]
    newest = max(reactions, key=Decimal, default=None)
    button = with_answer_as_vote(stored, events).button
    if newest is None or (button is not None and button.value and Decimal(button.at) > Decimal(newest)):
        return None
    return newest


def mute_thumb_at(stored: StoredVerdict, events: PersonFeedback) -> str | None:
    """Return when a person gave the last thumb that says nothing yet: up or down on a number that is hidden."""
    if not stored.is_hidden or isinstance(stored.verdict.value, bool):
        return None
    thumbs = (
        mark.at
        for name, mark in events.reactions.items()
        if mark.value and vote_of_reaction(name) in ("up", "down")
    )
    return max(thumbs, key=Decimal, default=None)


def with_answer_as_vote(stored: StoredVerdict, events: PersonFeedback) -> PersonFeedback:
    """Return what a person did, with the value that they chose on a blind card as a press of the vote that it means.

    The value is what the person says, whatever they did before it; a later press of a vote takes its place.
    """
    answer = events.answer
    if answer is None:
        return events
    events = replace(events, correction=newest(answer, events.correction))
    if events.button is not None and Decimal(events.button.at) > Decimal(answer.at):
        return events
    vote = Timestamped(value="up" if answer.value == stored.verdict.value else "down", at=answer.at)
    return replace(events, button=vote, kept_vote=newest(vote, events.kept_vote))


def newest(*marks: Timestamped | None) -> Timestamped | None:
    """Return the latest of some marks, of equal ones the first; None for none."""
    return max((mark for mark in marks if mark), key=lambda mark: Decimal(mark.at), default=None)


def _vote_marks(stored: StoredVerdict, events: PersonFeedback) -> list[tuple[Vote, Timestamped]]:
    """Return what holds a vote or held it; the value of each mark is true where it is live."""
    marks = [
        (vote, reaction)
        for name, reaction in events.reactions.items()
        if (vote := _vote_of_thumb(stored, name, reaction.at)) is not None
    ]
    button = events.button
    if button is None:
        return marks
    if button.value is None and events.kept_vote is not None:
        # taken back: whatever the button had said, the kept vote among it
        return [*marks, (events.kept_vote.value, Timestamped(value=False, at=button.at))]
    return marks if button.value is None else [*marks, (button.value, button)]


def _vote_of_thumb(stored: StoredVerdict, name: str, at: str) -> Vote | None:
    """Return the vote of a reaction of a time; None for a thumb while a number, or a category, is hidden."""
    vote = vote_of_reaction(name)
    if vote in (None, "unsure") or not is_before_reveal(stored, at):
        return vote
    judged = stored.verdict.value
    if not isinstance(judged, bool):
        return None
    return "up" if (vote == "up") == judged else "down"
