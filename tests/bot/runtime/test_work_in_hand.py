"""Work in hand: what has begun and not ended is told once it takes long."""

import asyncio

import pytest

from bot.runtime.work_in_hand import LongWork, WorkInHand


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_only_what_takes_long_is_told_and_pieces_of_a_kind_together() -> None:
    clock = Clock()
    work = WorkInHand(clock)
    with work.doing("judging", "polite", "judging"):
        clock.now += 15
        with work.doing("judging", "polite", "judging"), work.doing("posting", "C1", "posting"):
            clock.now += 15
            assert [(one.subject, one.number, one.seconds) for one in work.long()] == [("polite", 1, 30)]
            clock.now += 15
            assert work.long() == (
                LongWork(component="judging", subject="polite", doing="judging", number=2, seconds=45),
                LongWork(component="posting", subject="C1", doing="posting", number=1, seconds=30),
            )


def test_what_ends_in_an_error_has_ended() -> None:
    clock = Clock()
    work = WorkInHand(clock)

    def fail() -> None:
        with work.doing("judging", "polite", "judging"):
            clock.now += 60
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert work.long() == ()


async def test_a_stop_waits_for_the_last_piece_and_for_what_follows_it_at_once() -> None:
    work, ended = WorkInHand(), []

    async def piece(seconds: float) -> None:
        with work.doing("judging", "polite", "judging"):
            await asyncio.sleep(seconds)
        ended.append(seconds)

    async def pieces() -> None:
        await piece(0.1)
        await asyncio.sleep(0.05)
        await piece(0.2)

    running = asyncio.create_task(pieces())
    await asyncio.sleep(0)
    work.close()
    await work.finish(60)
    assert (work.is_closed, ended) == (True, [0.1, 0.2])
    await running


async def test_a_stop_waits_no_longer_than_it_may() -> None:
    work = WorkInHand()
    with work.doing("judging", "polite", "judging"):
        await work.finish(0.05)
        assert not work.is_closed
    await work.finish(0)
