"""Duties: work that one of several processes does at a time, for as long as it leads it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Term(Protocol):
    """The time in which this process, and no other, has a duty."""

    async def ended(self) -> None:
        """Wait until this process has the duty no more."""


async def work_in_terms(lead: Callable[[], Awaitable[Term]], run: Callable[[], Awaitable[None]]) -> None:
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
