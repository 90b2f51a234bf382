"""Memory of a workspace's refusal of charts, which not every workspace knows yet."""

import time
from collections.abc import Callable

REFUSAL_SECONDS = 24 * 60 * 60.0
"""Time until a chart is tried again: Slack brings new blocks to workspaces one after the other."""


class ChartSupport:
    """Tells whether charts are worth a try; a restart tries again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds that never go back."""
        self._clock = clock
        self._refused_until = float("-inf")

    @property
    def is_refused(self) -> bool:
        """True for a day after a refusal."""
        return self._clock() < self._refused_until

    def note_refusal(self) -> None:
        """Note that the workspace took a message without its chart only."""
        self._refused_until = self._clock() + REFUSAL_SECONDS
