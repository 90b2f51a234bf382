"""Circuit breaker: what is down is left alone for a growing pause, after which one probe shows if it is back.

M. T. Nygard, "Release It!", 2nd ed. (2018), chapter 5, "Circuit Breaker".
"""

import time
from collections import Counter

from bot.runtime.clock import backoff_ms, now_ms

LONGEST_OPEN_MS = 60_000
"""Longest pause between two probes, unless the caller chooses another."""

LONGEST_ASKED_PAUSE_MS = 3_600_000
"""Longest pause that the other side may ask for."""


def asked_pause_ms(seconds: float | None) -> int:
    """Return the pause that the other side asks for, in milliseconds; 0 for none, an hour at most."""
    return min(int((seconds or 0.0) * 1000), LONGEST_ASKED_PAUSE_MS)


class CircuitBreaker:
    """One circuit for each thing that may be down, by its name."""

    def __init__(self, longest_ms: int = LONGEST_OPEN_MS) -> None:
        """Keep the pause between two probes below `longest_ms` milliseconds."""
        self._longest_ms = longest_ms
        self._open_until: dict[str, float] = {}
        """In seconds of a clock that nobody sets: this decides."""
        self._open_until_ms: dict[str, int] = {}
        """In milliseconds since 1970, for what is put off in the store until then."""
        self._failures: Counter[str] = Counter()

    def record_failure(self, name: str, at_least_ms: int = 0) -> None:
        """Open the circuit, for a pause that grows with each failure in a row.

        Failures while it is open do not count: those calls began before it was. `at_least_ms` is the pause that
        the other side asked for, in milliseconds.
        """
        if not self.is_open(name):
            pause_ms = max(at_least_ms, backoff_ms(self._failures[name], self._longest_ms))
            self._open_until[name] = time.monotonic() + pause_ms / 1000
            self._open_until_ms[name] = now_ms() + pause_ms
            self._failures[name] += 1

    def record_success(self, name: str) -> bool:
        """Close the circuit.

        Returns:
            True when there had been failures before.
        """
        self._open_until.pop(name, None)
        self._open_until_ms.pop(name, None)
        return bool(self._failures.pop(name, 0))

    def is_open(self, name: str) -> bool:
        """Return whether it is to be left alone for now."""
        return time.monotonic() < self._open_until.get(name, 0.0)

    def is_half_open(self, name: str) -> bool:
        """Return whether its pause is over and no call has succeeded since: the next one is a probe."""
        return name in self._failures and not self.is_open(name)

    def is_closed(self, name: str) -> bool:
        """Return whether calls go through: there was no failure since the last success."""
        return name not in self._failures

    def open_until_ms(self, name: str) -> int:
        """Return when its pause ends, in milliseconds since 1970; 0 while it has none."""
        return self._open_until_ms.get(name, 0)
