import asyncio
import threading

import pytest

from memalign.event_loop import run_and_wait, run_on_private_loop


async def where() -> str:
    return threading.current_thread().name


async def test_work_is_done_on_the_private_loop_whoever_asks() -> None:
    assert await run_on_private_loop(where()) == "memalign"
    assert await asyncio.to_thread(run_and_wait, where()) == "memalign"
    assert run_and_wait(where()) == "memalign"


def test_work_that_asks_for_more_work_does_not_wait_for_itself() -> None:
    async def nested() -> str:
        return await run_on_private_loop(where())

    assert run_and_wait(nested()) == "memalign"


async def test_what_is_raised_there_is_raised_here() -> None:
    async def fail() -> None:
        raise ValueError("there")

    with pytest.raises(ValueError, match="there"):
        await run_on_private_loop(fail())
    with pytest.raises(ValueError, match="there"):
        run_and_wait(fail())


async def test_giving_up_here_cancels_there() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.create_task(run_on_private_loop(endless()))
    assert await asyncio.to_thread(begun.wait, 60)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await asyncio.to_thread(cancelled.wait, 60)
