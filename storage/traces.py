"""Traces, and the judges' work that waits for them."""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from memalign.records import Json, Trace
from memalign.serialization import from_document, to_document
from storage.candidate_pool import CandidatePool
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.job_queue import JobQueue, job_id_of, trace_and_judge
from storage.judge_traffic import JudgeTraffic
from storage.keys import below, digest, just_after, key, stamp
from storage.queue import MAX_RELEASED, Queue
from storage.records import Accepted, Candidate, Job, LocalHour, RefusedTraces, UnsampledTrace
from storage.remote_assessments import RemoteAssessments
from storage.repository import Repository, Store, reads, writes
from storage.span_pool import SpanPool
from storage.trace_names import all_names
from storage.verdict_table import declare_verdicts

TRACES_PER_WRITE = 500
"""Traces of a batch that are stored by one write: some 30 ms."""
_CHECK_TRACE_FIELDS = fields_form(trace=Trace, received_ms=int)
Arrival = tuple[Trace | UnsampledTrace, Sequence[str]]
"""A trace and the names of the judges that shall judge it; none: it is only stored."""
NO_ORIGINALS: Mapping[int, Trace] = MappingProxyType({})
NO_CANDIDATES: Mapping[int, Sequence[Candidate]] = MappingProxyType({})

SAMPLING_KEY_BYTES = 32


class Traces(Repository):
    """Traces and jobs. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traffic: JudgeTraffic) -> None:
        super().__init__(store)
        documents = store.documents
        self._traffic = traffic
        self.candidates = CandidatePool(documents)
        self.remote = RemoteAssessments(documents)
        self.open_spans = SpanPool(documents)
        self._verdicts = declare_verdicts(documents)
        self._traces = documents.declare(
            "traces",
            {"received": lambda body: [key(stamp(body["received_ms"]), body["trace"]["trace_id"])]},
            form=_check_trace,
        )
        self._unsampled = documents.declare(
            "unsampled_traces",
            {"received": lambda body: [key(stamp(body["received_ms"]), body["digest"])]},
            form=fields_form(received_ms=int, digest=str),
        )
        self._sampling = documents.declare("sampling", form=fields_form(hex=str))
        self._forgotten = documents.declare("forgotten")
        self._refused = documents.declare(
            "refused_jobs", {"judge": lambda body: [key(body["judge"], body["trace_id"])]}, form=form_of(Job)
        )
        self.jobs = JobQueue(documents)
        self.label_jobs = Queue(
            documents,
            "label_jobs",
            order=lambda body: stamp(body["received_ms"]),
            group="judge",
            is_listed=lambda body: int(body["refusals"]) == 0,
            form=form_of(Job),
        )
        """Traces that are judged since somebody labelled them in a tracing tool; those that a model refused wait
        for the next start."""

    @writes
    def sampling_key(self) -> bytes:
        """Return the store's own secret for sampling: 32 random bytes, made once."""
        document = self._sampling.get(doc_id="key")
        if document is None:
            document = Document({"hex": secrets.token_hex(SAMPLING_KEY_BYTES)}, "key")
            self._sampling.upsert(document)
        return bytes.fromhex(document["hex"])

    async def add(
        self,
        batch: Sequence[Arrival],
        received_ms: int,
        max_waiting: int,
        originals: Mapping[int, Trace] = NO_ORIGINALS,
        candidates: Mapping[int, Sequence[Candidate]] = NO_CANDIDATES,
        hour: LocalHour | None = None,
    ) -> list[Accepted]:
        """Store what is new of a batch; the answers are in the same order.

        A known trace, or one repeated in the batch, changes nothing; neither does one whose jobs would make
        more than `max_waiting` wait ("full"). A large batch takes several writes, between which other work is
        done. When one of them fails, what was stored before it stays, and is a duplicate when it is sent again.

        Args:
            batch: the traces, as they may be shown.
            received_ms: when they came, in milliseconds since 1970.
            max_waiting: jobs and candidates that may wait.
            originals: place in the batch -> the trace as it was sent, where that is to be kept beside it.
            candidates: place in the batch -> the trace's part in windows of judges. Of an `UnsampledTrace`, whose
                ranks are too large, the windows only count it as seen.
            hour: the hour to count the traces for by judge; None: they are not counted.
        """
        answers: list[Accepted] = []
        for begin in range(0, len(batch), TRACES_PER_WRITE):
            part = batch[begin : begin + TRACES_PER_WRITE]
            places = range(begin, begin + len(part))
            kept = {place - begin: originals[place] for place in places if place in originals}
            drawn = {place - begin: candidates[place] for place in places if place in candidates}
            answers += await self._add(part, received_ms, max_waiting, kept, drawn, hour)
        return answers

    @writes
    def _add(
        self,
        batch: Sequence[Arrival],
        received_ms: int,
        max_waiting: int,
        originals: Mapping[int, Trace],
        candidates: Mapping[int, Sequence[Candidate]],
        hour: LocalHour | None,
    ) -> list[Accepted]:
        room = max_waiting - len(self.jobs) - len(self.candidates)
        answers: list[Accepted] = []
        arrivals: Counter[str] = Counter()
        seen: list[Candidate] = []
        for place, (trace, judges) in enumerate(batch):
            drawn = candidates.get(place, ())
            entering = () if isinstance(trace, UnsampledTrace) else drawn
            # windows of a batch keep a few of their candidates: one place is enough for any number of them
            answer = self._refusal(trace.trace_id, max(len(judges), min(len(entering), 1)), room)
            if answer == "accepted":
                self._put(trace, judges, received_ms, originals.get(place))
                self.candidates.add(entering)
                room -= len(judges)
                seen += drawn
                arrivals.update([*judges, *(each.judge for each in drawn)])
            answers.append(answer)
        for trace_id in self.candidates.count_seen(seen):
            self.release(trace_id)
        if hour is not None:
            self._traffic.count(hour, arrivals)
        return answers

    def find(self, trace_id: str) -> Trace | None:
        """Return the trace, if it is known."""
        body = self._traces.get(doc_id=trace_id)
        return None if body is None else from_document(Trace, body["trace"])

    get = reads(find)

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

    @reads
    def count(self) -> int:
        """Return how many traces are known, those of which only a hash is kept included."""
        return len(self._traces) + len(self._unsampled)

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

    async def take_jobs(
        self, now_ms: int, limits: Mapping[str, int], most: int, *, owner: str, lease_ms: int
    ) -> list[Job]:
        """Lease the oldest jobs of each judge whose time has come to a replica; all together oldest first.

        Nobody else is given them until the lease ends. A look each second writes only where there is any.

        Args:
            now_ms: the time now.
            limits: how many jobs of a judge at most; of one that is not named, one.
            most: how many jobs of all judges together.
            owner: the replica.
            lease_ms: length of the lease, in milliseconds.
        """
        if not await self._has_free_jobs(now_ms, limits):
            return []
        return await self._take_jobs(now_ms, limits, most, owner, lease_ms)

    @reads
    def _has_free_jobs(self, now_ms: int, limits: Mapping[str, int]) -> bool:
        return self.jobs.has_due(now_ms) or bool(self.jobs.free(now_ms, limits))

    @writes
    def _take_jobs(
        self, now_ms: int, limits: Mapping[str, int], most: int, owner: str, lease_ms: int
    ) -> list[Job]:
        self.jobs.release(now_ms)
        free = self.jobs.free(now_ms, limits)[:most]
        self.jobs.lease([body.doc_id for body in free], owner, now_ms + lease_ms)
        return [from_document(Job, body) for body in free]

    @writes
    def renew_leases(self, owner: str, until_ms: int) -> set[tuple[str, str]]:
        """Let a replica's leases end later; returns trace and judge of the jobs that it has still."""
        held = self.jobs.leased_to(owner)
        self.jobs.lease(held, owner, until_ms)
        return {trace_and_judge(each) for each in held}

    @reads
    def lease_owners(self) -> set[str]:
        """Return the replicas that have a lease of a job, be it one that has ended."""
        return self.jobs.owners()

    @writes
    def end_leases(self, owners: Collection[str]) -> int:
        """Give back, undone, the jobs of replicas that stop or are gone; returns how many that are."""
        return self.jobs.end_leases(owners)

    @reads
    def oldest_jobs(self) -> list[Job]:
        """Return of each judge the job that has waited longest."""
        return [from_document(Job, body) for body in self.jobs.oldest()]

    @writes
    def drop_job(self, trace_id: str, judge: str) -> None:
        """Take the job off the list, undone."""
        self.jobs.drop(job_id_of(trace_id, judge))

    @writes
    def postpone(
        self,
        trace_id: str,
        judge: str,
        not_before_ms: int,
        reason: str,
        *,
        own_failures: int = 0,
        refusals: int = 0,
    ) -> None:
        """Put the job off after a failed attempt, with its numbers of failures; a job that is gone stays gone."""
        job_id = job_id_of(trace_id, judge)
        self.jobs.postpone(job_id, not_before_ms, reason)
        if self.jobs.table.contains(doc_id=job_id):
            self.jobs.put(job_id, {"own_failures": own_failures, "refusals": refusals})

    @writes
    def give_up(self, job: Job, reason: str) -> None:
        """Take a job off the list that the model refuses for good; `retry_refused` puts it back."""
        job_id = job_id_of(job.trace_id, job.judge)
        if self.jobs.table.contains(doc_id=job_id):
            self.jobs.drop(job_id)
            self._refused.upsert(Document(to_document(replace(job, reason=reason)), job_id))

    @writes
    def retry_refused(self) -> int:
        """Put all jobs back on the list that models had refused for good; returns how many."""
        refused = self._refused.range()
        for body in refused:
            fresh = Job(trace_id=body["trace_id"], judge=body["judge"], received_ms=body["received_ms"])
            self.jobs.put(body.doc_id, to_document(fresh))
        self._refused.remove(doc_ids=[body.doc_id for body in refused])
        return len(refused)

    @reads
    def refused(self) -> Mapping[str, RefusedTraces]:
        """Return the traces that models refused for good, by judge."""
        found: dict[str, RefusedTraces] = {}
        heads = self._refused.range(index="judge", limit=1)
        while heads:
            low, high = below(heads[0]["judge"])
            found[heads[0]["judge"]] = RefusedTraces(
                number=len(self._refused.ids(low, high, index="judge")), reason=heads[0]["reason"] or ""
            )
            heads = self._refused.range(high, index="judge", limit=1)
        return found

    async def release_now(self, judge: str) -> None:
        """Let the judge's jobs that were put off for its model be done at once, in their old order; some by each write.

        Those that failed alone, while the model answered others, wait their time.
        """
        postponed = await self._postponed_ids(judge)
        for begin in range(0, len(postponed), MAX_RELEASED):
            await self._release_now(postponed[begin : begin + MAX_RELEASED])

    @reads
    def _postponed_ids(self, judge: str) -> list[str]:
        return self.jobs.postponed_ids(lambda body: body["judge"] == judge and not body.get("own_failures"))

    @writes
    def _release_now(self, job_ids: Sequence[str]) -> None:
        self.jobs.release_now(job_ids)

    def is_known(self, trace_id: str) -> bool:
        """Return whether a trace was ever taken in, be it that only a hash is left of it, or that it was forgotten."""
        is_here = self.stored_name(trace_id) is not None or self.is_unsampled(trace_id)
        return is_here or self.has_forgotten(trace_id)

    def stored_name(self, trace_id: str) -> str | None:
        """Return the name under which the trace itself is kept; None where it is not."""
        return next((name for name in all_names(trace_id) if self.has(name)), None)

    def has_forgotten(self, trace_id: str) -> bool:
        """Return whether the trace was here, under any of its names, and was deleted."""
        return any(self._forgotten.contains(doc_id=digest(name)) for name in all_names(trace_id))

    is_forgotten = reads(has_forgotten)

    def find_received_before(self, end_ms: int, after: str, limit: int) -> list[tuple[str, str]]:
        """Return places (to go on after) and ids of traces received before then, oldest first."""
        page = self._traces.range(just_after(after), stamp(end_ms), index="received", limit=limit)
        return [(key(stamp(body["received_ms"]), body.doc_id), body.doc_id) for body in page]

    def is_awaited(self, trace_id: str) -> bool:
        """Return whether a judge is still to judge the trace, or may, now or when its model no longer refuses it."""
        tables = (self.jobs.table, self._refused, self.label_jobs.table)
        has_job = any(table.ids(*below(trace_id), limit=1) for table in tables)
        return has_job or self.candidates.has_trace(trace_id)

    def may_grow(self, trace_id: str) -> bool:
        """Return whether late spans may be added to the trace: some judge is to judge it, and none has."""
        is_judged = bool(self._verdicts.ids(*below(trace_id), index="trace", limit=1))
        return not is_judged and self.is_awaited(trace_id)

    def is_unsampled(self, trace_id: str) -> bool:
        """Return whether only a hash of the trace's id, or of another of its names, is kept."""
        return any(self._unsampled.contains(doc_id=digest(name)) for name in all_names(trace_id))

    def has(self, trace_id: str) -> bool:
        """Return whether the trace itself is kept."""
        return self._traces.contains(doc_id=trace_id)

    def count_waiting(self) -> int:
        """Return how many jobs and candidates wait."""
        return len(self.jobs) + len(self.candidates)

    def put_unsampled(self, trace_id: str, received_ms: int) -> None:
        """Keep a hash of the id of a trace that nobody is to judge; a known trace changes nothing."""
        if self._refusal(trace_id, 0, 0) == "accepted":
            self._put(UnsampledTrace(trace_id=trace_id), (), received_ms, None)

    def replace_unjudged(self, trace: Trace, original: Trace | None) -> bool:
        """Replace a trace that no judge has judged; one that was judged stays as it was, and False is returned."""
        body = self._traces.get(doc_id=trace.trace_id) if self.may_grow(trace.trace_id) else None
        if body is None:
            return False
        replaced: dict[str, Json] = {**body, "trace": to_document(trace)}
        if original is not None:
            replaced["original"] = to_document(original)
        self._traces.put(Document(replaced, trace.trace_id))
        return True

    def is_awaited_by(self, trace_id: str, judge: str) -> bool:
        """Return whether one judge is still to judge the trace, or may."""
        job_id = job_id_of(trace_id, judge)
        tables = (self.jobs.table, self._refused, self.label_jobs.table)
        return any(table.contains(doc_id=job_id) for table in tables) or self.candidates.contains(
            trace_id, judge
        )

    def put_labelled(self, trace: Trace, original: Trace | None, received_ms: int) -> None:
        """Keep a trace that people labelled, also where only a hash of its id was kept; one that is here stays."""
        if not self.has(trace.trace_id):
            self._unsampled.remove(doc_ids=[digest(name) for name in all_names(trace.trace_id)])
            self._put(trace, (), received_ms, original)

    def release(self, trace_id: str) -> None:
        """Keep only a hash of a trace's id, unless a judge has judged the trace, or may still."""
        has_verdict = bool(self._verdicts.ids(*below(trace_id), index="trace", limit=1))
        body = None if has_verdict or self.is_awaited(trace_id) else self._traces.get(doc_id=trace_id)
        if body is not None:
            self._traces.remove(doc_ids=[trace_id])
            self._put(UnsampledTrace(trace_id=trace_id), (), body["received_ms"], None)

    def delete(self, trace_id: str) -> None:
        """Remove the trace and its jobs; only that there was one is remembered, by a hash of its id."""
        self.jobs.delete_trace(trace_id)
        for table in (self._refused, self.label_jobs.table):
            table.remove(doc_ids=table.ids(*below(trace_id)))
        self.candidates.delete_trace(trace_id)
        self.open_spans.delete_trace(trace_id)
        self._traces.remove(doc_ids=[trace_id])
        self._unsampled.remove(doc_ids=[digest(name) for name in all_names(trace_id)])
        self._forgotten.upsert(Document({}, digest(trace_id)))

    def _refusal(self, trace_id: str, work: int, room: int) -> Accepted:
        if self.stored_name(trace_id) is not None or self.is_unsampled(trace_id):
            return "duplicate"
        if self.has_forgotten(trace_id):
            return "forgotten"
        return "full" if work and work > room else "accepted"

    def _put(
        self, trace: Trace | UnsampledTrace, judges: Sequence[str], received_ms: int, original: Trace | None
    ) -> None:
        if isinstance(trace, UnsampledTrace):
            place = digest(trace.trace_id)
            self.remote.drop_origin(trace.trace_id)
            self._unsampled.insert(Document({"received_ms": received_ms, "digest": place}, place))
            return
        body: dict[str, Json] = {"trace": to_document(trace), "received_ms": received_ms}
        if original is not None:
            body["original"] = to_document(original)
        self._traces.insert(Document(body, trace.trace_id))
        for judge in sorted(set(judges)):
            job = Job(trace_id=trace.trace_id, judge=judge, received_ms=received_ms)
            self.jobs.table.insert(Document(to_document(job), job_id_of(trace.trace_id, judge)))


def _check_trace(body: Mapping[str, Json]) -> None:
    _CHECK_TRACE_FIELDS(body)
    if body.get("original") is not None:
        form_of(Trace)(body["original"])
