"""Repeated deliveries: the work is done once, and all are answered alike."""

import asyncio
from collections.abc import Collection

import pytest
from slack_bolt.response import BoltResponse

from bot.slack.deliveries import KEPT_SECONDS, Deliveries, delivery_key
from storage.database import Database
from storage.deliveries import KEPT_MS
from storage.replica import LoneReplica


class Work:
    """Counts its calls; ends with each of the statuses in turn, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.count = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> BoltResponse:
        self.count += 1
        self.begun.set()
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        await self.may_end.wait()
        return BoltResponse(status=status, body="answer")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_the_second_delivery_gets_the_first_ones_answer(database: Database) -> None:
    deliveries, work = Deliveries(database.deliveries), Work(200)
    first = await deliveries.once(b"k", work)
    first.headers.clear()
    second = await deliveries.once(b"k", work)
    assert (second.status, second.body, work.count) == (200, "answer", 1)


async def test_a_delivery_waits_for_the_one_in_hand(database: Database) -> None:
    deliveries, work = Deliveries(database.deliveries), Work(200)
    work.may_end.clear()
    answers = [asyncio.create_task(deliveries.once(b"k", work)) for _ in range(5)]
    await asyncio.sleep(0)
    work.may_end.set()
    assert [answer.status for answer in await asyncio.gather(*answers)] == [200] * 5
    assert work.count == 1


async def test_what_failed_is_done_by_the_next_delivery(database: Database) -> None:
    deliveries, work = Deliveries(database.deliveries), Work(503, 200)
    assert (await deliveries.once(b"k", work)).status == 503
    assert (await deliveries.once(b"k", work)).status == 200
    assert (await deliveries.once(b"k", work)).status == 200
    assert work.count == 2


async def test_an_exception_and_a_cancellation_leave_the_work_to_the_next(database: Database) -> None:
    deliveries, work = Deliveries(database.deliveries), Work(200)

    async def fails() -> BoltResponse:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await deliveries.once(b"k", fails)
    work.may_end.clear()
    cancelled = asyncio.create_task(deliveries.once(b"k", work))
    await asyncio.sleep(0)
    cancelled.cancel()
    work.may_end.set()
    assert (await deliveries.once(b"k", work)).status == 200
    assert work.count == 2


async def test_a_delivery_is_kept_for_longer_than_slack_repeats_it(database: Database) -> None:
    clock = Clock()
    deliveries, work = Deliveries(database.deliveries, clock), Work(200)
    await deliveries.once(b"k", work)
    clock.seconds = 301.0
    await deliveries.once(b"k", work)
    assert work.count == 1
    clock.seconds = KEPT_SECONDS + 302
    await deliveries.once(b"other", work)
    await deliveries.once(b"k", work)
    assert work.count == 3


def test_the_key_is_of_what_a_payload_says() -> None:
    assert delivery_key({"a": 1, "b": [2]}) == delivery_key({"b": [2], "a": 1})
    assert delivery_key({"a": 1}) != delivery_key({"a": 2})
    assert delivery_key({"a": "half \ud83d"}) != delivery_key({"a": "half \ud83e"})


async def test_what_was_done_for_good_is_known_after_a_restart(database: Database) -> None:
    work = Work(200)
    assert (await Deliveries(database.deliveries).once_for_good(b"k", work)).body == "answer"
    again = await Deliveries(database.deliveries).once_for_good(b"k", work)
    assert (again.status, again.body, work.count) == (200, "", 1)
    await Deliveries(database.deliveries).once_for_good(b"another", work)
    assert work.count == 2


async def test_what_failed_before_a_restart_is_done_after_it(database: Database) -> None:
    work = Work(503, 200)
    assert (await Deliveries(database.deliveries).once_for_good(b"k", work)).status == 503
    assert (await Deliveries(database.deliveries).once_for_good(b"k", work)).status == 200


async def test_of_a_delivery_only_a_digest_is_kept_and_only_for_some_minutes(database: Database) -> None:
    log = database.deliveries
    for digest, at_ms in (("old", 0), ("from a clock ahead", 10**14), ("new", KEPT_MS + 2)):
        assert await log.claim(digest, at_ms) == "ours"
        await log.note(digest, at_ms)
    claims = [await log.claim(each, KEPT_MS + 3) for each in ("old", "from a clock ahead", "new")]
    assert claims == ["ours", "ours", "done"]


class TwoReplicas(LoneReplica):
    """One of two that live, until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()

    async def dead(self, ids: Collection[str]) -> set[str]:
        return {*ids} & self.gone


async def test_two_replicas_that_get_one_delivery_at_a_time_do_it_once(database: Database) -> None:
    first, second = Deliveries(database.deliveries), Deliveries(database.deliveries)
    database.deliveries.replica = TwoReplicas()
    work = Work(200)
    work.may_end.clear()
    answer = asyncio.create_task(first.once_for_good(b"k", work))
    await work.begun.wait()
    database.deliveries.replica = TwoReplicas()
    other = asyncio.create_task(second.once_for_good(b"k", work))
    await asyncio.sleep(0.3)
    assert not other.done()
    work.may_end.set()
    assert ((await answer).status, (await other).status, work.count) == (200, 200, 1)


async def test_what_a_replica_had_in_hand_as_it_died_is_done_by_another(database: Database) -> None:
    first, second = TwoReplicas(), TwoReplicas()
    database.deliveries.replica = first
    assert await database.deliveries.claim("d", 1) == "ours"
    database.deliveries.replica = second
    assert await database.deliveries.claim("d", 2) == "in hand"
    second.gone = {first.id}
    assert await database.deliveries.claim("d", 3) == "ours"


async def test_what_failed_in_one_replica_is_done_by_the_next(database: Database) -> None:
    work = Work(503, 200)
    for _ in range(2):
        database.deliveries.replica = TwoReplicas()
        last = await Deliveries(database.deliveries).once_for_good(b"k", work)
    assert (last.status, work.count) == (200, 2)
