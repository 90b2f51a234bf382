"""Slack's message timestamps, which order messages, identify them, and are unique."""

from collections.abc import Callable


class Timestamps:
    """Mints unique, growing timestamps from a clock that gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._last = 0

    def mint(self) -> str:
        """Return the next timestamp, `seconds.micros`."""
        self._last = max(self._last + 1, int(self.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def after(self, ts: str) -> None:
        """Mint only timestamps after this one from now on, for a workspace that is loaded from a snapshot."""
        self._last = max(self._last, int(ts.replace(".", "")))
