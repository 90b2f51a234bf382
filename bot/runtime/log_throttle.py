"""Rate limit for log lines that others can cause in any number."""

import time
from collections.abc import Callable

LOG_INTERVAL_SECONDS = 60.0


class LogThrottle:
    """Admits one line of each kind a minute, and counts those left out."""

    def __init__(
        self, seconds: float = LOG_INTERVAL_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._admitted_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def admit(self, kind: str) -> int | None:
        """Return how many lines of this kind were left out since the last one; None if this one is to be, too."""
        now = self._clock()
        if now - self._admitted_at.get(kind, -self._seconds) < self._seconds:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return None
        self._admitted_at[kind] = now
        return self._left_out.pop(kind, 0)
