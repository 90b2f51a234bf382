"""One private event loop in a thread of its own.

Connections to model services live on it, whichever loop or thread asks for them; so does the library's
work, which is how its plain names can be called from anywhere, a running event loop included.

A forked process has no such thread. It begins with a new loop, and without the connections of its parent.
"""

import asyncio
import atexit
import ctypes
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")
_Close = Callable[[], Awaitable[None]]

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_closing: list[_Close] = []


def run_and_wait(work: Coroutine[None, None, _T]) -> _T:
    """Run a coroutine on the private loop, and block the calling thread until it ends.

    Args:
        work: The coroutine; its errors are raised here.

    Returns:
        Its result.
    """
    return asyncio.run_coroutine_threadsafe(work, _running()).result()


def start(work: Coroutine[None, None, _T]) -> "Future[_T]":
    """Start a coroutine on the private loop, from any thread, in the context of the caller.

    Args:
        work: The coroutine.

    Returns:
        Its result to come; cancelling reaches the coroutine.
    """
    return asyncio.run_coroutine_threadsafe(work, _running())


async def run_on_private_loop(work: Coroutine[None, None, _T]) -> _T:
    """Run a coroutine on the private loop from any loop.

    Args:
        work: The coroutine; its errors are raised here, and cancelling reaches it.

    Returns:
        Its result.
    """
    loop = _running()
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


def close_at_exit(close: _Close) -> None:
    """Register something to close on the private loop when the process ends.

    Args:
        close: Called without arguments; its errors are passed over.
    """
    _closing.append(close)


def call_in_forked_child(reset: Callable[[], None]) -> None:
    """Register something to call in each process that is forked from this one, before any code of its own runs.

    Args:
        reset: Called without arguments; forgets what belongs to the parent's loop or threads, and must not close it.
    """
    if hasattr(os, "register_at_fork"):  # nothing is forked on Windows
        os.register_at_fork(after_in_child=reset)


def _running() -> asyncio.AbstractEventLoop:
    global _loop  # noqa: PLW0603 - there is one such loop in a process
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_loop.run_forever, name="memalign", daemon=True)
            thread.start()
            atexit.register(_shut, _loop, thread)
        return _loop


def _shut(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    try:
        asyncio.run_coroutine_threadsafe(_close_all(), loop).result(timeout=5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        if not loop.is_running():
            loop.close()


def _begin_anew() -> None:
    """Forget the parent's loop and clients in a forked child.

    They share sockets and a selector with the parent: collecting them as garbage, even when the child ends, would
    deregister and shut down connections that the parent uses. One reference that is never given back prevents it.
    """
    global _loop, _starting, _closing
    ctypes.pythonapi.Py_IncRef(ctypes.py_object((_loop, _closing)))
    _loop, _starting, _closing = None, threading.Lock(), []
    atexit.unregister(_shut)


async def _close_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, *(close() for close in _closing), return_exceptions=True)


call_in_forked_child(_begin_anew)
