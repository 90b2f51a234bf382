"""Duties: work that one of several processes does at a time, for as long as it leads it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

LEADER_SECONDS = 10.0
LOOK_SECONDS = 0.1


class DutyTerm(Protocol):
    """The time in which this process, and no other, has a duty."""

    async def ended(self) -> None:
        """Wait until this process has the duty no more."""


async def work_in_terms(lead: Callable[[], Awaitable[DutyTerm]], run: Callable[[], Awaitable[None]]) -> None:
    """Do a duty's work whenever this process leads it, until the work returns or raises.

    Args:
        lead: waits until this process has the duty.
        run: begins the work anew at each call; it is cancelled when the term ends.
    """
    while True:
        term = await lead()
        work = asyncio.ensure_future(run())
        end = asyncio.ensure_future(term.ended())
        try:
            await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return
        finally:
            work.cancel()
            end.cancel()
            await asyncio.gather(work, end, return_exceptions=True)


async def done_by_leader(
    is_leader: bool,
    work: Callable[[], Awaitable[None]],
    is_left: Callable[[], Awaitable[bool]],
    seconds: float = LEADER_SECONDS,
) -> None:
    """Do some of a duty's work at once, or wait until the process that leads the duty has done it.

    Args:
        is_leader: whether this process leads it.
        work: does the work.
        is_left: looks whether there is any left to be done.
        seconds: longest time to wait for another process; it goes on after it.
    """
    if is_leader:
        await work()
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await is_left():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(LOOK_SECONDS)
