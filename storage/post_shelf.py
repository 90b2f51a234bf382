"""The tables of messages that wait for Slack, and of facts that wait for their card."""

from storage.codec import flat
from storage.documents import Documents
from storage.keys import below, key, stamp
from storage.queue import Queue, postponed
from storage.records import FeedbackEvent, Post
from storage.rows import Body


class PostShelf:
    """Posts in order of adding, channel by channel; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self.queue = Queue(documents, "outbox")
        self._posting = documents.shelf("outbox_posting")
        self._holds = documents.shelf("outbox_holds")
        self._by_verdict = documents.shelf("outbox_by_verdict")
        self._counters = documents.shelf("counters")
        self._parked = documents.shelf("parked")

    def add(self, post: Post) -> bool:
        """Put the post last; False and nothing changed when it is known."""
        if self.queue.all.has(post.post_id):
            return False
        number = self._next_number()
        order = key(post.channel, stamp(number))
        self.queue.put(post.post_id, {**flat(post), "order": order, "number": number})
        if post.verdict_id is not None:
            self._by_verdict.put(key(post.verdict_id, post.post_id), {"post_id": post.post_id})
        return True

    def get(self, post_id: str) -> Post | None:
        """The post, if it is still here."""
        body = self.queue.all.find(post_id)
        return None if body is None else _post_of(body)

    def next_due(self, now_ms: int) -> list[Post]:
        """The first ready post of each channel that has none on its way and is not held, in order of adding."""
        found: list[tuple[int, Post]] = []
        heads = self.queue.first(limit=1)
        while heads:
            body = heads[0][1]
            if not self.is_posting(body["channel"]) and not self._is_held(body["channel"], now_ms):
                found.append((body["number"], _post_of(body)))
            heads = self.queue.first(below(body["channel"])[1], limit=1)
        return [post for _, post in sorted(found, key=lambda each: each[0])]

    def start(self, post_id: str) -> bool:
        """Note that the post is on its way; False when it is gone or on its way already."""
        body = self.queue.all.find(post_id)
        if body is None or body["state"] == "posting":
            return False
        self.queue.hold(post_id, {**body, "state": "posting"})
        self._posting.put(key(body["channel"], post_id), {"post_id": post_id})
        return True

    def retry(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place, to wait until then; others may overtake it."""
        body = self.queue.all.find(post_id)
        if body is not None:
            self.queue.put(post_id, {**postponed(body, not_before_ms, reason), "state": "due"})
            self._arrived(body)

    def hold(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place, and let its whole channel wait until then."""
        body = self.queue.all.find(post_id)
        if body is not None:
            self._holds.put(body["channel"], {"not_before_ms": not_before_ms})
            # the post keeps its place in the line: it is the channel that waits
            self.retry(post_id, 0, reason)

    def drop(self, post_id: str) -> None:
        """Remove the post, whatever its state."""
        body = self.queue.all.find(post_id)
        if body is not None:
            self.queue.drop(post_id)
            if body["verdict_id"] is not None:
                self._by_verdict.discard(key(body["verdict_id"], post_id))
            self._arrived(body)

    def void(self, post_id: str) -> None:
        """Forget the post; of one on its way only the id is kept, to find it by where it arrived."""
        body = self.queue.all.find(post_id)
        if body is None or body["state"] != "posting":
            self.drop(post_id)
            return
        if body["verdict_id"] is not None:
            self._by_verdict.discard(key(body["verdict_id"], post_id))
        self.queue.hold(post_id, {**body, "kind": "void", "verdict_id": None, "payload": {}, "reason": None})

    def of_verdict(self, verdict_id: str) -> list[str]:
        """Ids of the posts about the verdict."""
        return [body["post_id"] for _, body in self._by_verdict.span(*below(verdict_id))]

    def in_flight(self) -> list[Post]:
        """Posts on their way."""
        found = (self.get(body["post_id"]) for _, body in self._posting.span(""))
        return [post for post in found if post is not None]

    def is_posting(self, channel: str) -> bool:
        """Whether a post to the channel is on its way."""
        return bool(self._posting.span(*below(channel), limit=1))

    def is_expecting(self, channel: str) -> bool:
        """Whether the channel has a post that has not arrived yet."""
        return (
            self.is_posting(channel)
            or bool(self.queue.first(*below(channel), limit=1))
            or self.queue.any_later(lambda body: body["channel"] == channel)
        )

    def _is_held(self, channel: str, now_ms: int) -> bool:
        hold = self._holds.find(channel)
        return hold is not None and hold["not_before_ms"] > now_ms

    def park(self, channel: str, ts: str, fact: FeedbackEvent) -> None:
        """Keep a fact about a message that may turn out to be a card."""
        self._parked.put(key(channel, ts, stamp(self._next_number())), flat(fact))

    def parked(self, channel: str, ts: str) -> list[FeedbackEvent]:
        """The facts kept for the message, in order of arrival."""
        return [FeedbackEvent(**body) for _, body in self._parked.span(*below(channel, ts))]

    def unpark_person(self, person: str) -> None:
        """Remove what is kept of the person's facts: they are few, and only while a post is on its way."""
        self._parked.discard(*(place for place, body in self._parked.span("") if body["person"] == person))

    def _arrived(self, body: Body) -> None:
        channel: str = body["channel"]
        self._posting.discard(key(channel, body["post_id"]))
        if not self.is_posting(channel):
            self._parked.discard(*(place for place, _ in self._parked.span(*below(channel))))

    def _next_number(self) -> int:
        number: int = (self._counters.find("outbox") or {"next": 0})["next"]
        self._counters.put("outbox", {"next": number + 1})
        return number


def _post_of(body: Body) -> Post:
    return Post(**{name: value for name, value in body.items() if name not in ("order", "number")})
