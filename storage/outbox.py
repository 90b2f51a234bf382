"""Messages to be posted to Slack: once, in order, channel by channel."""

from collections.abc import Collection, Sequence
from typing import get_args

from storage.codec import post_of
from storage.digest_messages import DigestMessages
from storage.document_forms import fields_form
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.forgetting import Forgetting
from storage.keys import below, key
from storage.posts import PostQueue
from storage.queue import is_put_off, postponed
from storage.records import (
    CardContent,
    DigestContent,
    DigestPart,
    DigestReplyContent,
    LessonContent,
    NoteContent,
    Post,
    StatusContent,
    StoredVerdict,
    WorseningContent,
)
from storage.repository import Repository, Store, reads, writes
from storage.table_rows import Body
from storage.thread_statuses import ThreadStatuses
from storage.verdicts import Verdicts


class Outbox(Repository):
    """Posts. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        posts: PostQueue,
        verdicts: Verdicts,
        feedback: FeedbackEvents,
        statuses: ThreadStatuses,
        digests: DigestMessages,
        forgetting: Forgetting,
    ) -> None:
        super().__init__(store)
        self._posts = posts
        self._queue = posts.queue
        self._verdicts = verdicts
        self._feedback = feedback
        self._statuses = statuses
        self._digest_messages = digests
        self._forgetting = forgetting
        self._holds = store.documents.declare("channel_holds", form=fields_form(not_before_ms=int))
        self._digests = store.documents.declare("digests")
        self._joins = store.documents.declare("joins")

    @writes
    def add(self, post: Post) -> bool:
        """Put the post last in its channel's line.

        False and nothing changed when that id is known, or it is a thread's status that is posted already, or whose
        verdict was deleted.
        """
        if isinstance(post.content, StatusContent) and post.verdict_id is not None:
            status = self._statuses.find(post.verdict_id)
            if status is None or status.message_ts is not None:
                return False
        return self._posts.add(post)

    @writes
    def take_over_thread_posts(self) -> int:
        """Let the newest message that an earlier version left in a thread show its status; the others are deleted.

        Returns how many threads that were: none, once it was done.
        """
        verdicts = (self._verdicts.find(each) for each in self._feedback.find_threads_with_posts())
        known = [verdict for verdict in verdicts if verdict is not None]
        for verdict in known:
            for post in self._feedback.delete_thread_posts(verdict.verdict_id):
                self._take_over(verdict, post.message_ts, post.guideline_ids)
        return len(known)

    @writes
    def add_digest(self, slot: str, week: str, post: Post) -> bool:
        """Put the digest of a slot and a week such as `2026-W47` last in its channel's line.

        False and nothing changed when that was done before, be the post still here or not.
        """
        return self._add_once(key(slot, week), post)

    @writes
    def add_worsening(self, slot: str, content: WorseningContent, post: Post) -> bool:
        """Put a warning last in its channel's line; there is one of each slot, week and other memory.

        False and nothing changed when that was done before, be the post still here or not.
        """
        return self._add_once(key(slot, content.kind, content.reference, content.week), post)

    def _add_once(self, place: str, post: Post) -> bool:
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

        A card's message is from now on the verdict's, with the events that had been kept for it; that of a status,
        or of anything that an earlier version told a thread, is the one that is edited. A digest gets its replies.
        """
        body = self._queue.table.get(doc_id=post_id)
        if body is None:
            return False
        post = post_of(body)
        if post.content is None:
            self._forgetting.add_redaction(post.channel, message_ts, "remove")
        elif isinstance(post.content, CardContent):
            self._show(post, message_ts)
        elif isinstance(post.content, DigestContent | DigestReplyContent):
            self._show_digest(post, message_ts)
        elif post.verdict_id is not None:
            self._record(post, post.verdict_id, message_ts)
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

    def _show_digest(self, post: Post, message_ts: str) -> None:
        if self._digest_messages.arrived(post.post_id, message_ts):
            self._forgetting.add_redaction(post.channel, message_ts, "digest")
        if isinstance(post.content, DigestContent):
            self._add_digest_replies(post, post.content, message_ts)

    def _add_digest_replies(self, digest: Post, content: DigestContent, message_ts: str) -> None:
        """Put the replies in a digest's thread last in the channel's line; one of an earlier version has none."""
        if not content.judge:
            return
        for part in get_args(DigestPart):
            reply = DigestReplyContent(judge=content.judge, week=content.week, part=part)
            post_id = f"{part}:{digest.post_id}"
            self._posts.add(
                Post(post_id=post_id, channel=digest.channel, content=reply, thread_ts=message_ts)
            )

    def _record(self, post: Post, verdict_id: str, message_ts: str) -> None:
        if isinstance(post.content, StatusContent):
            self._statuses.arrived(verdict_id, message_ts)
        elif isinstance(post.content, LessonContent | NoteContent):
            verdict = self._verdicts.find(verdict_id)
            ids = post.content.guideline_ids if isinstance(post.content, LessonContent) else ()
            if verdict is not None:
                self._take_over(verdict, message_ts, ids)

    def _take_over(self, verdict: StoredVerdict, message_ts: str, guideline_ids: Sequence[str]) -> None:
        if before := self._statuses.take_over(verdict, message_ts, guideline_ids):
            self._forgetting.add_redaction(verdict.channel, before, "remove")
