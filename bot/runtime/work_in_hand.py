"""Work in hand: what is being done at the moment and since when, so that what hangs is told, and a stop can wait."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LONG_SECONDS = 20.0
"""Time after which work in hand is told as a problem."""
PAUSE_SECONDS = 0.3
"""Time without work in hand after which none is taken to follow: between a model's answer and the stored verdict there
is a moment that belongs to neither piece. Set by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongWork:
    """Work on one subject that has been in hand for long."""

    component: str
    subject: str
    """The judge or channel that it concerns."""
    doing: str
    """The work, such as `judging a trace`."""
    number: int
    """Pieces of it that have been in hand for long."""
    seconds: float
    """Time since the oldest of them began."""


class WorkInHand:
    """All pieces of work that have begun and not ended.

    Args:
        clock: the time now in seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: dict[object, tuple[str, str, str, float]] = {}
        self._is_closed = False
        self._changed = asyncio.Event()
        """Set when a piece begins or ends."""

    @property
    def is_closed(self) -> bool:
        """True once the bot is being stopped: workers take nothing new."""
        return self._is_closed

    def close(self) -> None:
        """Let workers take nothing new from now on."""
        self._is_closed = True

    async def finish(self, seconds: float) -> None:
        """Wait until nothing is in hand any more, up to `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._began or await self._changes_within(PAUSE_SECONDS):
                    await self._changed.wait()
                    self._changed.clear()

    async def _changes_within(self, seconds: float) -> bool:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._changed.wait()
        return False

    @contextmanager
    def doing(self, component: str, subject: str, doing: str) -> Iterator[None]:
        """Count the block as work in hand, such as `judging a trace`, until it ends."""
        piece = object()
        self._began[piece] = (component, subject, doing, self._clock())
        self._changed.set()
        try:
            yield
        finally:
            del self._began[piece]
            self._changed.set()

    def long(self, seconds: float = LONG_SECONDS) -> tuple[LongWork, ...]:
        """Return what has been in hand for longer, pieces of one kind and subject together."""
        now = self._clock()
        ages: dict[tuple[str, str, str], list[float]] = {}
        for *kind, began in self._began.values():
            if now - began > seconds:
                component, subject, doing = kind
                ages.setdefault((component, subject, doing), []).append(now - began)
        return tuple(
            LongWork(
                component=component,
                subject=subject,
                doing=doing,
                number=len(ages[component, subject, doing]),
                seconds=max(ages[component, subject, doing]),
            )
            for component, subject, doing in sorted(ages)
        )
