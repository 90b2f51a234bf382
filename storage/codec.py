"""Records to documents and back, field by field; a document holds nothing but JSON."""

import base64
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import ClassVar, Protocol

import numpy as np

from memalign.ports import Vectors
from memalign.records import (
    Assessment,
    Episode,
    Guideline,
    Json,
    PersonLabel,
    Source,
    Trace,
    Usage,
    Verdict,
)
from storage.documents import Body
from storage.records import (
    AuditLine,
    CardContent,
    Content,
    DigestContent,
    ForgetRequest,
    LessonContent,
    NoteContent,
    PersonFeedback,
    Post,
    Reply,
    StoredVerdict,
    ThreadPost,
    Timestamped,
)


_CONTENTS: Mapping[str, type[CardContent | LessonContent | NoteContent | DigestContent]] = {
    kind.kind: kind for kind in (CardContent, LessonContent, NoteContent, DigestContent)
}


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Json]]]


def flat(record: Record) -> Body:
    """A record as a document, its fields as they are: enough for those of JSON and tuples of it."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


def trace_body(trace: Trace) -> Body:
    """A trace as a document."""
    return {**flat(trace), "assessments": [flat(each) for each in trace.assessments]}


def trace_of(body: Mapping[str, Json]) -> Trace:
    """The trace of a document."""
    assessments = tuple(Assessment(**each) for each in body["assessments"])
    return Trace(**{**_fields(Trace, body), "assessments": assessments})


def verdict_body(verdict: Verdict) -> Body:
    """A verdict as a document."""
    return {**flat(verdict), "usage": flat(verdict.usage)}


def verdict_of(body: Mapping[str, Json]) -> Verdict:
    """The verdict of a document."""
    return Verdict(**{**_fields(Verdict, body), "usage": Usage(**body["usage"])})


def stored_body(stored: StoredVerdict) -> Body:
    """A stored verdict as a document."""
    return {**flat(stored), "verdict": verdict_body(stored.verdict)}


def stored_of(body: Mapping[str, Json]) -> StoredVerdict:
    """The stored verdict of a document."""
    return StoredVerdict(**{**body, "verdict": verdict_of(body["verdict"])})


def feedback_body(feedback: PersonFeedback) -> Body:
    """One person's feedback as a document."""
    return {
        "reactions": {name: _mark(mark) for name, mark in feedback.reactions.items()},
        "button": _mark(feedback.button),
        "correction": _mark(feedback.correction),
        "replies": {ts: [reply.text, reply.at] for ts, reply in feedback.replies.items()},
    }


def feedback_of(body: Mapping[str, Json]) -> PersonFeedback:
    """One person's feedback of a document."""
    return PersonFeedback(
        reactions={name: Timestamped(value=pair[0], at=pair[1]) for name, pair in body["reactions"].items()},
        button=_mark_of(body["button"]),
        correction=_mark_of(body["correction"]),
        replies={ts: Reply(text=pair[0], at=pair[1]) for ts, pair in body["replies"].items()},
    )


def episode_body(episode: Episode) -> Body:
    """An episode as a document."""
    nested = {"opinions": episode.opinions, "minority": episode.minority}
    return {**flat(episode), **{name: [flat(each) for each in side] for name, side in nested.items()}}


def episode_of(body: Mapping[str, Json]) -> Episode:
    """The episode of a document."""
    sides = ("opinions", "minority")
    return Episode(**{**body, **{name: tuple(PersonLabel(**each) for each in body[name]) for name in sides}})


def guideline_body(guideline: Guideline) -> Body:
    """A guideline as a document."""
    nested = {"sources": guideline.sources, "contradicted": guideline.contradicted}
    return {**flat(guideline), **{name: [flat(each) for each in some] for name, some in nested.items()}}


def guideline_of(body: Mapping[str, Json]) -> Guideline:
    """The guideline of a document."""
    nested = {name: tuple(Source(**each) for each in body[name]) for name in ("sources", "contradicted")}
    return Guideline(**{**_fields(Guideline, body), **nested})


def thread_post_of(body: Mapping[str, Json]) -> ThreadPost:
    """The thread post of a document."""
    return ThreadPost(**_fields(ThreadPost, body))


def post_body(post: Post) -> Body:
    """A post as a document."""
    content = None if post.content is None else {"kind": post.content.kind, **flat(post.content)}
    return {**flat(post), "content": content}


def post_of(body: Mapping[str, Json]) -> Post:
    """The post of a document, which may have further fields."""
    return Post(**{**_known(Post, body), "content": _content_of(body["content"])})


def request_body(request: ForgetRequest) -> Body:
    """A request to forget as a document."""
    return {**flat(request), "notes": [flat(note) for note in request.notes]}


def request_of(body: Mapping[str, Json]) -> ForgetRequest:
    """The request to forget of a document."""
    return ForgetRequest(**{**body, "notes": tuple(audit_of(note) for note in body["notes"])})


def audit_of(body: Mapping[str, Json]) -> AuditLine:
    """The audit line of a document."""
    return AuditLine(**_fields(AuditLine, body))


def pack_vector(vector: Vectors) -> str:
    """A vector as text: base64 of its 32-bit floats, little endian."""
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def vector_of(packed: str) -> Vectors:
    """The vector of packed text, of shape (dimension,)."""
    return np.frombuffer(base64.b64decode(packed), dtype="<f4").astype(np.float32)


def _fields(kind: type[Record], body: Mapping[str, Json]) -> Body:
    """The document with tuples again where JSON knows only lists."""
    tuples = {each.name for each in fields(kind) if isinstance(each.default, tuple)}
    return {name: tuple(value) if name in tuples else value for name, value in body.items()}


def _known(kind: type[Record], body: Mapping[str, Json]) -> Body:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in body.items() if name in names}


def _content_of(body: Mapping[str, Json] | None) -> Content | None:
    if body is None:
        return None
    kind = _CONTENTS[body["kind"]]
    return kind(**_fields(kind, _known(kind, body)))


def _mark(mark: Timestamped | None) -> list[Json] | None:
    return None if mark is None else [mark.value, mark.at]


def _mark_of(pair: list[Json] | None) -> Timestamped | None:
    return None if pair is None else Timestamped(value=pair[0], at=pair[1])
