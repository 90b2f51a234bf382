"""Applies feedback events to a person's feedback on a verdict. Pure: only Slack's event times decide, never the
order of arrival.
"""

from dataclasses import replace
from decimal import Decimal

from memalign.records import Json
from storage.records import FeedbackEvent, PersonFeedback, Reply, Timestamped


def apply(feedback: PersonFeedback, event: FeedbackEvent) -> PersonFeedback:
    """Return the feedback with the event applied; unchanged when the event is stale."""
    if event.kind == "reply":
        return _with_reply(feedback, event)
    if event.kind == "reaction":
        mark = _later(feedback.reactions.get(event.name), event)
        return replace(feedback, reactions={**feedback.reactions, event.name: mark})
    if event.kind == "button":
        return replace(feedback, button=_later(feedback.button, event))
    if event.kind == "kept_vote":
        return replace(feedback, kept_vote=_later(feedback.kept_vote, event))
    if event.kind == "supports":
        return replace(feedback, supports=_later(feedback.supports, event))
    return replace(feedback, correction=_later(feedback.correction, event))


def meaning(feedback: PersonFeedback) -> tuple[Json, ...]:
    """Return the feedback without its times: two equal ones teach the same."""
    return (
        {name for name, mark in feedback.reactions.items() if mark.value},
        None if feedback.button is None else feedback.button.value,
        # JSON tells true from 1 and 4 from 4.0, Python's == does not
        None if feedback.correction is None else repr(feedback.correction.value),
        {ts: reply.text for ts, reply in feedback.replies.items() if reply.text is not None},
        None if feedback.kept_vote is None else (feedback.kept_vote.value, _marks_after_keeping(feedback)),
        sorted(feedback.supports.value or ()) if feedback.supports else [],
    )


def _marks_after_keeping(feedback: PersonFeedback) -> frozenset[str]:
    """Return the reactions, and the button, that changed after a vote was kept: they count beside it."""
    if feedback.kept_vote is None:
        return frozenset()
    marks = {**feedback.reactions, **({"": feedback.button} if feedback.button else {})}
    kept = Decimal(feedback.kept_vote.at)
    return frozenset(name for name, mark in marks.items() if Decimal(mark.at) > kept)


def times(feedback: PersonFeedback) -> tuple[str, ...]:
    """Return the event times of everything in the feedback."""
    marks = [
        *feedback.reactions.values(),
        feedback.button,
        feedback.correction,
        feedback.kept_vote,
        feedback.supports,
    ]
    return (
        *(mark.at for mark in marks if mark is not None),
        *(reply.at for reply in feedback.replies.values()),
    )


def _with_reply(feedback: PersonFeedback, event: FeedbackEvent) -> PersonFeedback:
    current = feedback.replies.get(event.name)
    if current is not None and not _counts(event, current):
        return feedback
    return replace(feedback, replies={**feedback.replies, event.name: Reply(text=event.value, at=event.at)})


def _counts(event: FeedbackEvent, current: Reply) -> bool:
    deletion = event.value is None
    if current.text is None:
        # told of two deletions, the first was the one
        return deletion and _older(event, current.at)
    return deletion or not _older(event, current.at)


def _later(current: Timestamped | None, event: FeedbackEvent) -> Timestamped:
    if current is not None and _older(event, current.at):
        return current
    return Timestamped(value=event.value, at=event.at)


def _older(event: FeedbackEvent, at: str) -> bool:
    return Decimal(event.at) < Decimal(at)
