"""Work that goes on after its listener's acknowledgement."""

import asyncio
from collections.abc import Coroutine

from bot.runtime.health import log_bug


class AfterAck:
    """Runs such work as tasks of the app."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._in_hand: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Do the work in a task; a failure is logged and stops nothing else."""
        task = self._tasks.create_task(_logged(work))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def finish(self, seconds: float) -> None:
        """Wait up to `seconds` for the work in hand, then cancel the rest."""
        if self._in_hand:
            _, unfinished = await asyncio.wait(self._in_hand, timeout=seconds)
            for task in unfinished:
                task.cancel()


async def _logged(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Exception:  # one person's click must not stop the app
        log_bug("work after an acknowledgement")
