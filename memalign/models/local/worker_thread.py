"""A thread for long computations, so that these hold up neither the event loop nor the shared threads."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


class WorkerThread:
    """Runs one call after the other in a thread of this process: a forked one has none of its parent's threads.

    Args:
        name: Beginning of the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._executors: dict[int, ThreadPoolExecutor] = {}

    async def run(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a function in the thread; calls may come from several event loops and threads at once.

        Args:
            function: Called once, after those that were asked for before.
            args: Of the function.
            kwargs: Of the function.

        Returns:
            The function's result.
        """
        call = self._executor().submit(function, *args, **kwargs)
        return await asyncio.wrap_future(call)

    def _executor(self) -> ThreadPoolExecutor:
        process = os.getpid()
        if process not in self._executors:
            executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
            self._executors.setdefault(process, executor)
        return self._executors[process]
