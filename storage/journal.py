"""Digests sent, deeds done, and when all began."""

from storage.codec import audit_of, flat
from storage.documents import Documents
from storage.keys import below, key, stamp
from storage.post_shelf import PostShelf
from storage.records import AuditLine, DigestState, Post
from storage.worker import Worker


class DigestShelf:
    """Which digests were sent; for use inside a transaction."""

    def __init__(self, documents: Documents, posts: PostShelf) -> None:
        self._digests = documents.shelf("digests")
        self._by_post = documents.shelf("digests_by_post")
        self._posts = posts

    def state(self, channel: str, week: str) -> DigestState | None:
        """How far the channel's digest of the week has come."""
        state: DigestState | None = (self._digests.find(key(channel, week)) or {"state": None})["state"]
        return state

    def intend(self, channel: str, week: str, post: Post) -> bool:
        """Note that it shall be sent, and hand it to the outbox; False when that was done before."""
        place = key(channel, week)
        if self._digests.has(place):
            return False
        self._digests.put(place, {"state": "intended"})
        self._by_post.put(post.post_id, {"place": place})
        self._posts.add(post)
        return True

    def posted(self, post_id: str) -> None:
        """Note that the post has arrived."""
        pointer = self._by_post.find(post_id)
        if pointer is not None:
            self._digests.put(pointer["place"], {"state": "posted"})
            self._by_post.discard(post_id)


class AuditShelf:
    """What was done; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._lines = documents.shelf("audit")
        self._moments = documents.shelf("moments")

    def note(self, line: AuditLine) -> None:
        """Add a line."""
        last = self._lines.span(*below(stamp(line.at_ms)), limit=1, order="down")
        number = int(last[0][0].rpartition("\x00")[2]) + 1 if last else 0
        self._lines.put(key(stamp(line.at_ms), stamp(number)), flat(line))

    def between(self, start_ms: int, end_ms: int) -> list[AuditLine]:
        """Lines from `start_ms` up to, but without, `end_ms`, oldest first."""
        return [audit_of(body) for _, body in self._lines.span(stamp(start_ms), stamp(end_ms))]

    def first_start_ms(self, now_ms: int) -> int:
        """The time of the first call ever."""
        known = self._moments.find("first_start")
        if known is None:
            known = {"at_ms": now_ms}
            self._moments.put("first_start", known)
        moment: int = known["at_ms"]
        return moment


class Journal:
    """Digests and audit, for callers. Every method raises `StorageError`."""

    def __init__(self, worker: Worker, digests: DigestShelf, audit: AuditShelf) -> None:
        self._worker = worker
        self._digests = digests
        self._audit = audit

    async def digest_state(self, channel: str, week: str) -> DigestState | None:
        """How far the channel's digest of a week such as `2026-W47` has come; None: not begun."""
        return await self._worker.read(self._digests.state, channel, week)

    async def intend_digest(self, channel: str, week: str, post: Post) -> bool:
        """Note that the digest shall be sent, and hand it to the outbox; False when that was done before."""
        return await self._worker.write(self._digests.intend, channel, week, post)

    async def note(self, line: AuditLine) -> None:
        """Add a line to the audit."""
        await self._worker.write(self._audit.note, line)

    async def between(self, start_ms: int, end_ms: int) -> list[AuditLine]:
        """Audit lines from `start_ms` up to, but without, `end_ms`, oldest first."""
        return await self._worker.read(self._audit.between, start_ms, end_ms)

    async def first_start_ms(self, now_ms: int) -> int:
        """When this store's bot first ran: `now_ms` if that is now."""
        return await self._worker.write(self._audit.first_start_ms, now_ms)
