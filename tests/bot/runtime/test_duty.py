"""Duties: work is done while this process leads it, and begun anew with each term."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.runtime.duty import DutyTerm, work_in_terms


class FakeTerm:
    def __init__(self) -> None:
        self.end = asyncio.Event()

    async def ended(self) -> None:
        await self.end.wait()


class Election:
    """Hands out terms one after the other."""

    def __init__(self) -> None:
        self.terms: asyncio.Queue[FakeTerm] = asyncio.Queue()

    async def lead(self) -> DutyTerm:
        return await self.terms.get()

    def begin(self) -> FakeTerm:
        term = FakeTerm()
        self.terms.put_nowait(term)
        return term


class Work:
    def __init__(self) -> None:
        self.running = 0
        self.begun = asyncio.Event()

    async def run(self) -> None:
        self.running += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1
            self.begun.clear()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_work_begins_with_a_term_and_ends_with_it() -> None:
    election, work = Election(), Work()
    task = asyncio.create_task(work_in_terms(election.lead, work.run))
    await settled()
    assert work.running == 0
    first = election.begin()
    await work.begun.wait()
    first.end.set()
    await settled()
    assert work.running == 0
    election.begin()
    await work.begun.wait()
    assert work.running == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert work.running == 0


async def fail() -> None:
    raise ValueError("a bug")


async def end() -> None:
    return None


@pytest.mark.parametrize(("run", "error"), [(fail, ValueError), (end, None)])
async def test_the_end_of_the_work_is_told(
    run: Callable[[], Awaitable[None]], error: type[Exception] | None
) -> None:
    election = Election()
    election.begin()
    task = asyncio.create_task(work_in_terms(election.lead, run))
    await asyncio.wait([task])
    assert (type(task.exception()) if error else task.result()) == error
