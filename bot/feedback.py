"""Feedback on verdicts, derived from people's live reactions, buttons and replies. Pure.

It is derived from what stands at the moment, so order, redelivery and edits need no case of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Literal, cast

from bot.replies.addressing import addressed_words, calls_for_help
from bot.replies.reading import read_reply
from memalign.records import Assessment, Label, Trace
from memalign.value_types import ValueType
from storage.records import PersonFeedback, StoredVerdict, Timestamped

Vote = Literal["up", "down", "unsure"]
"""👍 the judge is right, 👎 the judge is wrong, 🤷 cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One person's vote, label and reason on one verdict, as derived from what they did."""

    verdict_id: str
    trace_id: str
    judge: str
    person: str
    vote: Vote | None
    value: Label | None
    """The person's own label; None while not known (no vote, cannot tell, a 👎 without the right value)."""
    rationale: str
    time_ms: int


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
REPLY_SUBTYPES = {None, "file_share", "thread_broadcast"}
"""Subtypes of a Slack message that carry a person's own words."""


def vote_of_reaction(name: str) -> Vote | None:
    """Return the vote of a reaction, whatever its skin tone; None for one that is no vote."""
    return THUMBS.get(name.split("::", 1)[0])


def vote_after_press(held: Timestamped | None, pressed: Vote, at: str) -> Vote | None:
    """Return the vote that stands after a button was pressed: pressed again, it takes the vote back.

    Args:
        held: the button last pressed, with the time of that.
        pressed: the vote of the button.
        at: time of the press. One that is known already, or older, changes nothing.
    """
    if held is not None and Decimal(at) <= Decimal(held.at):
        return cast("Vote | None", held.value)
    return None if held is not None and held.value == pressed else pressed


def votes_of(events: PersonFeedback) -> frozenset[Vote]:
    """Return all votes a person holds at the moment: live reactions, and the button last pressed."""
    votes = {vote_of_reaction(name) for name, reaction in events.reactions.items() if reaction.value}
    votes.add(events.button.value if events.button else None)
    return frozenset(vote for vote in votes if vote is not None)


def feedback_of(
    stored: StoredVerdict, person: str, events: PersonFeedback, value_type: ValueType
) -> Feedback:
    """Derive one person's feedback on a verdict; somebody who holds two different votes has none.

    Args:
        stored: the verdict.
        person: Slack id of the person.
        events: what the person did on the verdict's card.
        value_type: the judge's.
    """
    replies = _replies(events, value_type, modal_ts=stored.message_ts)
    vote, vote_at = _vote(stored.verdict.value, events, replies.value, value_type)
    return Feedback(
        verdict_id=stored.verdict_id,
        trace_id=stored.verdict.trace_id,
        judge=stored.verdict.judge,
        person=person,
        vote=vote,
        value=_label(vote, stored.verdict.value, _newest(events.correction, replies.value), value_type),
        rationale="\n".join(reason for reason in replies.reasons if reason),
        time_ms=vote_at,
    )


def all_feedback(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType
) -> tuple[Feedback, ...]:
    """Derive each person's feedback on a verdict."""
    return tuple(feedback_of(stored, person, events, value_type) for person, events in people.items())


def labelled_trace(trace: Trace, stored: StoredVerdict, feedback: tuple[Feedback, ...]) -> Trace:
    """Return the trace with people's labels and the verdict that they answer, in the form the core learns from.

    Without any label it has no assessment at all.
    """
    labels = tuple(_label_assessment(stored, each) for each in feedback if each.value is not None)
    return Trace(
        trace_id=trace.trace_id,
        inputs=trace.inputs,
        outputs=trace.outputs,
        expectations=trace.expectations,
        conversation=trace.conversation,
        spans=trace.spans,
        assessments=(*labels, _verdict_assessment(stored)) if labels else (),
    )


def _verdict_assessment(stored: StoredVerdict) -> Assessment:
    """Return the verdict as its store has it now: a reason that quoted what is forgotten is redacted there."""
    return Assessment(
        name=stored.verdict.judge,
        value=stored.verdict.value,
        rationale=stored.verdict.rationale or None,
        source_type="LLM_JUDGE",
        source_id="memalign",
        assessment_id=stored.verdict_id,
        create_time_ms=stored.judged_ms,
        last_update_time_ms=stored.judged_ms,
    )


def _label_assessment(stored: StoredVerdict, feedback: Feedback) -> Assessment:
    return Assessment(
        name=stored.verdict.judge,
        value=feedback.value,
        rationale=feedback.rationale or None,
        source_id=feedback.person,
        assessment_id=f"{feedback.verdict_id}:{feedback.person}",
        create_time_ms=feedback.time_ms,
        last_update_time_ms=feedback.time_ms,
    )


def vote_ms(events: PersonFeedback) -> int:
    """Return the time of the last vote or correction, in milliseconds since 1970; 0 if there was none."""
    marks = [reaction for name, reaction in events.reactions.items() if vote_of_reaction(name)]
    marks += [mark for mark in (events.button, events.correction) if mark]
    return max((_ms(mark.at) for mark in marks), default=0)


def _ms(at: str) -> int:
    return int(Decimal(at) * 1000)


def _vote(
    judged: Label, events: PersonFeedback, value: Timestamped | None, value_type: ValueType
) -> tuple[Vote | None, int]:
    """Return the vote, and its time: a value said in a reply is a vote too, unless a later one says something else."""
    votes = votes_of(events)
    vote = next(iter(votes)) if len(votes) == 1 else None
    at = vote_ms(events)
    # of a judge of free text, words before a colon are a value only where a 👎 asks for one
    if len(votes) > 1 or value is None or value_type.kind == "str":
        return vote, at
    said: Vote = "up" if value.value == judged else "down"
    if vote is None or (vote != said and _ms(value.at) >= at):
        return said, max(at, _ms(value.at))
    return vote, at


def _label(
    vote: Vote | None, judged: Label, value: Timestamped | None, value_type: ValueType
) -> Label | None:
    if vote == "up":
        return judged
    if vote == "down":
        opposite = value_type.opposite(judged)
        return value.value if opposite is None and value is not None and value.value != judged else opposite
    return None


def _newest(*values: Timestamped | None) -> Timestamped | None:
    return max((value for value in values if value), key=lambda value: Decimal(value.at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replies:
    value: Timestamped | None
    """The value said last."""
    reasons: tuple[str, ...]
    """In the order they were written."""


def _replies(events: PersonFeedback, value_type: ValueType, modal_ts: str | None) -> _Replies:
    """Read a person's replies.

    The modal's reason stands at `modal_ts` among them; the modal has a field of its own for the value.
    """
    newest: Timestamped | None = None
    reasons = []
    for ts, reply in sorted(events.replies.items(), key=lambda item: Decimal(item[0])):
        if calls_for_help(reply.text or ""):
            continue
        text = unescape(addressed_words(reply.text or "")).strip()
        if ts == modal_ts:
            reasons.append(text)
            continue
        reading = read_reply(text, value_type)
        reasons.append(reading.reason)
        if reading.kind == "value":
            newest = Timestamped(value=reading.value, at=ts)
    return _Replies(value=newest, reasons=tuple(reasons))
