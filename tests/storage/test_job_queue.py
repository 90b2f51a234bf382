"""Leases of jobs: what one replica has taken, no other is given until the lease ends."""

from contextlib import closing

from storage.documents import Documents
from storage.engines import Location, open_engine
from storage.job_queue import JobQueue, job_id_of
from tests.storage.engines import Opener

LEASE_MS = 100


def filled(documents: Documents, names: str) -> JobQueue:
    queue = JobQueue(documents)
    for place, name in enumerate(names):
        job = {"trace_id": name, "judge": "p", "received_ms": place, "attempts": 0, "not_before_ms": 0}
        queue.put(job_id_of(name, "p"), job)
    return queue


def take(queue: JobQueue, now_ms: int, most: int = 9, owner: str = "r1") -> list[str]:
    free = queue.free(now_ms, {"p": most})
    queue.lease([job.doc_id for job in free], owner, now_ms + LEASE_MS)
    return [job["trace_id"] for job in free]


def test_a_lease_outlives_the_process_that_took_it(location: Location) -> None:
    with closing(Documents(open_engine(location, read_only=False))) as documents:
        take(filled(documents, "ab"), 0, 1)
    with closing(Documents(open_engine(location, read_only=False))) as documents:
        queue = JobQueue(documents)
        assert take(queue, 1, owner="r2") == ["b"]
        assert take(queue, LEASE_MS, owner="r2") == ["a"]
        assert (queue.leased_to("r1"), queue.owners()) == (set(), {"r2"})


def test_jobs_that_are_given_back_come_in_their_old_order(location: Location) -> None:
    with closing(Documents(open_engine(location, read_only=False))) as documents:
        queue = filled(documents, "abc")
        assert take(queue, 0, 2) == ["a", "b"]
        assert queue.end_leases(["r1"]) == 2
        assert take(queue, 1, owner="r2") == ["a", "b", "c"]


def test_two_takers_on_one_store_never_hold_the_same_job(open_another: Opener) -> None:
    """One connection each, as two processes have."""
    with closing(Documents(open_another())) as ours, closing(Documents(open_another())) as theirs:
        queues = [filled(ours, "abcdef"), JobQueue(theirs)]
        taken = []
        for turn in range(6):
            side = turn % 2
            with (ours, theirs)[side].engine.transaction():
                taken += take(queues[side], turn, 1, f"r{side}")
        assert taken == list("abcdef")
