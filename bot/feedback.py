"""Feedback on verdicts, derived from people's live reactions, buttons and replies. Pure.

It is derived from what stands at the moment, so order, redelivery and edits need no case of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import unescape

from bot.replies.addressing import addressed_words, calls_for_help
from bot.replies.reading import read_reply
from bot.vote_marks import Vote, newest, vote_of_reaction, votes_of, with_answer_as_vote
from memalign.records import Assessment, Label, Trace
from memalign.value_types import ValueType
from storage.feedback_events import up_to
from storage.records import PersonFeedback, StoredVerdict, Timestamped


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
    supports: tuple[str, ...] = ()
    """Ids of guidelines that the person says cover the case."""
    typed_reason: str = ""
    """The part of the rationale that was typed in a modal, which nobody sees in the thread; empty for none."""
    replies_value: bool = False
    """True if the person says a value in a reply."""
    blind_value: Label | None = None
    """The label that the person gave before the card showed the verdict, whatever they say now; None for none, and
    once they took back all they said."""


REPLY_SUBTYPES = {None, "file_share", "thread_broadcast"}
"""Subtypes of a Slack message that carry a person's own words."""


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
    replies = _replies(events, value_type, modal_ts=stored.reason_ts)
    reasons = reasons_of(events, value_type, modal_ts=stored.reason_ts)
    vote, value, vote_at = _opinion(stored, events, replies.value, value_type)
    return Feedback(
        verdict_id=stored.verdict_id,
        trace_id=stored.verdict.trace_id,
        judge=stored.verdict.judge,
        person=person,
        vote=vote,
        value=value,
        rationale="\n".join(reasons.all),
        time_ms=vote_at,
        supports=tuple(events.supports.value or ()) if events.supports else (),
        typed_reason=reasons.modal,
        replies_value=replies.value is not None,
        blind_value=None if vote is None else _blind_value(stored, events, value_type),
    )


def all_feedback(
    stored: StoredVerdict, people: Mapping[str, PersonFeedback], value_type: ValueType
) -> tuple[Feedback, ...]:
    """Derive each person's feedback on a verdict."""
    return tuple(feedback_of(stored, person, events, value_type) for person, events in people.items())


def has_answered(stored: StoredVerdict, person: str, events: PersonFeedback, value_type: ValueType) -> bool:
    """Return whether a person holds a vote on a verdict, be it a value said in a reply, or two votes at once."""
    return bool(votes_of(stored, events)) or feedback_of(stored, person, events, value_type).vote is not None


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
        guideline_ids=stored.verdict.guideline_ids,
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
        supports=feedback.supports,
    )


def vote_ms(events: PersonFeedback) -> int:
    """Return the time of the last vote or correction, in milliseconds since 1970; 0 if there was none."""
    marks = [reaction for name, reaction in events.reactions.items() if vote_of_reaction(name)]
    marks += [mark for mark in (events.button, events.correction, events.kept_vote) if mark]
    return max((_ms(mark.at) for mark in marks), default=0)


def _ms(at: str) -> int:
    return int(Decimal(at) * 1000)


def _blind_value(stored: StoredVerdict, events: PersonFeedback, value_type: ValueType) -> Label | None:
    """Return the label that stood when a blind card was to show its verdict; that of now while it is not."""
    if not stored.is_blind:
        return None
    before = events if stored.revealed_at is None else up_to(events, stored.revealed_at)
    replies = _replies(before, value_type, modal_ts=stored.reason_ts)
    return _opinion(stored, before, replies.value, value_type)[1]


def _opinion(
    stored: StoredVerdict, events: PersonFeedback, value: Timestamped | None, value_type: ValueType
) -> tuple[Vote | None, Label | None, int]:
    """Return the vote, the label and their time; `value` is the value said in a reply."""
    events = with_answer_as_vote(stored, events)
    vote, at = _vote(stored, events, value, value_type)
    return vote, _label(vote, stored.verdict.value, newest(events.correction, value), value_type), at


def _vote(
    stored: StoredVerdict, events: PersonFeedback, value: Timestamped | None, value_type: ValueType
) -> tuple[Vote | None, int]:
    """Return the vote, and its time: a value said in a reply is a vote too, unless a later one says something else."""
    votes = votes_of(stored, events)
    vote = next(iter(votes)) if len(votes) == 1 else None
    at = vote_ms(events)
    # of a judge of free text, words before a colon are a value only where a 👎 asks for one
    if len(votes) > 1 or value is None or value_type.kind == "str":
        return vote, at
    said: Vote = "up" if value.value == stored.verdict.value else "down"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """One person's reasons on one verdict."""

    modal: str
    """The reason of the modal; empty without one."""
    replies: tuple[str, ...]
    """Those of the thread, oldest first."""

    @property
    def all(self) -> tuple[str, ...]:
        """All reasons, each once: the modal's may repeat one of the thread."""
        own = _folded(self.modal)
        others = tuple(reason for reason in self.replies if f" {_folded(reason)} " not in f" {own} ")
        return (self.modal, *others) if self.modal else others


def reasons_of(events: PersonFeedback, value_type: ValueType, modal_ts: str | None) -> Reasons:
    """Return a person's reasons; that of the modal stands at `modal_ts` among the replies."""
    replies = _replies(events, value_type, modal_ts)
    return Reasons(modal=replies.modal, replies=tuple(reason for reason in replies.reasons if reason))


def new_reason(typed: str, standing: Sequence[str]) -> str:
    """Return what a person typed without those lines that stand in the thread as reasons of theirs.

    Args:
        typed: the text of the modal's field, which was offered with the standing reasons in it.
        standing: the reasons in the thread.
    """
    lines = typed.splitlines()
    for reason in standing:
        wanted = [_folded(line) for line in reason.splitlines()]
        for start in range(len(lines) - len(wanted) + 1):
            if wanted and [_folded(line) for line in lines[start : start + len(wanted)]] == wanted:
                del lines[start : start + len(wanted)]
                break
    return "\n".join(lines).strip()


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replies:
    value: Timestamped | None
    """The value said last."""
    modal: str
    """The reason of the modal."""
    reasons: tuple[str, ...]
    """Of the thread, in the order they were written."""


def _replies(events: PersonFeedback, value_type: ValueType, modal_ts: str | None) -> _Replies:
    """Read a person's replies; the modal has a field of its own for the value."""
    newest: Timestamped | None = None
    modal, reasons = "", []
    for ts, reply in sorted(events.replies.items(), key=lambda item: Decimal(item[0])):
        if calls_for_help(reply.text or ""):
            continue
        text = unescape(addressed_words(reply.text or "")).strip()
        if ts == modal_ts:
            modal = text
            continue
        reading = read_reply(text, value_type)
        reasons.append(reading.reason)
        if reading.kind == "value":
            newest = Timestamped(value=reading.value, at=ts)
    return _Replies(value=newest, modal=modal, reasons=tuple(reasons))
