"""Forgetting: what goes when a trace, or a person, goes."""

from collections.abc import Collection, Iterable

from storage.fact_shelf import FactShelf
from storage.feedback_shelf import FeedbackShelf
from storage.intents import IntentShelf, RedactionKind
from storage.journal import AuditShelf
from storage.memories import VectorShelf
from storage.post_shelf import PostShelf
from storage.records import AuditLine, StoredVerdict
from storage.traces import TraceShelf
from storage.verdict_shelf import VerdictShelf


class Erasure:
    """Removals across all tables but the memories'; for use inside a transaction."""

    def __init__(
        self,
        *,
        traces: TraceShelf,
        verdicts: VerdictShelf,
        facts: FactShelf,
        feedback: FeedbackShelf,
        posts: PostShelf,
        vectors: VectorShelf,
        audit: AuditShelf,
        intents: IntentShelf,
    ) -> None:
        self._traces = traces
        self._verdicts = verdicts
        self._facts = facts
        self._feedback = feedback
        self._posts = posts
        self._vectors = vectors
        self._audit = audit
        self._intents = intents

    def traces(
        self, trace_ids: Iterable[str], note: AuditLine | None, cover: RedactionKind
    ) -> list[StoredVerdict]:
        """Remove the traces and all that hangs on them; the verdicts there were."""
        gone = [stored for trace_id in trace_ids for stored in self._trace(trace_id, cover)]
        self._sign(note)
        return gone

    def person(self, person: str, now_ms: int) -> list[StoredVerdict]:
        """Remove all that a person did; the verdicts concerned, which wait to be learned anew."""
        touched = []
        self._facts.forget_person(person, now_ms)
        for stored in self._facts.of_person(person):
            revised = self._facts.take_back(stored, person)
            if revised is not None:
                self._feedback.mark(revised, now_ms)
                self._drop_lessons(stored.verdict_id)
                self._intents.cover_all(stored.channel, self._facts.untell(stored.verdict_id), "taken_back")
                touched.append(revised)
        self._posts.unpark_person(person)
        self._intents.sign("person", person)
        return touched

    def lessons(self, trace_ids: Iterable[str], guideline_ids: Collection[str]) -> None:
        """Take back what threads of these traces were told of the guidelines, and what they are about to be told."""
        for stored in [stored for trace_id in trace_ids for stored in self._verdicts.of_trace(trace_id)]:
            told = self._facts.untell(stored.verdict_id, guideline_ids)
            self._intents.cover_all(stored.channel, told, "taken_back")
            for post_id in self._posts.of_verdict(stored.verdict_id):
                post = self._posts.get(post_id)
                if post is not None and not set(guideline_ids).isdisjoint(
                    post.payload.get("guideline_ids", ())
                ):
                    self._posts.void(post_id)

    def stale(self, before_ms: int, limit: int) -> list[str]:
        """Traces received before then that nobody answered and no judge waits for, oldest first."""
        found: list[str] = []
        after = ""
        while len(found) < limit and (page := self._traces.received_before(before_ms, after, limit)):
            found += [trace_id for _, trace_id in page if not self._is_needed(trace_id)]
            after = page[-1][0]
        return found[:limit]

    def _is_needed(self, trace_id: str) -> bool:
        if self._traces.jobs_of(trace_id):
            return True
        return any(self._facts.has_any(stored.verdict_id) for stored in self._verdicts.of_trace(trace_id))

    def _trace(self, trace_id: str, cover: RedactionKind) -> list[StoredVerdict]:
        verdicts = self._verdicts.of_trace(trace_id)
        for stored in verdicts:
            for post_id in self._posts.of_verdict(stored.verdict_id):
                self._posts.void(post_id)
            self._feedback.queue.drop(stored.verdict_id)
            self._cover(stored, cover)
            self._facts.erase(stored)
            self._verdicts.erase(stored)
        self._vectors.drop([trace_id])
        self._traces.erase(trace_id)
        self._intents.finish("trace", trace_id)
        return verdicts

    def _cover(self, stored: StoredVerdict, kind: RedactionKind) -> None:
        if stored.message_ts is not None:
            self._intents.cover(stored.channel, stored.message_ts, kind)
        self._intents.cover_all(stored.channel, self._facts.told(stored.verdict_id), kind)

    def _drop_lessons(self, verdict_id: str) -> None:
        for post_id in self._posts.of_verdict(verdict_id):
            post = self._posts.get(post_id)
            # a lesson may quote the person
            if post is not None and post.kind == "lesson":
                self._posts.void(post_id)

    def _sign(self, note: AuditLine | None) -> None:
        if note is not None:
            self._audit.note(note)
