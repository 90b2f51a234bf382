"""Supervision: a background part that fails is restarted with back-off; the others go on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from bot.runtime.clock import backoff_ms
from bot.runtime.health import HealthRegistry, unexpected
from memalign.errors import MemAlignError

log = logging.getLogger(__name__)

Background: TypeAlias = Mapping[str, Callable[[], Awaitable[None]]]
"""Background parts by their names in `status`; a call begins the part's work anew."""

COMPONENT = "background"
LONGEST_RESTART_MS = 30_000
BACKOFF_RESET_SECONDS = 60.0
"""A run longer than this resets the back-off."""


async def supervise(
    part: str,
    run: Callable[[], Awaitable[None]],
    health: HealthRegistry,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run a background part until it returns or is cancelled; restart it after anything else that ends it.

    While the part waits for its restart, `health` says why.

    Args:
        part: the part's name in `status` and in the log.
        run: begins the part's work anew at each call.
        health: where the reason is reported.
        pause: waits some seconds before a restart.
    """
    clock = asyncio.get_running_loop().time
    failures = 0
    while True:
        began = clock()
        try:
            await run()
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                raise
            # a task or future inside the part was cancelled, not the part
            reason = _reason(error, part)
        except Exception as error:
            reason = _reason(error, part)
        else:
            return
        failures = 0 if clock() - began > BACKOFF_RESET_SECONDS else failures + 1
        health.report(COMPONENT, part, reason)
        await pause(backoff_ms(failures, LONGEST_RESTART_MS) / 1000)
        health.report(COMPONENT, part, None)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _reason(error: BaseException, part: str) -> str:
    """Return the sentence for people; what is no `MemAlignError` is a bug, logged under an id."""
    known = first_known(error)
    if known is None:
        return unexpected(part)
    log.error("%s waits: %s", part, known)
    return str(known)


def first_known(error: BaseException) -> MemAlignError | None:
    """Return an error fit for people, or the first one of a group that holds nothing else; else None."""
    if isinstance(error, BaseExceptionGroup):
        known = [first_known(inner) for inner in error.exceptions]
        return known[0] if all(known) else None
    return error if isinstance(error, MemAlignError) else None
