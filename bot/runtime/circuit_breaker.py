"""Leaving alone what is down: growing pauses, after which a try shows whether it is back."""

from collections import Counter

from bot.runtime.clock import backoff_ms, now_ms

LONGEST_MS = 60_000
"""So long at most nobody notices that it is back."""


class CircuitBreaker:
    """One pause for each thing that may be down, by its name."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._vain: Counter[str] = Counter()

    def fail(self, name: str) -> None:
        """A try was in vain; those that ran at the same time count as one."""
        if not self.is_open(name):
            self._until[name] = now_ms() + backoff_ms(self._vain[name], LONGEST_MS)
            self._vain[name] += 1

    def recover(self, name: str) -> bool:
        """A try succeeded; True when earlier ones had been in vain."""
        self._until.pop(name, None)
        return bool(self._vain.pop(name, 0))

    def is_half_open(self, name: str) -> bool:
        """Whether all tries since the last success were in vain."""
        return name in self._vain

    def is_open(self, name: str) -> bool:
        """Whether it is to be left alone for now."""
        return now_ms() < self.until(name)

    def until(self, name: str) -> int:
        """The end of its pause, in milliseconds since 1970; 0: none."""
        return self._until.get(name, 0)
