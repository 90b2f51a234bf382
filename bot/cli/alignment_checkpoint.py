"""Saving a judge on the way, so that a long alignment that is cut off goes on from there."""

import time
from pathlib import Path

from memalign.judges import AlignableJudge, AlignedJudge

SAVING_SHARE = 0.1
"""Most of the time that saving may take: a large memory takes seconds to write. Set by hand."""


class Checkpoint:
    """The file in which a judge is saved.

    Args:
        file: The file; it is replaced each time, whole or not at all.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved: AlignedJudge | None = None
        self._due = 0.0

    def save_if_due(self, judge: AlignableJudge | AlignedJudge) -> None:
        """Save a judge that has learned something, unless the last saving was too short ago."""
        if isinstance(judge, AlignedJudge) and time.monotonic() >= self._due:
            self.save(judge)

    def save(self, judge: AlignedJudge) -> None:
        """Save a judge that is not saved yet. Raises `InputError` if the file cannot be written."""
        if judge is self._saved:
            return
        start = time.monotonic()
        judge.save(self._file)
        end = time.monotonic()
        self._saved, self._due = judge, end + (end - start) / SAVING_SHARE
