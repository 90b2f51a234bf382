"""The queue of messages for Slack, and feedback events that came before their card is known to have arrived."""

from memalign.serialization import from_document, to_document
from storage.codec import post_body, post_of
from storage.documents import Document, Documents
from storage.keys import below, exactly, key, stamp
from storage.queue import Queue, postponed
from storage.records import FeedbackEvent, Post
from storage.table_rows import Body


class PostQueue:
    """Posts in order of adding, channel by channel; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self.queue = Queue(
            documents,
            "outbox",
            order=lambda body: key(body["channel"], stamp(body["number"])),
            is_listed=lambda body: body["state"] == "due",
            indexes={
                "posting": lambda body: [key(body["channel"])] if body["state"] == "posting" else [],
                "verdict": lambda body: [key(body["verdict_id"])] if body["verdict_id"] else [],
            },
        )
        self._holds = documents.declare("channel_holds")
        self._early = documents.declare("early_events")

    def add(self, post: Post) -> bool:
        """Put the post last; False and nothing changed when it is known."""
        if self.queue.table.contains(doc_id=post.post_id):
            return False
        last = self.queue.table.range(order="newest", limit=1)
        number = last[0]["number"] + 1 if last else 0
        self.queue.put(post.post_id, {**post_body(post), "number": number})
        return True

    def find(self, post_id: str) -> Post | None:
        """Return the post, if it is still here."""
        body = self.queue.table.get(doc_id=post_id)
        return None if body is None else post_of(body)

    def first_of_channels(self, now_ms: int) -> list[Post]:
        """Return the first ready post of each channel with none on its way, unless it is held; in order of adding."""
        due: list[Document] = []
        heads = self.queue.first(limit=1)
        while heads:
            channel: str = heads[0]["channel"]
            if not self.is_posting(channel) and not self._is_held(channel, now_ms):
                due.append(heads[0])
            heads = self.queue.first(below(channel)[1], limit=1)
        return [post_of(body) for body in sorted(due, key=lambda body: int(body["number"]))]

    def start(self, post_id: str) -> bool:
        """Note that the post is on its way; False when it is gone or on its way already."""
        body = self.queue.table.get(doc_id=post_id)
        if body is None or body["state"] == "posting":
            return False
        self.queue.put(post_id, {**body, "state": "posting"})
        return True

    def retry(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place, to wait until then; others may overtake it."""
        body = self.queue.table.get(doc_id=post_id)
        if body is not None:
            self.queue.put(post_id, {**postponed(body, not_before_ms, reason), "state": "due"})
            self._drop_early_events(body)

    def hold_channel_of(self, post_id: str, not_before_ms: int) -> None:
        """Let the post's whole channel wait until then; its posts keep their places in the line."""
        body = self.queue.table.get(doc_id=post_id)
        if body is not None:
            self._holds.upsert(Document({"not_before_ms": not_before_ms}, body["channel"]))

    def drop(self, post_id: str) -> None:
        """Remove the post, whatever its state."""
        body = self.queue.table.get(doc_id=post_id)
        if body is not None:
            self.queue.drop(post_id)
            self._drop_early_events(body)

    def cancel(self, post_id: str) -> None:
        """Remove the post; of one on its way only the id is kept, to find it by where it arrived."""
        body = self.queue.table.get(doc_id=post_id)
        if body is None or body["state"] != "posting":
            self.drop(post_id)
        else:
            self.queue.put(post_id, {**body, "content": None, "verdict_id": None, "reason": None})

    def of_verdict(self, verdict_id: str) -> list[Post]:
        """Return the posts about the verdict."""
        return [post_of(body) for body in self.queue.table.range(*exactly(key(verdict_id)), index="verdict")]

    def in_flight(self) -> list[Post]:
        """Return the posts on their way."""
        return [post_of(body) for body in self.queue.table.range(index="posting")]

    def is_posting(self, channel: str) -> bool:
        """Return whether a post to the channel is on its way."""
        return bool(self.queue.table.range(*exactly(key(channel)), index="posting", limit=1))

    def is_expecting(self, channel: str) -> bool:
        """Return whether the channel has a post that has not arrived yet."""
        return (
            self.is_posting(channel)
            or bool(self.queue.first(*below(channel), limit=1))
            or self.queue.waits_any(lambda body: body["channel"] == channel)
        )

    def keep_early_event(self, channel: str, ts: str, event: FeedbackEvent) -> None:
        """Keep an event about a message that may turn out to be a card."""
        last = self._early.range(*below(channel, ts), order="down", limit=1)
        number = int(last[0].doc_id.rpartition("\x00")[2]) + 1 if last else 0
        self._early.upsert(Document(to_document(event), key(channel, ts, stamp(number))))

    def early_events(self, channel: str, ts: str) -> list[FeedbackEvent]:
        """Return the events kept for the message, in order of arrival."""
        return [from_document(FeedbackEvent, body) for body in self._early.range(*below(channel, ts))]

    def delete_early_events(self, person: str) -> None:
        """Remove what is kept of the person: such events are few, and only there while a post is on its way."""
        kept = self._early.range()
        self._early.remove(doc_ids=[body.doc_id for body in kept if body["person"] == person])

    def _is_held(self, channel: str, now_ms: int) -> bool:
        hold = self._holds.get(doc_id=channel)
        return hold is not None and hold["not_before_ms"] > now_ms

    def _drop_early_events(self, arrived: Body) -> None:
        channel: str = arrived["channel"]
        if not self.is_posting(channel):
            kept = self._early.range(*below(channel))
            self._early.remove(doc_ids=[body.doc_id for body in kept])
