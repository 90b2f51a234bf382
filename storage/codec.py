"""The two records whose documents differ from `memalign.serialization`'s form: a person's feedback, and posts."""

from collections.abc import Mapping

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.records import (
    CardContent,
    Content,
    DigestContent,
    DigestReplyContent,
    LessonContent,
    NoteContent,
    NoticeContent,
    PastMark,
    PersonFeedback,
    Post,
    Reply,
    StatusContent,
    Timestamped,
    WorseningContent,
)
from storage.table_rows import Body

_CONTENTS: Mapping[str, type[Content]] = {
    kind.kind: kind
    for kind in (
        CardContent,
        LessonContent,
        NoteContent,
        DigestContent,
        DigestReplyContent,
        NoticeContent,
        StatusContent,
        WorseningContent,
    )
}


def feedback_body(feedback: PersonFeedback) -> Body:
    """Return one person's feedback as a document."""
    return {
        "reactions": {name: _pair(mark) for name, mark in feedback.reactions.items()},
        "button": _pair(feedback.button),
        "correction": _pair(feedback.correction),
        "replies": {ts: [reply.text, reply.at] for ts, reply in feedback.replies.items()},
        "kept_vote": _pair(feedback.kept_vote),
        "supports": _pair(feedback.supports),
        **({"answer": _pair(feedback.answer)} if feedback.answer else {}),
        **({"past": [to_document(mark) for mark in feedback.past]} if feedback.past else {}),
    }


def feedback_of(body: Mapping[str, Json]) -> PersonFeedback:
    """Return one person's feedback of a document."""
    return PersonFeedback(
        reactions={name: Timestamped(value=pair[0], at=pair[1]) for name, pair in body["reactions"].items()},
        button=_timestamped(body["button"]),
        correction=_timestamped(body["correction"]),
        replies={ts: Reply(text=pair[0], at=pair[1]) for ts, pair in body["replies"].items()},
        # absent in feedback of an earlier version
        kept_vote=_timestamped(body.get("kept_vote")),
        supports=_timestamped(body.get("supports")),
        answer=_timestamped(body.get("answer")),
        past=tuple(from_document(PastMark, mark) for mark in body.get("past", ())),
    )


def post_body(post: Post) -> Body:
    """Return a post as a document."""
    content = None if post.content is None else {"kind": post.content.kind, **to_document(post.content)}
    return {**to_document(post), "content": content}


def post_of(body: Mapping[str, Json]) -> Post:
    """Return the post of a document, which may have further fields."""
    return from_document(Post, {**body, "content": _content_of(body["content"])})


def _content_of(body: Mapping[str, Json] | None) -> Content | None:
    return None if body is None else from_document(_CONTENTS[body["kind"]], body)


def _pair(mark: Timestamped | None) -> list[Json] | None:
    return None if mark is None else [mark.value, mark.at]


def _timestamped(pair: list[Json] | None) -> Timestamped | None:
    return None if pair is None else Timestamped(value=pair[0], at=pair[1])
