"""Records to documents and back, field by field; a document holds nothing but JSON."""

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import ClassVar, Protocol

from memalign.records import Episode, Guideline, Json, Trace, Verdict
from memalign.serialization import from_document, to_document
from storage.records import (
    AuditLine,
    PersonFeedback,
    Reply,
    StoredVerdict,
    ThreadPost,
    Timestamped,
)
from storage.rows import Body


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Json]]]


def flat(record: Record) -> Body:
    """A record as a document, its fields as they are: enough for those of JSON and tuples of it."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


def trace_body(trace: Trace) -> Body:
    """A trace as a document."""
    return to_document(trace)


def trace_of(body: Mapping[str, Json]) -> Trace:
    """The trace of a document."""
    return from_document(Trace, body)


def verdict_body(verdict: Verdict) -> Body:
    """A verdict as a document."""
    return to_document(verdict)


def verdict_of(body: Mapping[str, Json]) -> Verdict:
    """The verdict of a document."""
    return from_document(Verdict, body)


def stored_body(stored: StoredVerdict) -> Body:
    """A stored verdict as a document."""
    return to_document(stored)


def stored_of(body: Mapping[str, Json]) -> StoredVerdict:
    """The stored verdict of a document."""
    return from_document(StoredVerdict, body)


def facts_body(facts: PersonFeedback) -> Body:
    """One person's facts as a document."""
    return {
        "reactions": {name: _mark(mark) for name, mark in facts.reactions.items()},
        "button": _mark(facts.button),
        "correction": _mark(facts.correction),
        "replies": {ts: [reply.text, reply.at] for ts, reply in facts.replies.items()},
    }


def facts_of(body: Mapping[str, Json]) -> PersonFeedback:
    """One person's facts of a document."""
    return PersonFeedback(
        reactions={name: Timestamped(value=pair[0], at=pair[1]) for name, pair in body["reactions"].items()},
        button=_mark_of(body["button"]),
        correction=_mark_of(body["correction"]),
        replies={ts: Reply(text=pair[0], at=pair[1]) for ts, pair in body["replies"].items()},
    )


def episode_body(episode: Episode) -> Body:
    """An episode as a document."""
    return to_document(episode)


def episode_of(body: Mapping[str, Json]) -> Episode:
    """The episode of a document."""
    return from_document(Episode, body)


def guideline_body(guideline: Guideline) -> Body:
    """A guideline as a document."""
    return to_document(guideline)


def guideline_of(body: Mapping[str, Json]) -> Guideline:
    """The guideline of a document."""
    return from_document(Guideline, body)


def told_of(body: Mapping[str, Json]) -> ThreadPost:
    """What a thread was told, of a document."""
    return from_document(ThreadPost, body)


def audit_of(body: Mapping[str, Json]) -> AuditLine:
    """The audit line of a document."""
    return from_document(AuditLine, body)


def _mark(mark: Timestamped | None) -> list[Json] | None:
    return None if mark is None else [mark.value, mark.at]


def _mark_of(pair: list[Json] | None) -> Timestamped | None:
    return None if pair is None else Timestamped(value=pair[0], at=pair[1])
