"""Traces, and the judges' work that waits for them."""

from collections.abc import Sequence

from memalign.records import Trace
from storage.codec import flat, trace_body, trace_of
from storage.documents import Documents
from storage.keys import below, digest, just_after, key, stamp
from storage.queue import Queue, postponed
from storage.records import Accepted, Job
from storage.rows import Body
from storage.worker import Worker

Arrival = tuple[Trace, Sequence[str]]
"""A trace and the names of the judges that shall judge it; none: it is only stored."""


class TraceShelf:
    """The tables of traces and jobs; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._traces = documents.shelf("traces")
        self._arrivals = documents.shelf("arrivals")
        self._forgotten = documents.shelf("forgotten")
        self.jobs = Queue(documents, "jobs")

    def add(self, batch: Sequence[Arrival], received_ms: int, max_waiting: int) -> list[Accepted]:
        """Store what is new, in the order given."""
        room = max_waiting - len(self.jobs)
        answers: list[Accepted] = []
        for index, (trace, judges) in enumerate(batch):
            answer = self._refusal(trace, len(judges), room)
            if answer == "accepted":
                self._store(trace, judges, received_ms, index)
                room -= len(judges)
            answers.append(answer)
        return answers

    def get(self, trace_id: str) -> Trace | None:
        """The trace, if it is known."""
        body = self._traces.find(trace_id)
        return None if body is None else trace_of(body["trace"])

    def received_before(self, end_ms: int, after: str, limit: int) -> list[tuple[str, str]]:
        """Places (to go on after) and ids of traces, oldest first."""
        found = self._arrivals.span(just_after(after), stamp(end_ms), limit=limit)
        return [(place, body["trace_id"]) for place, body in found]

    def jobs_of(self, trace_id: str) -> list[str]:
        """Ids of the jobs that wait for the trace."""
        return [job_id for job_id, _ in self.jobs.all.span(*below(trace_id))]

    def next_jobs(self, now_ms: int, limit: int) -> list[Job]:
        """What may be judged now."""
        self.jobs.release(now_ms)
        return [_job_of(body) for _, body in self.jobs.first(limit=limit)]

    def postpone(self, trace_id: str, judge: str, not_before_ms: int, reason: str) -> None:
        """Note an attempt in vain."""
        job_id = key(trace_id, judge)
        body = self.jobs.all.find(job_id)
        if body is not None:
            self.jobs.put(job_id, postponed(body, not_before_ms, reason))

    def is_forgotten(self, trace_id: str) -> bool:
        """Whether it was erased."""
        return self._forgotten.find(digest(trace_id)) is not None

    def erase(self, trace_id: str) -> None:
        """Remove the trace and its jobs; only that there was one is remembered, by a hash of its id."""
        body = self._traces.find(trace_id)
        if body is not None:
            self._arrivals.discard(key(stamp(body["received_ms"]), trace_id))
        for job_id in self.jobs_of(trace_id):
            self.jobs.drop(job_id)
        self._traces.discard(trace_id)
        self._forgotten.put(digest(trace_id), {})

    def _refusal(self, trace: Trace, work: int, room: int) -> Accepted:
        if self._traces.has(trace.trace_id):
            return "duplicate"
        if self.is_forgotten(trace.trace_id):
            return "forgotten"
        return "full" if work and work > room else "accepted"

    def _store(self, trace: Trace, judges: Sequence[str], received_ms: int, index: int) -> None:
        trace_id = trace.trace_id
        self._traces.put(trace_id, {"trace": trace_body(trace), "received_ms": received_ms})
        self._arrivals.put(key(stamp(received_ms), trace_id), {"trace_id": trace_id})
        for judge in dict.fromkeys(judges):
            job = Job(trace_id=trace_id, judge=judge, received_ms=received_ms)
            order = key(stamp(received_ms), stamp(index), trace_id, judge)
            self.jobs.put(key(trace_id, judge), {**flat(job), "order": order})


class Traces:
    """Traces and jobs, for callers. Every method raises `StorageError`."""

    def __init__(self, worker: Worker, shelf: TraceShelf) -> None:
        self._worker = worker
        self._shelf = shelf

    async def add(self, batch: Sequence[Arrival], received_ms: int, max_waiting: int) -> list[Accepted]:
        """Store a batch by one write; the answers are in the same order.

        A known trace, or one repeated in the batch, changes nothing; neither does one whose jobs would make
        more than `max_waiting` wait ("full").
        """
        return await self._worker.write(self._shelf.add, batch, received_ms, max_waiting)

    async def get(self, trace_id: str) -> Trace | None:
        """The trace, if it is known."""
        return await self._worker.read(self._shelf.get, trace_id)

    async def waiting(self) -> int:
        """How many jobs wait, the postponed ones included."""
        return await self._worker.read(self._shelf.jobs.__len__)

    async def next_jobs(self, now_ms: int, limit: int) -> list[Job]:
        """The oldest jobs whose time has come."""
        if not await self._worker.read(self._shelf.jobs.waits, now_ms):
            return await self._worker.read(self._ready, limit)
        return await self._worker.write(self._shelf.next_jobs, now_ms, limit)

    async def drop_job(self, trace_id: str, judge: str) -> None:
        """Take the job off the list, undone."""
        await self._worker.write(self._shelf.jobs.drop, key(trace_id, judge))

    async def postpone(self, trace_id: str, judge: str, not_before_ms: int, reason: str) -> None:
        """Put the job off after an attempt in vain; a job that is gone stays gone."""
        await self._worker.write(self._shelf.postpone, trace_id, judge, not_before_ms, reason)

    async def hasten(self, judge: str) -> None:
        """Let the judge's jobs that were put off be done at once, in their old order."""
        await self._worker.write(self._shelf.jobs.hasten, lambda body: body["judge"] == judge)

    async def is_forgotten(self, trace_id: str) -> bool:
        """Whether the trace was here and was erased."""
        return await self._worker.read(self._shelf.is_forgotten, trace_id)

    def _ready(self, limit: int) -> list[Job]:
        return [_job_of(body) for _, body in self._shelf.jobs.first(limit=limit)]


def _job_of(body: Body) -> Job:
    return Job(**{name: value for name, value in body.items() if name != "order"})
