"""Keeping a part of the bot at work while the store fails: a full disk is told and waited for, not died of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.runtime.clock import backoff_ms
from memalign.errors import StorageError

log = logging.getLogger(__name__)

LONGEST_MS = 30_000
CALM_SECONDS = 60.0
"""Whatever failed longer ago than this is forgiven."""


async def supervise(run: Callable[[], Awaitable[None]], part: str, trouble: dict[str, str]) -> None:
    """Run a part until it ends or is cancelled; when the store fails, begin anew after a growing pause."""
    loop = asyncio.get_running_loop()
    attempt = 0
    while True:
        began = loop.time()
        reason = None
        try:
            await run()
        except* StorageError as problems:
            reason = str(_first(problems))
        if reason is None:
            return
        attempt = 0 if loop.time() - began > CALM_SECONDS else attempt + 1
        trouble[part] = reason
        log.error("%s waits: %s", part, reason)
        await asyncio.sleep(backoff_ms(attempt, LONGEST_MS) / 1000)
        trouble.pop(part, None)


def _first(problems: BaseExceptionGroup[StorageError]) -> BaseException:
    first: BaseException = problems
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
