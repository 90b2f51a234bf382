"""Applies feedback events to a person's feedback on a verdict. Pure: only Slack's event times decide, never the
order of arrival.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from memalign.records import Json
from storage.keys import event_ms, is_event_time
from storage.records import FeedbackEvent, FeedbackEventKind, PastMark, PersonFeedback, Reply, Timestamped

QUARTER_MS = 15 * 60 * 1000
"""The offset of each time zone is a multiple of it, so that a week ends nowhere within one."""


def apply(feedback: PersonFeedback, event: FeedbackEvent, revealed_at: str | None = None) -> PersonFeedback:
    """Return the feedback with the event applied; a stale event is noted among the past ones only.

    Args:
        feedback: one person's feedback on a verdict.
        event: what the person did.
        revealed_at: time from which on a blind card shows the verdict; what stood then is kept among the past marks.
    """
    if event.kind == "reply":
        return _with_reply(feedback, event)
    current, after = _mark(feedback, event), _with_mark(feedback, event)
    if current is None:
        return after
    marks = (current, Timestamped(value=event.value, at=event.at))
    older, newer = sorted(marks, key=lambda mark: Decimal(mark.at))
    past = PastMark(kind=event.kind, name=event.name, value=older.value, at=older.at)
    return replace(after, past=_with_past_mark(feedback.past, past, newer.at, revealed_at))


def as_of(feedback: PersonFeedback, end_ms: int) -> PersonFeedback:
    """Return the feedback as it stood at an earlier moment.

    Of replies that were edited later the words are those of now, and those deleted later are gone: earlier words are
    not kept.

    Args:
        feedback: the feedback as it is now.
        end_ms: the moment, in milliseconds since 1970, the end of a quarter of an hour; what is of it or later is
            left out.
    """
    replies = {ts: each for ts, each in feedback.replies.items() if event_ms(ts) < end_ms}
    marks = (*feedback.past, *_current_marks(feedback))
    return _with_marks(replies, [mark for mark in marks if event_ms(mark.at) < end_ms])


def up_to(feedback: PersonFeedback, at: str) -> PersonFeedback:
    """Return the feedback as it stood at a moment of which all marks are kept, without what was changed since.

    Args:
        feedback: the feedback as it is now.
        at: the moment, as an event time; what is of it counts.
    """
    last = Decimal(at)
    replies = {
        ts: each
        for ts, each in feedback.replies.items()
        if Decimal(each.at) <= last and (not is_event_time(ts) or Decimal(ts) <= last)
    }
    marks = (*feedback.past, *_current_marks(feedback))
    return _with_marks(replies, [mark for mark in marks if Decimal(mark.at) <= last])


def _with_marks(replies: Mapping[str, Reply], marks: Iterable[PastMark]) -> PersonFeedback:
    """Return feedback that holds, of each kind and name, the last mark, and those before it among the past."""
    feedback = PersonFeedback(replies=replies)
    latest: dict[tuple[str, str], PastMark] = {}
    past = []
    for mark in sorted(marks, key=lambda mark: Decimal(mark.at)):
        if replaced := latest.get((mark.kind, mark.name)):
            past.append(replaced)
        latest[mark.kind, mark.name] = mark
    for mark in latest.values():
        event = FeedbackEvent(person="", kind=mark.kind, name=mark.name, value=mark.value, at=mark.at)
        feedback = _with_mark(feedback, event)
    return replace(feedback, past=_in_order(past))


def _current_marks(feedback: PersonFeedback) -> list[PastMark]:
    """Return all that the feedback holds now, in the form of what it held before, without the replies."""
    reactions = (
        PastMark(kind="reaction", name=name, value=mark.value, at=mark.at)
        for name, mark in feedback.reactions.items()
    )
    others: dict[FeedbackEventKind, Timestamped | None] = {
        "button": feedback.button,
        "correction": feedback.correction,
        "answer": feedback.answer,
        "kept_vote": feedback.kept_vote,
        "supports": feedback.supports,
    }
    return [
        *reactions,
        *(
            PastMark(kind=kind, name="", value=mark.value, at=mark.at)
            for kind, mark in others.items()
            if mark is not None
        ),
    ]


def _mark(feedback: PersonFeedback, event: FeedbackEvent) -> Timestamped | None:
    """Return what an event other than a reply replaces."""
    match event.kind:
        case "reaction":
            return feedback.reactions.get(event.name)
        case "button":
            return feedback.button
        case "kept_vote":
            return feedback.kept_vote
        case "supports":
            return feedback.supports
        case "answer":
            return feedback.answer
    return feedback.correction


def _with_past_mark(
    past: tuple[PastMark, ...], mark: PastMark, replaced_at: str, revealed_at: str | None
) -> tuple[PastMark, ...]:
    """Return the past marks with one more, if it stood at the end of its span."""
    span = _span(mark.at, revealed_at)
    same = [
        each
        for each in past
        if (each.kind, each.name, _span(each.at, revealed_at)) == (mark.kind, mark.name, span)
    ]
    if span == _span(replaced_at, revealed_at) or any(Decimal(each.at) > Decimal(mark.at) for each in same):
        return past
    return _in_order((*(each for each in past if each not in same), mark))


def _in_order(marks: Iterable[PastMark]) -> tuple[PastMark, ...]:
    return tuple(sorted(marks, key=lambda each: (Decimal(each.at), each.kind, each.name)))


def _span(at: str, revealed_at: str | None) -> tuple[int, bool]:
    """Return the span of time of whose marks the last is kept: a quarter of an hour, which a reveal divides."""
    is_later = revealed_at is not None and Decimal(at) > Decimal(revealed_at)
    return event_ms(at) // QUARTER_MS, is_later


def _with_mark(feedback: PersonFeedback, event: FeedbackEvent) -> PersonFeedback:
    if event.kind == "reaction":
        mark = _later(feedback.reactions.get(event.name), event)
        return replace(feedback, reactions={**feedback.reactions, event.name: mark})
    if event.kind == "button":
        return replace(feedback, button=_later(feedback.button, event))
    if event.kind == "kept_vote":
        return replace(feedback, kept_vote=_later(feedback.kept_vote, event))
    if event.kind == "supports":
        return replace(feedback, supports=_later(feedback.supports, event))
    if event.kind == "answer":
        return replace(feedback, answer=_later(feedback.answer, event))
    return replace(feedback, correction=_later(feedback.correction, event))


def meaning(feedback: PersonFeedback) -> tuple[Json, ...]:
    """Return the feedback without its times: two equal ones teach the same."""
    return (
        {name for name, mark in feedback.reactions.items() if mark.value},
        None if feedback.button is None else feedback.button.value,
        # JSON tells true from 1 and 4 from 4.0, Python's == does not
        None if feedback.correction is None else repr(feedback.correction.value),
        None if feedback.answer is None else repr(feedback.answer.value),
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
        feedback.answer,
        feedback.kept_vote,
        feedback.supports,
    ]
    return (
        *(mark.at for mark in marks if mark is not None),
        *(reply.at for reply in feedback.replies.values()),
    )


def moments(feedback: PersonFeedback) -> set[int]:
    """Return when anything of the feedback came or changed, as far as it is known, in milliseconds since 1970."""
    past = (mark.at for mark in feedback.past)
    written = filter(is_event_time, feedback.replies)
    return {event_ms(at) for at in (*times(feedback), *past, *written)}


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
