"""Arrivals: when things changed last, by a clock that nobody sets, so that what comes together is read together."""

import time
from collections.abc import Callable, Iterable

MAX_ARRIVALS = 10_000
"""Changes that are remembered at a time; beyond it those are dropped that rest for a minute."""
_LONG_SECONDS = 60.0


class Arrivals:
    """Notes changes as they are made here, and those of other processes as they are seen.

    What was there before the first look rests. Used in the thread of the store alone.

    Args:
        clock: the time now in seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changes: dict[str, tuple[int, float]] = {}
        """By place: the number of the last change, and its time."""
        self._has_looked = False

    def note(self, place: str, number: int) -> None:
        """Note a change and its number, which is another one for each."""
        now = self._clock()
        if len(self._changes) >= MAX_ARRIVALS:
            recent = {
                each: change for each, change in self._changes.items() if now - change[1] < _LONG_SECONDS
            }
            self._changes = recent
        self._changes[place] = number, now

    def drop(self, place: str) -> None:
        """Forget a place."""
        self._changes.pop(place, None)

    def at_rest(self, changes: Iterable[tuple[str, int]], seconds: float) -> set[str]:
        """Return the places whose last change was so long ago.

        Args:
            changes: all places that are of interest, each with the number of its last change.
            seconds: time without a change.
        """
        now, resting = self._clock(), set()
        for place, number in changes:
            known = self._changes.get(place)
            if known is None and not self._has_looked:
                known = self._changes[place] = number, now - seconds
            elif known is None or known[0] != number:
                known = self._changes[place] = number, now
            if known[1] <= now - seconds:
                resting.add(place)
        self._has_looked = True
        return resting
