"""Traces, and the judges' work that waits for them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from memalign.records import Json, Trace
from memalign.serialization import from_document, to_document
from storage.documents import Document
from storage.keys import below, digest, just_after, key, stamp
from storage.queue import Queue
from storage.records import Accepted, Job, UnsampledTrace
from storage.repository import Repository, Store, reads, writes

Arrival = tuple[Trace | UnsampledTrace, Sequence[str]]
"""A trace and the names of the judges that shall judge it; none: it is only stored."""
NO_ORIGINALS: Mapping[int, Trace] = MappingProxyType({})


class Traces(Repository):
    """Traces and jobs. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        documents = store.documents
        self._traces = documents.declare(
            "traces", {"received": lambda body: [key(stamp(body["received_ms"]), body["trace"]["trace_id"])]}
        )
        self._unsampled = documents.declare(
            "unsampled_traces", {"received": lambda body: [key(stamp(body["received_ms"]), body["digest"])]}
        )
        self._forgotten = documents.declare("forgotten")
        self.jobs = Queue(documents, "jobs", order=lambda body: stamp(body["received_ms"]))

    @writes
    def add(
        self,
        batch: Sequence[Arrival],
        received_ms: int,
        max_waiting: int,
        originals: Mapping[int, Trace] = NO_ORIGINALS,
    ) -> list[Accepted]:
        """Store what is new of a batch by one write; the answers are in the same order.

        A known trace, or one repeated in the batch, changes nothing; neither does one whose jobs would make
        more than `max_waiting` wait ("full").

        Args:
            batch: the traces, as they may be shown.
            received_ms: when they came, in milliseconds since 1970.
            max_waiting: jobs that may wait.
            originals: place in the batch -> the trace as it was sent, where that is to be kept beside it.
        """
        room = max_waiting - len(self.jobs)
        answers: list[Accepted] = []
        for place, (trace, judges) in enumerate(batch):
            answer = self._refusal(trace.trace_id, len(judges), room)
            if answer == "accepted":
                self._put(trace, judges, received_ms, originals.get(place))
                room -= len(judges)
            answers.append(answer)
        return answers

    @reads
    def get(self, trace_id: str) -> Trace | None:
        """Return the trace, if it is known."""
        body = self._traces.get(doc_id=trace_id)
        return None if body is None else from_document(Trace, body["trace"])

    @reads
    def original(self, trace_id: str) -> Trace | None:
        """Return the trace as it was sent, where that was kept."""
        body = self._traces.get(doc_id=trace_id)
        original = None if body is None else body.get("original")
        return None if original is None else from_document(Trace, original)

    @reads
    def contains(self, trace_id: str) -> bool:
        """Return True if the trace is known, without reading it."""
        return self._traces.contains(doc_id=trace_id)

    @writes
    def delete_unsampled(self, before_ms: int, limit: int) -> int:
        """Delete the hashes of some traces received before then that no judge was to see; returns how many."""
        page = self._unsampled.range("", stamp(before_ms), index="received", limit=limit)
        self._unsampled.remove(doc_ids=[body.doc_id for body in page])
        return len(page)

    @reads
    def waiting(self) -> int:
        """Return how many jobs wait, the postponed ones included."""
        return len(self.jobs)

    async def next_jobs(self, now_ms: int, limit: int) -> list[Job]:
        """Return the oldest jobs whose time has come."""
        await self._release_due(self.jobs, now_ms)
        return await self._first_jobs(limit)

    @reads
    def _first_jobs(self, limit: int) -> list[Job]:
        return [from_document(Job, body) for body in self.jobs.first(limit=limit)]

    @writes
    def drop_job(self, trace_id: str, judge: str) -> None:
        """Take the job off the list, undone."""
        self.jobs.drop(job_id_of(trace_id, judge))

    @writes
    def postpone(self, trace_id: str, judge: str, not_before_ms: int, reason: str) -> None:
        """Put the job off after a failed attempt; a job that is gone stays gone."""
        self.jobs.postpone(job_id_of(trace_id, judge), not_before_ms, reason)

    @writes
    def release_now(self, judge: str) -> None:
        """Let the judge's jobs that were put off be done at once, in their old order."""
        self.jobs.release_now(lambda body: body["judge"] == judge)

    def has_forgotten(self, trace_id: str) -> bool:
        """Return whether the trace was here and was deleted."""
        return self._forgotten.contains(doc_id=digest(trace_id))

    is_forgotten = reads(has_forgotten)

    def find_received_before(self, end_ms: int, after: str, limit: int) -> list[tuple[str, str]]:
        """Return places (to go on after) and ids of traces received before then, oldest first."""
        page = self._traces.range(just_after(after), stamp(end_ms), index="received", limit=limit)
        return [(key(stamp(body["received_ms"]), body.doc_id), body.doc_id) for body in page]

    def has_jobs(self, trace_id: str) -> bool:
        """Return whether a judge is still to judge the trace."""
        return bool(self.jobs.table.range(*below(trace_id), limit=1))

    def reduce_to_hash(self, trace_id: str) -> None:
        """Keep of a trace that no judge will see only a hash of its id."""
        body = self._traces.get(doc_id=trace_id)
        if body is not None:
            self._traces.remove(doc_ids=[trace_id])
            self._put(UnsampledTrace(trace_id=trace_id), (), body["received_ms"], None)

    def delete(self, trace_id: str) -> None:
        """Remove the trace and its jobs; only that there was one is remembered, by a hash of its id."""
        self.jobs.table.remove(doc_ids=[job.doc_id for job in self.jobs.table.range(*below(trace_id))])
        self._traces.remove(doc_ids=[trace_id])
        self._unsampled.remove(doc_ids=[digest(trace_id)])
        self._forgotten.upsert(Document({}, digest(trace_id)))

    def _refusal(self, trace_id: str, work: int, room: int) -> Accepted:
        if self._traces.contains(doc_id=trace_id) or self._unsampled.contains(doc_id=digest(trace_id)):
            return "duplicate"
        if self.has_forgotten(trace_id):
            return "forgotten"
        return "full" if work and work > room else "accepted"

    def _put(
        self, trace: Trace | UnsampledTrace, judges: Sequence[str], received_ms: int, original: Trace | None
    ) -> None:
        if isinstance(trace, UnsampledTrace):
            place = digest(trace.trace_id)
            self._unsampled.insert(Document({"received_ms": received_ms, "digest": place}, place))
            return
        body: dict[str, Json] = {"trace": to_document(trace), "received_ms": received_ms}
        if original is not None:
            body["original"] = to_document(original)
        self._traces.insert(Document(body, trace.trace_id))
        for judge in sorted(set(judges)):
            job = Job(trace_id=trace.trace_id, judge=judge, received_ms=received_ms)
            self.jobs.table.insert(Document(to_document(job), job_id_of(trace.trace_id, judge)))


def job_id_of(trace_id: str, judge: str) -> str:
    """Return the id of a judge's job on a trace."""
    return key(trace_id, judge)
