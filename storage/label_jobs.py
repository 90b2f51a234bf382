"""Traces that people labelled in a tracing tool although no card shows them: they are judged, so that labels teach."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from memalign.records import Trace, Verdict
from memalign.serialization import from_document, to_document
from storage.records import Job, TraceOrigin
from storage.remote_assessments import origin_under
from storage.repository import Repository, Store, reads, writes
from storage.traces import Traces, job_id_of
from storage.verdicts import Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTrace:
    """A trace that people labelled in the tool that it is read from."""

    trace: Trace
    """As it may be stored; its `judges` are those that it is labelled for."""
    original: Trace | None = None
    """The same as it was read, where that is kept."""
    origin: TraceOrigin


class LabelJobs(Repository):
    """Traces that wait to be judged for their labels. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces, verdicts: Verdicts) -> None:
        super().__init__(store)
        self._traces = traces
        self._verdicts = verdicts
        self._jobs = traces.label_jobs

    @reads
    def unjudged(self, labelled: Mapping[str, Collection[str]]) -> Mapping[str, tuple[str, ...]]:
        """Return by trace the judges that have not judged it and are not about to; none of what was forgotten.

        Args:
            labelled: trace id -> names of judges.
        """
        found = {
            trace_id: tuple(judge for judge in judges if self._is_unjudged(trace_id, judge))
            for trace_id, judges in labelled.items()
            if not self._traces.has_forgotten(trace_id)
        }
        return {trace_id: judges for trace_id, judges in found.items() if judges}

    def _is_unjudged(self, trace_id: str, judge: str) -> bool:
        trace_id = self._traces.stored_name(trace_id) or trace_id
        is_judged = self._verdicts.find_id(judge, trace_id) is not None
        return not is_judged and not self._traces.is_awaited_by(trace_id, judge)

    @writes
    def add(self, labelled: Sequence[LabelledTrace], received_ms: int) -> None:
        """Keep traces, the tool that they come from, and that their judges are to judge them."""
        for each in labelled:
            if self._traces.has_forgotten(each.trace.trace_id):
                continue
            trace_id = self._traces.stored_name(each.trace.trace_id) or each.trace.trace_id
            self._traces.put_labelled(
                replace(each.trace, trace_id=trace_id, judges=()), each.original, received_ms
            )
            known = self._traces.remote.find_origin(trace_id)
            if known is None or known.connector == each.origin.connector:
                # votes are looked for on what was read lately
                self._traces.remote.note_origin(origin_under(trace_id, each.origin))
            for judge in filter(lambda judge: self._is_unjudged(trace_id, judge), each.trace.judges):
                job = Job(trace_id=trace_id, judge=judge, received_ms=received_ms)
                self._jobs.put(job_id_of(trace_id, judge), to_document(job))

    @reads
    def count(self) -> int:
        """Return how many wait, those that a model refused included."""
        return len(self._jobs)

    async def due(self, now_ms: int, limit: int) -> list[Job]:
        """Return the oldest whose time has come."""
        await self._release_due(self._jobs, now_ms)
        return await self._first(limit)

    @reads
    def _first(self, limit: int) -> list[Job]:
        return [from_document(Job, body) for body in self._jobs.first(limit=limit)]

    @writes
    def judged(
        self, job: Job, verdict: Verdict, *, channel: str, judged_ms: int, resembles_case: bool
    ) -> None:
        """Store the verdict of a job, which is done: see `Verdicts.add_without_card`."""
        self._jobs.drop(job_id_of(job.trace_id, job.judge))
        self._verdicts.add_without_card(
            verdict, channel=channel, judged_ms=judged_ms, resembles_case=resembles_case
        )

    @writes
    def drop(self, job: Job) -> None:
        """Take a job off the list, undone."""
        self._jobs.drop(job_id_of(job.trace_id, job.judge))
        self._traces.release(job.trace_id)

    @writes
    def postpone(self, job: Job, not_before_ms: int, reason: str) -> None:
        """Put a job off after a failed attempt; one that is gone stays gone."""
        self._jobs.postpone(job_id_of(job.trace_id, job.judge), not_before_ms, reason)

    @writes
    def give_up(self, job: Job, reason: str) -> None:
        """Let a job be that its model refuses, until `retry_refused`."""
        job_id = job_id_of(job.trace_id, job.judge)
        if self._jobs.table.contains(doc_id=job_id):
            self._jobs.put(job_id, {"refusals": job.refusals + 1, "reason": reason})

    @writes
    def retry_refused(self) -> None:
        """Let models be asked again for what they refused."""
        for body in self._jobs.table.range():
            if body["refusals"]:
                self._jobs.put(body.doc_id, {"refusals": 0})
