"""Forgetting: requests until nothing is left of their target, deletion across tables, and redactions in Slack.

Requests and redactions outlive a crash: whoever opens the store next finds what is to be finished.
"""

import time
from collections.abc import Collection, Iterable

from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from memalign.serialization import from_document, to_document
from storage.audit import Audit
from storage.digest_messages import DigestMessages
from storage.document_forms import form_of
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.guideline_requests import GuidelineRequests
from storage.keys import key
from storage.memories import Memories
from storage.memory_undo import MemoryUndo
from storage.outbound_queue import OutboundQueue
from storage.posts import PostQueue
from storage.preferences import Preferences
from storage.queue import is_put_off, postponed
from storage.records import (
    AuditLine,
    DigestMessage,
    ForgetRequest,
    Forgettable,
    LessonContent,
    Post,
    Redaction,
    RedactionKind,
    StoredVerdict,
    ThreadPost,
)
from storage.reply_receipts import ReplyReceipts
from storage.repository import Repository, Store, deletes, reads, writes
from storage.rolled_back_cases import RolledBackCases
from storage.thread_statuses import ThreadStatuses
from storage.traces import Traces
from storage.undo_records import words_in
from storage.verdicts import Verdicts

_TABLES_WITH_WORDS = (
    *("traces", "open_spans", "verdicts", "feedback", "early_events", "outbox", "episodes", "guidelines"),
    *(
        "vectors",
        "vector_owners",
        "guideline_requests",
        "thread_statuses",
        "unread_replies",
        "reply_receipts",
        "memory_versions",
        "memory_undo",
        "rolled_back_cases",
        "digest_messages",
    ),
)


class Forgetting(Repository):
    """Requests, deletions and redactions. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        *,
        traces: Traces,
        verdicts: Verdicts,
        feedback: FeedbackEvents,
        replies: ReplyReceipts,
        posts: PostQueue,
        memories: Memories,
        undo: MemoryUndo,
        rolled_back: RolledBackCases,
        guideline_requests: GuidelineRequests,
        statuses: ThreadStatuses,
        digests: DigestMessages,
        preferences: Preferences,
        outbound: OutboundQueue,
        audit: Audit,
    ) -> None:
        super().__init__(store)
        self._traces = traces
        self._verdicts = verdicts
        self._feedback = feedback
        self._replies = replies
        self._posts = posts
        self._memories = memories
        self._undo = undo
        self._rolled_back = rolled_back
        self._guideline_requests = guideline_requests
        self._statuses = statuses
        self._digests = digests
        self._preferences = preferences
        self._outbound = outbound
        self._audit = audit
        self._requests = store.documents.declare("forget_requests", form=form_of(ForgetRequest))
        self._redactions = store.documents.declare("redactions", form=form_of(Redaction))

    # --- requests

    @writes
    def request(self, request: ForgetRequest, notice: Post | None = None) -> None:
        """Keep a request until it is finished, and tell somebody of it; nothing changes when it is kept already."""
        place = key(request.kind, request.target)
        if self._requests.get(doc_id=place) is None:
            self._requests.insert(Document(to_document(request), place))
            if notice is not None:
                self._posts.add(notice)

    @reads
    def requests(self) -> list[ForgetRequest]:
        """Return what an earlier run, or this one, has not finished."""
        return [from_document(ForgetRequest, body) for body in self._requests.range()]

    @reads
    def requested(self, target: ForgetTarget) -> ForgetRequest | None:
        """Return the request to forget a target, if it is not finished."""
        place = (
            key("trace", target.trace_id) if isinstance(target, TraceTarget) else key("person", target.person)
        )
        body = self._requests.get(doc_id=place)
        return None if body is None else from_document(ForgetRequest, body)

    @deletes
    def finish_person(self, person: str) -> None:
        """Note that nothing of the person is left in any memory either: the request goes, its audit lines stay."""
        # a thread may have told more of their words while memories still held them
        self._statuses.redact_person(person)
        self._redact_digests(self._digests.take_out_person(person))
        self._finish("person", person)

    # --- deletions

    @deletes
    def delete_traces(
        self, trace_ids: Collection[str], note: AuditLine | None = None, kind: RedactionKind = "forgotten"
    ) -> list[StoredVerdict]:
        """Delete traces with their jobs, verdicts, cards, feedback, posts and vectors.

        Only a hash of each id is kept, so that the trace is not taken in again. What Slack shows of them is noted
        for redaction, and the requests to forget them are finished. When this returns no byte of them is in any
        file, unless another process is reading just now: then it goes with the next vacuum, which writes the
        whole store anew, however few traces there are.

        Args:
            trace_ids: the traces; unknown ones are remembered as forgotten, too.
            note: a line for the audit.
            kind: the note that takes the place of what Slack shows.

        Returns:
            The verdicts there were.
        """
        self._delete_damaged()
        return self._delete_traces(trace_ids, note, kind)

    @writes
    def delete_expired(self, before_ms: int, limit: int, now_ms: int) -> int:
        """Delete some of the traces received before then that nobody answered and no judge waits for.

        Returns how many; 0 when there are no more. Their last bytes go with the next vacuum.
        """
        # in one transaction with the look: a trace that is answered in between stays
        expired = self._expired(before_ms, limit)
        if expired:
            self._store.vacuum.note_due()
            note = AuditLine(at_ms=now_ms, what="expired", judge="", ids=tuple(expired))
            self._delete_traces(expired, note, "expired")
        return len(expired)

    @deletes
    def delete_person(self, person: str, now_ms: int) -> list[StoredVerdict]:
        """Delete a person's feedback, and write the audit lines of the request to forget them.

        What threads were told about it is noted for redaction. What memories hold of the person's words goes when
        the verdicts are learned anew; call `finish_person` after.

        Returns:
            The verdicts concerned, whose feedback counts as changed at `now_ms`.
        """
        self._delete_damaged()
        self._erase_versions(PersonTarget(person=person), self._feedback.find_of_person(person))
        self._feedback.forget_person(person, now_ms)
        self._feedback.delete_damaged_of_person(person)
        revised = [
            self._feedback.delete_of_person(verdict, person, now_ms)
            for verdict in self._feedback.find_of_person(person)
        ]
        for verdict in revised:
            # a lesson may quote the person
            self._cancel_lessons(verdict.verdict_id)
            posts = self._feedback.delete_thread_posts(verdict.verdict_id)
            self._redact_thread(verdict.channel, posts, "taken_back")
        self._statuses.redact_person(person)
        self._statuses.mark(verdict.verdict_id for verdict in revised)
        self._redact_digests(self._digests.take_out_person(person))
        self._posts.delete_early_events(person)
        self._guideline_requests.delete_of_person(person)
        self._preferences.delete_of_person(person)
        self._traces.remote.delete_of_person(person)
        self._outbound.forget_person(person)
        self._write_audit_lines("person", person)
        return revised

    @writes
    def delete_lessons(self, trace_ids: Collection[str], guideline_ids: Collection[str]) -> None:
        """Delete what these traces' threads were told, or will be, of guidelines that hold forgotten words.

        The messages are noted for redaction; the last bytes go with the next vacuum.
        """
        self._store.vacuum.note_due()
        for verdict in [verdict for each in trace_ids for verdict in self._verdicts.find_of_trace(each)]:
            posts = self._feedback.delete_thread_posts(verdict.verdict_id, guideline_ids)
            self._redact_thread(verdict.channel, posts, "taken_back")
            self._cancel_lessons(verdict.verdict_id, guideline_ids)

    def _erase_versions(self, target: ForgetTarget, verdicts: Iterable[StoredVerdict]) -> None:
        """Take what is forgotten out of earlier versions of memories, also of judges that are there no more.

        Words of the target that memories hold just now, on the traces of these verdicts, go from other rules, too.
        """
        cases = (
            self._memories.find_part(stored.verdict.judge, ("case", stored.verdict.trace_id))
            for stored in verdicts
        )
        self._undo.erase(target, words_in(cases, target))
        self._rolled_back.erase(target)

    def _delete_damaged(self) -> None:
        """Delete what is damaged and may hold words: nobody can tell any more whose they are."""
        self._store.documents.delete_damaged(_TABLES_WITH_WORDS)

    # --- redactions

    def add_redaction(self, channel: str, ts: str, kind: RedactionKind, person: str | None = None) -> None:
        """Note that a message shows what is gone; `person` had it forgotten."""
        place = key(channel, ts)
        known = self._redactions.get(doc_id=place) or {}
        created_ms = known.get("created_ms") or time.time_ns() // 1_000_000
        redaction = Redaction(channel=channel, ts=ts, kind=kind, person=person, created_ms=created_ms)
        self._redactions.upsert(Document(to_document(redaction), place))

    @reads
    def oldest_redactions(self) -> list[Redaction]:
        """Return of each channel the message that has shown for longest what is gone."""
        oldest: dict[str, Redaction] = {}
        for body in self._redactions.range():
            redaction = from_document(Redaction, body)
            known = oldest.setdefault(redaction.channel, redaction)
            if redaction.created_ms < known.created_ms:
                oldest[redaction.channel] = redaction
        return list(oldest.values())

    @reads
    def redactions_due(self, now_ms: int) -> list[Redaction]:
        """Return the messages in Slack that still show what is gone and are not put off, by channel and time."""
        due = self._redactions.search(~is_put_off(now_ms))
        return [from_document(Redaction, body) for body in sorted(due, key=lambda body: body.doc_id)]

    @writes
    def redacted(self, redaction: Redaction) -> None:
        """Note that the message shows nothing any more; a digest may, if more was forgotten while it was edited."""
        if redaction.kind == "digest" and self._digests.is_stale(redaction.channel, redaction.ts):
            return
        self._redactions.remove(doc_ids=[key(redaction.channel, redaction.ts)])

    @writes
    def postpone(self, redaction: Redaction, not_before_ms: int, reason: str) -> None:
        """Try the message again later, after a failed attempt."""
        place = key(redaction.channel, redaction.ts)
        body = self._redactions.get(doc_id=place)
        if body is not None:
            self._redactions.upsert(Document(postponed(body, not_before_ms, reason), place))

    def _delete_traces(
        self, trace_ids: Iterable[str], note: AuditLine | None, kind: RedactionKind
    ) -> list[StoredVerdict]:
        deleted = [verdict for trace_id in trace_ids for verdict in self._delete_trace(trace_id, kind)]
        if note is not None:
            self._audit.write(note)
        return deleted

    def _delete_trace(self, trace_id: str, kind: RedactionKind) -> list[StoredVerdict]:
        verdicts = self._verdicts.find_of_trace(trace_id)
        person = self._person_asking(trace_id)
        for verdict in verdicts:
            if verdict.message_ts is not None:
                self._redact_card(verdict.channel, verdict.message_ts, kind, person)
            self._redact_thread(verdict.channel, self._feedback.find_thread_posts(verdict.verdict_id), kind)
            self._delete_verdict(verdict.verdict_id, verdict.channel, kind)
        for damaged in self._verdicts.damaged_of_trace(trace_id):
            for channel, ts in damaged.cards:
                self._redact_card(channel, ts, kind, person)
                self._redact_thread(channel, self._feedback.find_thread_posts(damaged.verdict_id), kind)
            self._delete_verdict(damaged.verdict_id, damaged.cards[0][0] if damaged.cards else "", kind)
        self._statuses.redact_trace(trace_id)
        self._redact_digests(self._digests.take_out_trace(trace_id))
        self._verdicts.delete_case(trace_id)
        self._memories.delete_vectors([trace_id])
        if kind == "forgotten":
            self._traces.remote.delete_of_trace(trace_id)
            self._outbound.forget_trace(trace_id)
        else:
            self._traces.remote.drop_of_trace(trace_id)
            self._outbound.drop_of_trace(trace_id)
        self._erase_versions(TraceTarget(trace_id=trace_id), verdicts)
        self._traces.delete(trace_id)
        self._finish("trace", trace_id)
        return verdicts

    def _redact_card(self, channel: str, ts: str, kind: RedactionKind, person: str | None) -> None:
        self.add_redaction(channel, ts, kind, person)
        self._replies.note_forgotten_card(channel, ts)

    def _person_asking(self, trace_id: str) -> str | None:
        """Return who asked for the trace to be forgotten; None for somebody at the terminal."""
        body = self._requests.get(doc_id=key("trace", trace_id))
        notes = [] if body is None else body["notes"]
        return notes[0]["person"] if notes else None

    def _delete_verdict(self, verdict_id: str, channel: str, kind: RedactionKind) -> None:
        status = self._statuses.delete(verdict_id)
        if status is not None and status.message_ts is not None and channel:
            self._redact_thread(channel, [ThreadPost(message_ts=status.message_ts)], kind)
        for post_id in self._posts.ids_of_verdict(verdict_id):
            self._posts.cancel(post_id)
        self._feedback.delete_of_verdict(verdict_id)
        self._verdicts.delete(verdict_id)

    def _cancel_lessons(self, verdict_id: str, guideline_ids: Collection[str] | None = None) -> None:
        """Cancel posts of lessons about these guidelines, or about any."""
        for post in self._posts.of_verdict(verdict_id):
            if isinstance(post.content, LessonContent) and (
                guideline_ids is None or not set(guideline_ids).isdisjoint(post.content.guideline_ids)
            ):
                self._posts.cancel(post.post_id)

    def _redact_thread(self, channel: str, posts: Iterable[ThreadPost], kind: RedactionKind) -> None:
        for post in posts:
            self.add_redaction(channel, post.message_ts, "forgotten_reply" if kind == "forgotten" else kind)

    def _redact_digests(self, digests: Iterable[DigestMessage]) -> None:
        for digest in digests:
            if digest.ts is not None:
                self.add_redaction(digest.channel, digest.ts, "digest")

    def _expired(self, before_ms: int, limit: int) -> list[str]:
        """Return ids of traces received before then, without feedback and waiting for no judge, oldest first."""
        expired: list[str] = []
        after = ""
        while len(expired) < limit and (page := self._traces.find_received_before(before_ms, after, limit)):
            expired += [trace_id for _, trace_id in page if not self._is_needed(trace_id)]
            after = page[-1][0]
        return expired[:limit]

    def _is_needed(self, trace_id: str) -> bool:
        verdicts = self._verdicts.find_of_trace(trace_id)
        return self._traces.is_awaited(trace_id) or any(
            self._feedback.has_any(verdict.verdict_id) for verdict in verdicts
        )

    def _write_audit_lines(self, kind: Forgettable, target: str) -> None:
        """Write the request's audit lines, once."""
        place = key(kind, target)
        body = self._requests.get(doc_id=place)
        if body is not None:
            for note in body["notes"]:
                self._audit.write(from_document(AuditLine, note))
            self._requests.upsert(Document({**body, "notes": []}, place))

    def _finish(self, kind: Forgettable, target: str) -> None:
        self._write_audit_lines(kind, target)
        self._requests.remove(doc_ids=[key(kind, target)])
