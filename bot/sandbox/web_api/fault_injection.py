"""Fault injection: Web API calls that fail, lose their answer, or are answered late."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one call.

    `lost`: the call takes effect, but the connection is dropped without an answer. Otherwise it takes no
    effect, and is answered with `status` and, where it is given, with `body` as `content_type`; else, on status
    200, with the error code `error`.
    """

    status: int = 200
    error: str | None = None
    retry_after: int | None = None
    lost: bool = False
    body: str | None = None
    content_type: str = "application/json"


class Hold:
    """Keeps the answer of calls back, after they took effect, until released."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Send the answers held back."""
        self._released.set()

    async def passed(self) -> None:
        """Wait until released."""
        self.reached.set()
        await self._released.wait()


class ApiFaults:
    """The faults and holds to come, by Web API method; at most one hold per method."""

    def __init__(self) -> None:
        self._faults: dict[str, deque[Fault]] = {}
        self._holds: dict[str, Hold] = {}

    def fail_next(self, method: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of a method go wrong."""
        self._faults.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """Remove and return the fault for the present call of a method, or None."""
        faults = self._faults.get(method)
        return faults.popleft() if faults else None

    def hold(self, method: str) -> Hold:
        """Keep back the answers of a method from now until the hold is released."""
        self._holds[method] = Hold()
        return self._holds[method]

    def holding(self, method: str) -> Callable[[], Awaitable[None]] | None:
        """Return the wait that the answer of a method is held by, or None."""
        hold = self._holds.get(method)
        return None if hold is None else hold.passed

    def release_all(self) -> None:
        """Release every hold."""
        for hold in self._holds.values():
            hold.release()
