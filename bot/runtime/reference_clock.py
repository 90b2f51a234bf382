"""The time as a service tells it with its answers, whatever this machine's own clock shows or jumps to."""

import time
from collections.abc import Callable

from bot.runtime.clock import now_ms

TOLERATED_MS = 60_000
"""Difference from this machine's clock that nobody has to be told of."""
PRECISION_MS = 2000
"""Of the time in an answer: a second, and the way of the answer."""


class ReferenceClock:
    """Slack's clock: its last answer's, and what has passed since then by a clock that nobody sets."""

    def __init__(
        self, own_ms: Callable[[], int] = now_ms, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._own_ms = own_ms
        self._monotonic = monotonic
        self._reference: tuple[int, float] | None = None

    def note(self, reference_ms: int) -> None:
        """Take the time of an answer, in milliseconds since 1970, as HTTP tells it: without what is below a second."""
        behind_ms = self.now_ms() - reference_ms
        # of two answers within a second the one that tells of a later time is nearer to the truth
        if self._reference is None or not 0 <= behind_ms < PRECISION_MS:
            self._reference = reference_ms, self._monotonic()

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since 1970; by this machine's clock until there was an answer.

        Within what an answer leaves open, this machine's clock decides.
        """
        own_ms = self._own_ms()
        if self._reference is None:
            return own_ms
        reference_ms, noted = self._reference
        earliest_ms = reference_ms + int((self._monotonic() - noted) * 1000)
        return own_ms if 0 <= own_ms - earliest_ms < PRECISION_MS else earliest_ms

    def problem(self) -> str | None:
        """Return the sentence on a clock that is off; None for one that is right."""
        off_ms = self._own_ms() - self.now_ms()
        if abs(off_ms) <= TOLERATED_MS:
            return None
        direction = "ahead of" if off_ms > 0 else "behind"
        return (
            f"This machine's clock is {_in_words(abs(off_ms))} {direction} Slack's: set it right, "
            "for instance by NTP; until then times and days may be wrong."
        )


def _in_words(ms: int) -> str:
    for unit, unit_ms in (("days", 86_400_000), ("hours", 3_600_000)):
        if ms >= 2 * unit_ms:
            return f"{ms // unit_ms} {unit}"
    return f"{ms // 60_000} min"
