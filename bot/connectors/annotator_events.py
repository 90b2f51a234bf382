"""The events that lead from what the store knows of somebody's answer in a tracing tool to what stands there. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from memalign.records import Label
from storage.feedback_events import times
from storage.records import FeedbackEvent, PersonFeedback, StoredVerdict

_STEP = Decimal("0.000001")
"""The smallest difference of two event times."""
NOTHING = PersonFeedback()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One person's answer on one verdict, as it stands in the tool."""

    value: Label
    reason: str
    at_ms: int
    """Time of its last change, in milliseconds since 1970; 0 where the tool does not tell."""


def answer_events(
    stored: StoredVerdict,
    person: str,
    known: PersonFeedback | None,
    answer: Answer | None,
    now_ms: int,
    redact: Callable[[FeedbackEvent], FeedbackEvent],
) -> list[FeedbackEvent]:
    """Return what changed.

    Args:
        stored: the verdict, whose card is posted if it has one.
        person: the person.
        known: what the store knows of them; None for nothing.
        answer: their answer in the tool; None where it was deleted, or there was none.
        now_ms: the time now, in milliseconds since 1970; that of a deletion, and of
            an answer without one.
        redact: takes personal data out of an event.
    """
    feedback = known or NOTHING
    at = _event_time(feedback, (answer and answer.at_ms) or now_ms)
    return [redact(event) for event in _changes(stored, person, feedback, answer, at, redact)]


def standing_answer(feedback: PersonFeedback) -> Label | None:
    """Return the value that the person gave and did not take back."""
    answer, button = feedback.answer, feedback.button
    is_taken_back = answer and button and button.value is None and Decimal(button.at) > Decimal(answer.at)
    return None if answer is None or is_taken_back else answer.value


def _changes(
    stored: StoredVerdict,
    person: str,
    feedback: PersonFeedback,
    answer: Answer | None,
    at: str,
    redact: Callable[[FeedbackEvent], FeedbackEvent],
) -> Iterator[FeedbackEvent]:
    standing = standing_answer(feedback)
    if answer is None:
        if standing is not None:
            yield FeedbackEvent(person=person, kind="button", value=None, at=at)
    elif repr(standing) != repr(answer.value):
        yield FeedbackEvent(person=person, kind="answer", value=answer.value, at=at)
    # the reason stands where one of the modal does: nobody can read it in the card's thread
    place = stored.reason_ts
    words = "" if answer is None else escape(answer.reason.strip(), quote=False)
    reason = redact(FeedbackEvent(person=person, kind="reply", name=place, value=words, at=at))
    reply = feedback.replies.get(place)
    if reason.value != (reply.text if reply and reply.text else ""):
        yield reason


def _event_time(feedback: PersonFeedback, time_ms: int) -> str:
    """Return the time of a change, which comes after all that is known: the clocks of tools differ from ours."""
    known = max(map(Decimal, times(feedback)), default=Decimal(0))
    return f"{max(Decimal(time_ms) / 1000, known + _STEP):.6f}"
