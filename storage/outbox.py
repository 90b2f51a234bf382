"""What is to be posted to Slack: once, in order, channel by channel."""

from collections.abc import Collection

from storage.fact_shelf import FactShelf
from storage.feedback_shelf import FeedbackShelf
from storage.intents import IntentShelf
from storage.journal import DigestShelf
from storage.post_shelf import PostShelf
from storage.records import Post, PostKind, ThreadPost
from storage.verdict_shelf import VerdictShelf
from storage.worker import Worker

_SAID: tuple[PostKind, ...] = ("lesson", "note")
"""What a verdict's thread is told, each thing once."""


class Outbox:
    """Posts, for callers. Every method raises `StorageError`."""

    def __init__(
        self,
        worker: Worker,
        posts: PostShelf,
        verdicts: VerdictShelf,
        facts: FactShelf,
        feedback: FeedbackShelf,
        digests: DigestShelf,
        intents: IntentShelf,
    ) -> None:
        self._worker = worker
        self._posts = posts
        self._verdicts = verdicts
        self._facts = facts
        self._feedback = feedback
        self._digests = digests
        self._intents = intents

    async def add(self, post: Post) -> bool:
        """Put the post last in its channel's line.

        False and nothing changed when that id is known, was told to the verdict's thread already, or the
        verdict was erased.
        """
        return await self._worker.write(self._add, post)

    async def next_due(self, now_ms: int) -> list[Post]:
        """The first due post of each channel that has none on its way and is not held, in order of adding."""
        if not await self._worker.read(self._posts.queue.waits, now_ms):
            return await self._worker.read(self._posts.next_due, now_ms)
        return await self._worker.write(self._next_due, now_ms)

    async def start(self, post_id: str) -> bool:
        """Note that the post is being sent; False (do not send it) when it is gone or being sent already."""
        return await self._worker.write(self._posts.start, post_id)

    async def done(self, post_id: str, message_ts: str) -> bool:
        """Note that the post is the message `message_ts`; False when it was erased while being sent.

        A card's message is from now on the verdict's, with the facts that had been parked for it; a lesson
        counts as told; a digest as posted.
        """
        return await self._worker.write(self._done, post_id, message_ts)

    async def retry(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place after an attempt in vain; until then others may overtake it."""
        await self._worker.write(self._posts.retry, post_id, not_before_ms, reason)

    async def hold(self, post_id: str, not_before_ms: int, reason: str) -> None:
        """Put the post back in its place, and offer nothing of its channel until then.

        It takes a restart unharmed. After it the channel's posts come in their old order.
        """
        await self._worker.write(self._posts.hold, post_id, not_before_ms, reason)

    async def drop(self, post_id: str) -> None:
        """Give the post up."""
        await self._worker.write(self._posts.drop, post_id)

    async def in_flight(self) -> list[Post]:
        """Posts being sent; after a crash, those of which nobody knows whether they arrived."""
        return await self._worker.read(self._posts.in_flight)

    async def waiting(self) -> int:
        """How many posts have not arrived yet."""
        return await self._worker.read(self._posts.queue.__len__)

    async def expecting(self, channels: Collection[str]) -> set[str]:
        """Those of the channels that have a post which has not arrived yet."""
        return await self._worker.read(self._expecting, channels)

    def _expecting(self, channels: Collection[str]) -> set[str]:
        return {channel for channel in channels if self._posts.is_expecting(channel)}

    def _add(self, post: Post) -> bool:
        if post.kind in _SAID and post.verdict_id is not None:
            if self._verdicts.get(post.verdict_id) is None:
                return False
            if any(told.post_id == post.post_id for told in self._facts.told(post.verdict_id)):
                return False
        return self._posts.add(post)

    def _next_due(self, now_ms: int) -> list[Post]:
        self._posts.queue.release(now_ms)
        return self._posts.next_due(now_ms)

    def _done(self, post_id: str, message_ts: str) -> bool:
        post = self._posts.get(post_id)
        if post is None:
            return False
        if post.kind == "void":
            self._intents.cover(post.channel, message_ts, "remove")
            self._posts.drop(post_id)
            return False
        if post.kind == "card":
            self._show(post, message_ts)
        elif post.kind in _SAID and post.verdict_id is not None:
            ids = tuple(post.payload.get("guideline_ids", ()))
            told = ThreadPost(message_ts=message_ts, guideline_ids=ids, post_id=post_id)
            self._facts.tell(post.verdict_id, told)
        elif post.kind == "digest":
            self._digests.posted(post_id)
        self._posts.drop(post_id)
        return True

    def _show(self, post: Post, message_ts: str) -> None:
        stored = None if post.verdict_id is None else self._verdicts.get(post.verdict_id)
        if stored is not None:
            self._verdicts.show(stored, message_ts)
            for fact in self._posts.parked(post.channel, message_ts):
                self._feedback.note(post.channel, message_ts, fact)
