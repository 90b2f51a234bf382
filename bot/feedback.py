"""Feedback on verdicts, derived from people's live reactions, buttons and replies. Pure.

It is derived from what stands at the moment, so order, redelivery and edits need no case of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Literal, cast

from memalign.errors import InputError
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
QUOTED_TEXT = re.compile(
    r"^\s*[`*_\"“„«]*(?P<value>[^:：\n]{1,150}?)[`*_\"”“»]*[^\S\n]*(?::(?!\d|//)|：)\s*(?P<reason>.*)$",
    re.DOTALL,
)
"""A text as a value, before a colon and its reason."""


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
    votes = votes_of(events)
    vote = next(iter(votes)) if len(votes) == 1 else None
    corrected, reasons = _replies(events, value_type, modal_ts=stored.message_ts)
    return Feedback(
        verdict_id=stored.verdict_id,
        trace_id=stored.verdict.trace_id,
        judge=stored.verdict.judge,
        person=person,
        vote=vote,
        value=_label(vote, stored.verdict.value, corrected, value_type),
        rationale="\n".join(reason for reason in reasons if reason),
        time_ms=vote_ms(events),
    )


def all_feedback(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType
) -> tuple[Feedback, ...]:
    """Derive each person's feedback on a verdict."""
    return tuple(feedback_of(stored, person, events, value_type) for person, events in people.items())


def labelled_trace(trace: Trace, judge: str, feedback: tuple[Feedback, ...]) -> Trace:
    """Return the trace with people's labels on it, in the form the core learns from."""
    return Trace(
        trace_id=trace.trace_id,
        inputs=trace.inputs,
        outputs=trace.outputs,
        expectations=trace.expectations,
        conversation=trace.conversation,
        spans=trace.spans,
        assessments=tuple(_assessment(judge, each) for each in feedback if each.value is not None),
    )


def _assessment(judge: str, feedback: Feedback) -> Assessment:
    return Assessment(
        name=judge,
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


def _label(vote: Vote | None, judged: Label, corrected: Label | None, value_type: ValueType) -> Label | None:
    if vote == "up":
        return judged
    if vote == "down":
        opposite = value_type.opposite(judged)
        return corrected if opposite is None else opposite
    return None


def _replies(
    events: PersonFeedback, value_type: ValueType, modal_ts: str | None
) -> tuple[Label | None, list[str]]:
    """Return the newest corrected value, and the reasons in the order they were written.

    The modal's reason stands at `modal_ts` among the replies; the modal has a field of its own for the value.
    """
    newest = events.correction or Timestamped(value=None, at="0")
    reasons = []
    for ts, reply in sorted(events.replies.items(), key=lambda item: Decimal(item[0])):
        text = unescape(reply.text or "").strip()
        value, reason = (None, text) if ts == modal_ts else split_correction(text, value_type)
        reasons.append(reason)
        if value is not None and Decimal(ts) >= Decimal(newest.at):
            newest = Timestamped(value=value, at=ts)
    return newest.value, reasons


def split_correction(text: str, value_type: ValueType) -> tuple[Label | None, str]:
    """Read a reply such as `4: because …`.

    A yes-or-no judge needs no value: its 👎 already says which. A judge of free text takes everything for a
    value, so there the colon decides.

    Returns:
        The value and the reason; None and the whole text if it names no value.
    """
    if value_type.opposite(True) is not None:
        return None, text
    if value_type.kind != "str":
        return value_type.split(text) or (None, text)
    if not (match := QUOTED_TEXT.match(text)):
        return None, text
    try:
        return value_type.parse(match["value"]), match["reason"].strip()
    except InputError:
        return None, text
