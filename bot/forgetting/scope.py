"""Everything in the store about a trace or a person that is to be forgotten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.forgetting.quotes import texts_of
from bot.replies.addressing import addressed_words
from memalign.records import ForgetTarget, PersonTarget, Trace, TraceTarget
from storage.database import Database
from storage.records import PersonFeedback, StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetScope:
    """A target with its verdicts: those on the trace, or those that the person said something of."""

    target: ForgetTarget
    trace: Trace | None = None
    """The trace of a trace's scope, if the store has it."""
    verdicts: tuple[StoredVerdict, ...] = ()

    @property
    def channels(self) -> set[str]:
        """The channels of the verdicts."""
        return {stored.channel for stored in self.verdicts}

    @property
    def judges(self) -> set[str]:
        """The names of the judges whose verdicts these are."""
        return {stored.verdict.judge for stored in self.verdicts}


async def read_scope(target: ForgetTarget, database: Database) -> ForgetScope:
    """Read the scope of a target. Raises `StorageError`."""
    match target:
        case TraceTarget(trace_id=trace_id):
            trace = await database.traces.get(trace_id)
            verdicts = await database.verdicts.of_trace(trace_id)
            return ForgetScope(target=target, trace=trace, verdicts=tuple(verdicts))
        case PersonTarget(person=person):
            return ForgetScope(target=target, verdicts=tuple(await database.feedback.of_person(person)))


FeedbackByPerson = Mapping[str, Sequence[PersonFeedback]]


async def read_feedback(scope: ForgetScope, database: Database) -> FeedbackByPerson:
    """Read the feedback that goes: everybody's on a trace, or one person's. Raises `StorageError`."""
    by_person: dict[str, list[PersonFeedback]] = {}
    for stored in scope.verdicts:
        for person, feedback in (await database.feedback.all_of(stored.verdict_id)).items():
            if scope.target in (TraceTarget(trace_id=stored.verdict.trace_id), PersonTarget(person=person)):
                by_person.setdefault(person, []).append(feedback)
    return by_person


async def read_replies(scope: ForgetScope, database: Database) -> list[tuple[str, str]]:
    """Read channel and ts of the replies that go, oldest first. Raises `StorageError`."""
    replies = [
        (stored.channel, ts)
        for stored in scope.verdicts
        for person, feedback in (await database.feedback.all_of(stored.verdict_id)).items()
        if scope.target in (TraceTarget(trace_id=stored.verdict.trace_id), PersonTarget(person=person))
        for ts, reply in feedback.replies.items()
        # the modal's reason stands at the card's own ts
        if reply.text is not None and ts != stored.reason_ts
    ]
    return sorted(replies, key=lambda reply: Decimal(reply[1]))


def texts_in(scope: ForgetScope, feedback: FeedbackByPerson) -> Iterator[str]:
    """Yield every text that goes: the trace's and its verdicts' own, and people's replies."""
    if scope.trace is not None:
        yield from texts_of(scope.trace)
    if isinstance(scope.target, TraceTarget):
        yield from (stored.verdict.rationale for stored in scope.verdicts)
    for feedback_of_person in feedback.values():
        for each in feedback_of_person:
            yield from (addressed_words(reply.text or "") for reply in each.replies.values())
