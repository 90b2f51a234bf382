"""How one more event changes what is known of a person's side of a verdict. Pure: the order of arrival never
matters, only Slack's event times do.
"""

from dataclasses import replace
from decimal import Decimal

from memalign.records import Json
from storage.records import FeedbackEvent, PersonFeedback, Reply, Timestamped


def apply(facts: PersonFeedback, fact: FeedbackEvent) -> PersonFeedback:
    """The facts once this one is known, too; the same ones when it is stale."""
    if fact.kind == "reply":
        return _with_reply(facts, fact)
    if fact.kind == "reaction":
        mark = _later(facts.reactions.get(fact.name), fact)
        return replace(facts, reactions={**facts.reactions, fact.name: mark})
    if fact.kind == "button":
        return replace(facts, button=_later(facts.button, fact))
    return replace(facts, correction=_later(facts.correction, fact))


def meaning(facts: PersonFeedback) -> tuple[Json, ...]:
    """What the facts come to, without their times: two equal ones teach the same."""
    return (
        {name for name, mark in facts.reactions.items() if mark.value},
        None if facts.button is None else facts.button.value,
        # JSON tells true from 1 and 4 from 4.0, Python's == does not
        None if facts.correction is None else repr(facts.correction.value),
        {ts: reply.text for ts, reply in facts.replies.items() if reply.text is not None},
    )


def times(facts: PersonFeedback) -> tuple[str, ...]:
    """The event times of all facts."""
    marks = [*facts.reactions.values(), facts.button, facts.correction]
    return (*(mark.at for mark in marks if mark is not None), *(reply.at for reply in facts.replies.values()))


def _with_reply(facts: PersonFeedback, fact: FeedbackEvent) -> PersonFeedback:
    known = facts.replies.get(fact.name)
    if known is not None and not _counts(fact, known):
        return facts
    return replace(facts, replies={**facts.replies, fact.name: Reply(text=fact.value, at=fact.at)})


def _counts(fact: FeedbackEvent, known: Reply) -> bool:
    deletion = fact.value is None
    if known.text is None:
        # told of two deletions, the first was the one
        return deletion and _older(fact, known.at)
    return deletion or not _older(fact, known.at)


def _later(known: Timestamped | None, fact: FeedbackEvent) -> Timestamped:
    if known is not None and _older(fact, known.at):
        return known
    return Timestamped(value=fact.value, at=fact.at)


def _older(fact: FeedbackEvent, at: str) -> bool:
    return Decimal(fact.at) < Decimal(at)
