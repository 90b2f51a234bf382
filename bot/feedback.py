"""From what a person did on a card to what that says of the verdict: live thumbs, replies -> `Feedback`.

Everything is derived from the facts as they stand, so order, redelivery and edits need no case of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Literal

from memalign.errors import InputError
from memalign.records import Assessment, Label, Trace
from memalign.value_types import ValueType
from storage.records import PersonFeedback, StoredVerdict, Timestamped

Vote = Literal["up", "down", "unsure"]
"""👍 the judge is right, 👎 the judge is wrong, 🤷 cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One person's vote, label and reason on one verdict, as derived from the facts."""

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
CORRECTION = re.compile(
    r"^\s*[`*_\"“]*(?P<value>[^:\n]{1,150}?)[`*_\"”]*[^\S\n]*(?P<mark>:(?!\d|//)|—|–|\n|$)\s*(?P<reason>.*)$",
    re.DOTALL,
)


def vote_of_reaction(name: str) -> Vote | None:
    """Return the vote that a reaction stands for, in any skin tone; None for other reactions."""
    return THUMBS.get(name.split("::", 1)[0])


def votes_of(facts: PersonFeedback) -> frozenset[Vote]:
    """Return the votes a person holds at the moment: live reactions, and the button last pressed."""
    held = {vote_of_reaction(name) for name, mark in facts.reactions.items() if mark.value}
    held.add(facts.button.value if facts.button else None)
    return frozenset(vote for vote in held if vote is not None)


def feedback_of(stored: StoredVerdict, person: str, facts: PersonFeedback, values: ValueType) -> Feedback:
    """Return a person's feedback on a verdict; somebody who holds two different votes has no vote."""
    held = votes_of(facts)
    vote = next(iter(held)) if len(held) == 1 else None
    value, reasons = _replies(facts, values, modal=stored.message_ts)
    return Feedback(
        verdict_id=stored.verdict_id,
        trace_id=stored.verdict.trace_id,
        judge=stored.verdict.judge,
        person=person,
        vote=vote,
        value=_label(vote, stored.verdict.value, value, values),
        rationale="\n".join(reason for reason in reasons if reason),
        time_ms=vote_ms(facts),
    )


def all_feedback(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], values: ValueType
) -> tuple[Feedback, ...]:
    """Return the feedback of each person on a verdict."""
    return tuple(feedback_of(stored, person, facts, values) for person, facts in people.items())


def taught(trace: Trace, judge: str, feedback: tuple[Feedback, ...]) -> Trace:
    """Return the trace with people's labels as assessments, the form the core learns from."""
    return Trace(
        trace_id=trace.trace_id,
        inputs=trace.inputs,
        outputs=trace.outputs,
        expectations=trace.expectations,
        conversation=trace.conversation,
        spans=trace.spans,
        assessments=tuple(
            Assessment(
                name=judge,
                value=said.value,
                rationale=said.rationale or None,
                source_id=said.person,
                assessment_id=f"{said.verdict_id}:{said.person}",
                create_time_ms=said.time_ms,
                last_update_time_ms=said.time_ms,
            )
            for said in feedback
            if said.value is not None
        ),
    )


def vote_ms(facts: PersonFeedback) -> int:
    """Return the time of a person's last vote or value, in milliseconds since 1970; 0 without any."""
    marks = [mark for name, mark in facts.reactions.items() if vote_of_reaction(name)]
    marks += [mark for mark in (facts.button, facts.correction) if mark]
    return max((_ms(mark.at) for mark in marks), default=0)


def _ms(at: str) -> int:
    return int(Decimal(at) * 1000)


def _label(vote: Vote | None, judged: Label, corrected: Label | None, values: ValueType) -> Label | None:
    if vote == "up":
        return judged
    if vote == "down":
        opposite = values.opposite(judged)
        return corrected if opposite is None else opposite
    return None


def _replies(facts: PersonFeedback, values: ValueType, modal: str | None) -> tuple[Label | None, list[str]]:
    """The newest corrected value, and the reasons in the order they were written.

    What was entered in the modal stands at `modal` among the replies; it has a field of its own for the value.
    """
    newest = facts.correction or Timestamped(value=None, at="0")
    reasons = []
    for ts, reply in sorted(facts.replies.items(), key=lambda item: Decimal(item[0])):
        text = unescape(reply.text or "").strip()
        value, reason = (None, text) if ts == modal else split_correction(text, values)
        reasons.append(reason)
        if value is not None and Decimal(ts) >= Decimal(newest.at):
            newest = Timestamped(value=value, at=ts)
    return newest.value, reasons


def split_correction(text: str, values: ValueType) -> tuple[Label | None, str]:
    """Read a reply such as `4: because …`: the value and the reason; (None, text) where it names no value.

    A yes-or-no judge needs no value: its 👎 already says which. A judge of free text takes everything for a
    value, so there the colon decides.
    """
    if values.opposite(True) is not None or not (match := CORRECTION.match(text)):
        return None, text
    if values.kind == "str" and match["mark"] != ":":
        return None, text
    try:
        return values.parse(match["value"].strip()), match["reason"].strip()
    except InputError:
        return None, text
