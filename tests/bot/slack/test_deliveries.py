"""Repeated deliveries: the work is done once, and all are answered alike."""

import asyncio

import pytest
from slack_bolt.response import BoltResponse

from bot.slack.deliveries import KEPT_SECONDS, Deliveries, delivery_key
from storage.database import Database
from storage.deliveries import KEPT_MS


class Work:
    """Counts its calls; ends with each of the statuses in turn, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.count = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> BoltResponse:
        self.count += 1
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
        await log.note(digest, at_ms)
    kept = [each for each in ("old", "from a clock ahead", "new") if await log.contains(each)]
    assert kept == ["new"]
