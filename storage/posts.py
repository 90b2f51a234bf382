"""The queue of messages for Slack, and feedback events that came before their card is known to have arrived."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.codec import post_body, post_of
from storage.document_forms import fields_form, form_of
from storage.documents import Document, Documents, where
from storage.keys import below, exactly, key, stamp
from storage.queue import Queue
from storage.records import FeedbackEvent, Post, PostState

_CHECK_POST_FIELDS = fields_form(
    number=int,
    post_id=str,
    channel=str,
    thread_ts=str | None,
    verdict_id=str | None,
    state=PostState,
    attempts=int,
    not_before_ms=int,
)

NONCE_BYTES = 16


class PostQueue:
    """Posts in order of adding, channel by channel; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self.queue = Queue(
            documents,
            "outbox",
            order=lambda body: key(body["channel"], stamp(body["number"])),
            group="channel",
            is_listed=lambda body: body["state"] == "due",
            form=_check_post,
            indexes={
                "posting": lambda body: [key(body["channel"])] if body["state"] == "posting" else [],
                "verdict": lambda body: [key(body["verdict_id"])] if body["verdict_id"] else [],
            },
        )
        self._early = documents.declare("early_events", form=form_of(FeedbackEvent))

    def add(self, post: Post) -> bool:
        """Put the post last; False and nothing changed when it is known."""
        if self.queue.table.contains(doc_id=post.post_id):
            return False
        last = self.queue.table.range(order="newest", limit=1)
        number = last[0]["number"] + 1 if last else 0
        created_ms = time.time_ns() // 1_000_000
        marked = replace(post, nonce=secrets.token_hex(NONCE_BYTES), created_ms=created_ms)
        self.queue.put(post.post_id, {**post_body(marked), "number": number})
        return True

    def of_verdict(self, verdict_id: str) -> list[Post]:
        """Return the posts about the verdict."""
        return [post_of(body) for body in self.queue.table.range(*exactly(key(verdict_id)), index="verdict")]

    def ids_of_verdict(self, verdict_id: str) -> list[str]:
        """Return the ids of the posts about the verdict, damaged ones included."""
        return self.queue.table.ids(*exactly(key(verdict_id)), index="verdict")

    def is_posting(self, channel: str) -> bool:
        """Return whether a post to the channel is on its way."""
        return bool(self.queue.table.range(*exactly(key(channel)), index="posting", limit=1))

    def cancel(self, post_id: str) -> None:
        """Remove the post; of one on its way only the id is kept, to find it by where it arrived."""
        body = self.queue.table.get(doc_id=post_id)
        if body is None or body["state"] != "posting":
            self.remove(post_id)
        else:
            self.queue.put(post_id, {**body, "content": None, "verdict_id": None, "reason": None})

    def remove(self, post_id: str) -> None:
        """Remove the post, whatever its state."""
        body = self.queue.table.get(doc_id=post_id)
        self.queue.drop(post_id)
        if body is not None:
            self.drop_early_events(body["channel"])

    def keep_early_event(self, channel: str, ts: str, event: FeedbackEvent) -> None:
        """Keep an event about a message that may turn out to be a card."""
        last = self._early.range(*below(channel, ts), order="down", limit=1)
        number = int(last[0].doc_id.rpartition("\x00")[2]) + 1 if last else 0
        self._early.insert(Document(to_document(event), key(channel, ts, stamp(number))))

    def early_events(self, channel: str, ts: str) -> list[FeedbackEvent]:
        """Return the events kept for the message, in order of arrival."""
        return [from_document(FeedbackEvent, body) for body in self._early.range(*below(channel, ts))]

    def drop_early_events(self, channel: str) -> None:
        """Drop the channel's early events, unless another post to it is on its way."""
        if not self.is_posting(channel):
            self._early.remove(doc_ids=[body.doc_id for body in self._early.range(*below(channel))])

    def delete_early_events(self, person: str) -> None:
        """Delete the person's early events: they are few, and only there while a post is on its way."""
        self._early.remove(where("person") == person)


def _check_post(body: Mapping[str, Json]) -> None:
    _CHECK_POST_FIELDS(body)
    post = post_of(body)
    if post.content is not None:
        form_of(type(post.content))(body["content"])
