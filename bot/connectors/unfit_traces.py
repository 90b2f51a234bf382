"""Traces that no judge can judge as they were read: they are read some more times, since a part may come late."""

from collections import Counter
from collections.abc import Iterable

MAX_READS = 5
"""Times that such a trace is read."""
MAX_REMEMBERED = 10_000
"""Such traces that are remembered; beyond them all are read again."""


class UnfitTraces:
    """Counts how often each was read, since the start."""

    def __init__(self) -> None:
        self._reads: Counter[str] = Counter()

    def note(self, trace_ids: Iterable[str]) -> None:
        """Note that these were read in vain."""
        if len(self._reads) >= MAX_REMEMBERED:
            self._reads.clear()
        self._reads.update(trace_ids)

    def is_given_up(self, trace_id: str) -> bool:
        """Return whether a trace was read so often that it is left alone."""
        return self._reads[trace_id] >= MAX_READS
