"""The table of verdicts whose facts wait to be learned, and how a fact finds its verdict."""

from storage.codec import flat
from storage.documents import Documents
from storage.fact_shelf import FactShelf
from storage.keys import event_ms, key, stamp
from storage.post_shelf import PostShelf
from storage.queue import Queue, postponed
from storage.records import FeedbackEvent, PendingFeedback, StoredVerdict
from storage.rows import Body
from storage.verdict_shelf import VerdictShelf


class FeedbackShelf:
    """Facts and what is to be learned of them; for use inside a transaction."""

    def __init__(
        self, documents: Documents, verdicts: VerdictShelf, facts: FactShelf, posts: PostShelf
    ) -> None:
        self._verdicts = verdicts
        self._facts = facts
        self._posts = posts
        self.queue = Queue(documents, "unlearned")

    def note(self, channel: str, ts: str, fact: FeedbackEvent) -> str | None:
        """Take the fact in; the verdict it is about, or None when the message is no card, or not yet."""
        stored = self._verdicts.by_card(channel, ts)
        if stored is None:
            if self._posts.is_posting(channel):
                self._posts.park(channel, ts, fact)
            return None
        revised = self._facts.note(stored, fact)
        if revised is not None:
            self.mark(revised, event_ms(fact.at))
        return stored.verdict_id

    def mark(self, stored: StoredVerdict, since_ms: int) -> None:
        """Note that the verdict's facts changed; an attempt put off before stays put off."""
        known = self.queue.all.find(stored.verdict_id)
        waiting = {} if known is None else {name: known[name] for name in _KEPT}
        since = since_ms if known is None else max(since_ms, known["since_ms"])
        unlearned = PendingFeedback(
            verdict_id=stored.verdict_id,
            trace_id=stored.verdict.trace_id,
            judge=stored.verdict.judge,
            revision=stored.revision,
            since_ms=since,
        )
        order = key(stamp(since), stored.verdict_id)
        self.queue.put(stored.verdict_id, {**flat(unlearned), **waiting, "order": order})

    def ready(self, now_ms: int, quiet_ms: int) -> list[PendingFeedback]:
        """What has been quiet for long enough and is not put off, oldest first."""
        return [_unlearned_of(body) for _, body in self.queue.first(high=stamp(now_ms - quiet_ms + 1))]

    def learned(self, verdict_id: str, revision: int) -> bool:
        """Clear the mark, unless facts have changed since that revision."""
        body = self.queue.all.find(verdict_id)
        if body is None or body["revision"] != revision:
            return False
        self.queue.drop(verdict_id)
        return True

    def postpone(self, verdict_id: str, not_before_ms: int, reason: str) -> None:
        """Note an attempt in vain."""
        body = self.queue.all.find(verdict_id)
        if body is not None:
            self.queue.put(verdict_id, postponed(body, not_before_ms, reason))


_KEPT = ("attempts", "not_before_ms", "reason")


def _unlearned_of(body: Body) -> PendingFeedback:
    return PendingFeedback(**{name: value for name, value in body.items() if name != "order"})
