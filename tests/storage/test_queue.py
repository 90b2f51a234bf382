"""Leases of a queue: what one worker has taken, no other is given until the lease ends."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from storage.documents import Documents
from storage.engines import Location, open_engine
from storage.queue import Lease, Queue
from tests.storage.engines import Opener

LEASE_MS = 100


@pytest.fixture
def documents(location: Location) -> Iterator[Documents]:
    with closing(Documents(open_engine(location, read_only=False))) as opened:
        yield opened


@pytest.fixture
def queue(documents: Documents) -> Queue:
    return filled(documents, "abc")


def queue_of(documents: Documents) -> Queue:
    return Queue(documents, "work", order=lambda body: str(body["place"]), group="place")


def filled(documents: Documents, places: str) -> Queue:
    queue = queue_of(documents)
    for place in places:
        queue.put(place, {"place": place, "attempts": 0, "not_before_ms": 0})
    return queue


def ids(leases: Sequence[Lease]) -> list[str]:
    return [lease.item.doc_id for lease in leases]


def test_what_is_taken_is_given_to_nobody_else_until_the_lease_ends(queue: Queue) -> None:
    assert ids(queue.take(0, 2, LEASE_MS)) == ["a", "b"]
    assert ids(queue.take(LEASE_MS - 1, 9, LEASE_MS)) == ["c"]
    assert ids(queue.take(LEASE_MS, 9, LEASE_MS)) == ["a", "b"]


def test_a_lease_that_is_renewed_ends_later(queue: Queue) -> None:
    first, _ = queue.take(0, 2, LEASE_MS)
    renewed = queue.renew(first, 50, LEASE_MS)
    assert renewed is not None
    assert renewed.until_ms == 150
    assert ids(queue.take(149, 9, LEASE_MS)) == ["b", "c"]
    assert ids(queue.take(150, 9, LEASE_MS)) == ["a"]


def test_a_lease_that_has_ended_is_not_renewed_whoever_has_the_item_now(queue: Queue) -> None:
    (late,) = queue.take(0, 1, LEASE_MS)
    assert queue.renew(late, LEASE_MS, LEASE_MS) is None
    (now,) = queue.take(LEASE_MS, 1, LEASE_MS)
    assert ids([now]) == ["a"]
    assert queue.renew(late, LEASE_MS - 1, LEASE_MS) is None
    queue.end_lease(late)
    assert ids(queue.take(LEASE_MS + 1, 9, LEASE_MS)) == ["b", "c"]


def test_what_is_given_back_is_taken_again_in_its_old_place(queue: Queue) -> None:
    first, _ = queue.take(0, 2, LEASE_MS)
    queue.end_lease(first)
    assert ids(queue.take(1, 9, LEASE_MS)) == ["a", "c"]


def test_what_is_done_under_a_lease_does_not_come_back(queue: Queue) -> None:
    (lease,) = queue.take(0, 1, LEASE_MS)
    queue.drop("a")
    queue.end_lease(lease)
    assert queue.renew(lease, 1, LEASE_MS) is None
    assert ids(queue.take(LEASE_MS, 9, LEASE_MS)) == ["b", "c"]


def test_a_failed_attempt_ends_the_lease_and_waits_for_its_own_time(queue: Queue) -> None:
    (lease,) = queue.take(0, 1, LEASE_MS)
    queue.postpone("a", 500, "model is down")
    assert queue.renew(lease, 1, LEASE_MS) is None
    assert ids(queue.take(499, 9, LEASE_MS)) == ["b", "c"]
    (again,) = queue.take(500, 1, LEASE_MS)
    assert (again.item.doc_id, again.item["attempts"]) == ("a", 1)


def test_work_that_is_called_back_early_stays_with_whoever_has_leased_it(queue: Queue) -> None:
    queue.take(0, 1, LEASE_MS)
    queue.postpone("b", 500, "model is down")
    queue.release_now(queue.postponed_ids(lambda _: True))
    assert ids(queue.take(1, 9, LEASE_MS)) == ["b", "c"]


def test_a_lease_outlives_the_process_that_took_it(location: Location) -> None:
    with closing(Documents(open_engine(location, read_only=False))) as documents:
        filled(documents, "ab").take(0, 1, LEASE_MS)
    with closing(Documents(open_engine(location, read_only=False))) as documents:
        queue = queue_of(documents)
        assert ids(queue.take(1, 9, LEASE_MS)) == ["b"]
        assert ids(queue.take(LEASE_MS, 9, LEASE_MS)) == ["a"]


def test_two_takers_on_one_store_never_hold_the_same_item(open_another: Opener) -> None:
    """One connection each, as two processes have."""
    with closing(Documents(open_another())) as ours, closing(Documents(open_another())) as theirs:
        queues = [filled(ours, "abcdef"), queue_of(theirs)]
        taken = []
        for turn in range(6):
            side = turn % 2
            with (ours, theirs)[side].engine.transaction():
                taken += ids(queues[side].take(turn, 1, LEASE_MS))
        assert taken == list("abcdef")
