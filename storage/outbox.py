"""Messages to be posted to Slack: once, in order, channel by channel."""

from collections.abc import Collection

from storage.codec import post_of
from storage.document_forms import fields_form
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.forgetting import Forgetting
from storage.keys import below, key
from storage.posts import PostQueue
from storage.queue import is_put_off, postponed
from storage.records import CardContent, LessonContent, NoteContent, Post, ThreadPost
from storage.repository import Repository, Store, reads, writes
from storage.table_rows import Body
from storage.verdicts import Verdicts


class Outbox(Repository):
    """Posts. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        posts: PostQueue,
        verdicts: Verdicts,
        feedback: FeedbackEvents,
        forgetting: Forgetting,
    ) -> None:
        super().__init__(store)
        self._posts = posts
        self._queue = posts.queue
        self._verdicts = verdicts
        self._feedback = feedback
        self._forgetting = forgetting
        self._holds = store.documents.declare("channel_holds", form=fields_form(not_before_ms=int))
        self._digests = store.documents.declare("digests")
        self._joins = store.documents.declare("joins")

    @writes
    def add(self, post: Post) -> bool:
        """Put the post last in its channel's line.

        False and nothing changed when that id is known, stands in the verdict's thread already, or the verdict
        was deleted.
        """
        if isinstance(post.content, LessonContent | NoteContent) and post.verdict_id is not None:
            if self._verdicts.find(post.verdict_id) is None:
                return False
            if any(
                thread_post.post_id == post.post_id
                for thread_post in self._feedback.find_thread_posts(post.verdict_id)
            ):
                return False
        return self._posts.add(post)

    @writes
    def add_digest(self, slot: str, week: str, post: Post) -> bool:
        """Put the digest of a slot and a week such as `2026-W47` last in its channel's line.

        False and nothing changed when that was done before, be the post still here or not.
        """
        place = key(slot, week)
        if self._digests.contains(doc_id=place):
            return False
        self._digests.insert(Document({}, place))
        return self._posts.add(post)

    @writes
    def add_greeting(self, joined_at: str, post: Post) -> bool:
        """Put the greeting of a channel that the bot joined last in the channel's line.

        False and nothing changed when that was done before for the join at that event time.
        """
        place = key(post.channel, joined_at)
        if self._joins.contains(doc_id=place):
            return False
        self._joins.insert(Document({}, place))
        return self._posts.add(post)

    async def next_due(self, now_ms: int) -> list[Post]:
        """Return the first due post of each channel with none on its way, unless it is held; in order of adding."""
        await self._release_due(self._queue, now_ms)
        return await self._first_of_channels(now_ms)

    @reads
    def _first_of_channels(self, now_ms: int) -> list[Post]:
        due: list[Document] = []
        held = self._held_channels(now_ms)
        heads, low = self._queue.first(limit=1), ""
        # the next channel lies behind, unless a post is not where the index says
        while heads and below(heads[0]["channel"])[1] > low:
            channel: str = heads[0]["channel"]
            low = below(channel)[1]
            if not self._posts.is_posting(channel) and channel not in held:
                due.append(heads[0])
            heads = self._queue.first(low, limit=1)
        return [post_of(body) for body in sorted(due, key=lambda body: int(body["number"]))]

    @writes
    def start(self, post_id: str) -> bool:
        """Note that the post is being sent; False (do not send it) when it is gone or being sent already."""
        body = self._queue.table.get(doc_id=post_id)
        if body is None or body["state"] == "posting":
            return False
        self._queue.put(post_id, {**body, "state": "posting"})
        return True

    @writes
    def done(self, post_id: str, message_ts: str) -> bool:
        """Note that the post is the message `message_ts`; False when it was cancelled while being sent.

        A card's message is from now on the verdict's, with the events that had been kept for it; a lesson stands
        in the verdict's thread.
        """
        body = self._queue.table.get(doc_id=post_id)
        if body is None:
            return False
        post = post_of(body)
        if post.content is None:
            self._forgetting.add_redaction(post.channel, message_ts, "remove")
        elif isinstance(post.content, CardContent):
            self._show(post, message_ts)
        elif isinstance(post.content, LessonContent | NoteContent):
            self._record(post, message_ts)
        self._posts.remove(post_id)
        return post.content is not None

    @writes
    def retry(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place after a failed attempt; until then others may overtake it."""
        self._put_back(post_id, not_before_ms, reason)

    @writes
    def hold(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place, and offer nothing of its channel until then.

        It takes a restart unharmed. After it the channel's posts come in their old order.
        """
        # the post keeps its place in the line: it is the channel that waits
        body = self._put_back(post_id, 0, reason)
        if body is not None:
            self._holds.upsert(Document({"not_before_ms": not_before_ms}, body["channel"]))

    @writes
    def drop(self, post_id: str) -> None:
        """Give the post up."""
        self._posts.remove(post_id)

    @reads
    def in_flight(self) -> list[Post]:
        """Return posts being sent; after a crash, those of which nobody knows whether they arrived."""
        return [post_of(body) for body in self._queue.table.range(index="posting")]

    @reads
    def oldest(self) -> list[Post]:
        """Return of each channel the post that was added first, on its way or not."""
        return [post_of(body) for body in self._queue.oldest()]

    @reads
    def waiting(self) -> int:
        """Return how many posts have not arrived yet."""
        return len(self._queue)

    @reads
    def expecting(self, channels: Collection[str]) -> set[str]:
        """Return those of the channels that have a post which has not arrived yet."""
        return {channel for channel in channels if self._is_expecting(channel)}

    def _put_back(self, post_id: str, not_before_ms: int, reason: str) -> Body | None:
        body: Body | None = self._queue.table.get(doc_id=post_id)
        if body is not None:
            self._queue.put(post_id, {**postponed(body, not_before_ms, reason), "state": "due"})
            self._posts.drop_early_events(body["channel"])
        return body

    def _held_channels(self, now_ms: int) -> set[str]:
        """Return the channels that wait; a channel that was ever held has a document, so that there are few."""
        return {hold.doc_id for hold in self._holds.search(is_put_off(now_ms))}

    def _is_expecting(self, channel: str) -> bool:
        return (
            self._posts.is_posting(channel)
            or bool(self._queue.first(*below(channel), limit=1))
            or self._queue.waits_any(lambda body: body["channel"] == channel)
        )

    def _show(self, post: Post, message_ts: str) -> None:
        verdict = None if post.verdict_id is None else self._verdicts.find(post.verdict_id)
        if verdict is not None:
            self._verdicts.show(verdict, message_ts)
            for event in self._posts.early_events(post.channel, message_ts):
                self._feedback.take_in(post.channel, message_ts, event)

    def _record(self, post: Post, message_ts: str) -> None:
        if post.verdict_id is not None:
            ids = post.content.guideline_ids if isinstance(post.content, LessonContent) else ()
            thread_post = ThreadPost(message_ts=message_ts, guideline_ids=ids, post_id=post.post_id)
            self._feedback.keep_thread_post(post.verdict_id, thread_post)
