"""Jobs in their order, each leased to one replica while it is done."""

from collections.abc import Collection, Iterable, Mapping

from memalign.records import Json
from storage.document_forms import fields_form, form_of
from storage.documents import Document, Documents
from storage.keys import below, exactly, just_after, key, parts_of, stamp
from storage.queue import Queue
from storage.records import Job

_READY_BY_JUDGE = "ready by judge"
_BY_OWNER = "owner"


class JobQueue(Queue):
    """The tables of jobs and leases, for use inside a transaction.

    A lease is a document of its own, so that a job is not written again by each replica that takes it.
    """

    def __init__(self, documents: Documents) -> None:
        super().__init__(
            documents,
            "jobs",
            order=lambda body: stamp(body["received_ms"]),
            group="judge",
            indexes={_READY_BY_JUDGE: _ready_by_judge},
            form=form_of(Job),
        )
        self._leases = documents.declare(
            "job_leases",
            {_BY_OWNER: lambda body: [body["owner"]]},
            form=fields_form(owner=str, until_ms=int),
        )

    def drop(self, item_id: str) -> None:
        """Remove the job with its lease, if it is there."""
        super().drop(item_id)
        self._leases.remove(doc_ids=[item_id])

    def postpone(self, item_id: str, not_before_ms: int, reason: str) -> None:
        """Record a failed attempt, and end the lease; a job that is gone stays gone."""
        super().postpone(item_id, not_before_ms, reason)
        self._leases.remove(doc_ids=[item_id])

    def delete_trace(self, trace_id: str) -> None:
        """Remove a trace's jobs with their leases."""
        for table in (self.table, self._leases):
            table.remove(doc_ids=table.ids(*below(trace_id)))

    def free(self, now_ms: int, limits: Mapping[str, int]) -> list[Document]:
        """Return the oldest ready jobs of each judge that nobody has a lease of; all together oldest first.

        Args:
            now_ms: the time now, by which leases have ended.
            limits: how many jobs of a judge at most; of one that is not named, one.
        """
        leased = {lease.doc_id for lease in self._leases.range() if lease["until_ms"] > now_ms}
        free: list[Document] = []
        heads = self.table.range(index=_READY_BY_JUDGE, limit=1)
        while heads:
            low, high = below(heads[0]["judge"])
            wanted = max(0, limits.get(heads[0]["judge"], 1))
            # of the first ones, as many as there are leases may be leased
            first = self.table.range(low, high, index=_READY_BY_JUDGE, limit=wanted and wanted + len(leased))
            free += [job for job in first if job.doc_id not in leased][:wanted]
            heads = self.table.range(high, index=_READY_BY_JUDGE, limit=1)
        return sorted(free, key=lambda body: int(body["received_ms"]))

    def lease(self, job_ids: Iterable[str], owner: str, until_ms: int) -> None:
        """Lease jobs to a replica."""
        self._leases.put_multiple(Document({"owner": owner, "until_ms": until_ms}, each) for each in job_ids)

    def leased_to(self, owner: str) -> set[str]:
        """Return the ids of the jobs that a replica has a lease of, ended or not."""
        return set(self._leases.ids(*exactly(owner), index=_BY_OWNER))

    def owners(self) -> set[str]:
        """Return the replicas that have a lease, ended or not."""
        owners: set[str] = set()
        heads = self._leases.range(index=_BY_OWNER, limit=1)
        while heads:
            owners.add(heads[0]["owner"])
            heads = self._leases.range(just_after(heads[0]["owner"]), index=_BY_OWNER, limit=1)
        return owners

    def end_leases(self, owners: Collection[str]) -> int:
        """Give back, undone, all that some replicas have a lease of; returns how many jobs that are."""
        ended = [job_id for owner in owners for job_id in self.leased_to(owner)]
        self._leases.remove(doc_ids=ended)
        return len(ended)


def job_id_of(trace_id: str, judge: str) -> str:
    """Return the id of a judge's job on a trace."""
    return key(trace_id, judge)


def trace_and_judge(job_id: str) -> tuple[str, str]:
    """Return the trace and the judge of a job's id."""
    trace_id, judge = parts_of(job_id)
    return trace_id, judge


def _ready_by_judge(body: Mapping[str, Json]) -> list[str]:
    return [] if body["not_before_ms"] else [key(body["judge"], stamp(body["received_ms"]))]
