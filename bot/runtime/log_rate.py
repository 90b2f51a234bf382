"""A limit on repeated warnings: a part that fails again and again must neither fill a disk nor hide other lines."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bot.runtime import health

WINDOW_SECONDS = 60.0
MAX_LINES_OF_ONE_TEXT = 1
"""In a window; further lines are counted."""
MAX_LINES_OF_ONE_KIND = 20
"""In a window, of lines that differ in what is filled in alone, such as the trace."""
MAX_KINDS = 1_000
"""Kinds and texts that are remembered at a time; beyond it those are forgotten whose window is over, or all."""
UNLIMITED_LOGGERS = {health.__name__}
"""Loggers of which each line is kept: people are told an error id and look for it in the log."""


@dataclass(slots=True, kw_only=True)
class _Window:
    began: float
    lines: int = 0
    left_out: int = 0


class RepeatFilter(logging.Filter):
    """Lets a repeated warning or error through once a minute, with the number of those left out.

    Args:
        clock: the time now in seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[Hashable, _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written; a count is added to its text where others were left out."""
        if record.levelno < logging.WARNING or record.name in UNLIMITED_LOGGERS:
            return True
        text = record.getMessage()
        with self._lock:
            left_out = self._take(record.name, str(record.msg), text)
        if left_out is None:
            return False
        if left_out:
            record.msg, record.args = f"{text} ({left_out} more like this were left out)", ()
        return True

    def _take(self, name: str, kind: str, text: str) -> int | None:
        """Return how many lines were left out since the last one; None to leave this one out, too."""
        one_kind = self._window((name, kind))
        if one_kind.lines >= MAX_LINES_OF_ONE_KIND:  # its texts are not remembered: there may be any number
            one_kind.left_out += 1
            return None
        one_text = self._window((name, kind, text))
        if one_text.lines >= MAX_LINES_OF_ONE_TEXT:
            one_text.left_out += 1
            return None
        left_out = one_kind.left_out + one_text.left_out
        for window in (one_kind, one_text):
            window.lines, window.left_out = window.lines + 1, 0
        return left_out

    def _window(self, kind: Hashable) -> _Window:
        now = self._clock()
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            self._prune(now)
        window = self._windows.setdefault(kind, _Window(began=now))
        if now - window.began >= WINDOW_SECONDS:
            window.began, window.lines = now, 0
        return window

    def _prune(self, now: float) -> None:
        current = {
            kind: window for kind, window in self._windows.items() if now - window.began < WINDOW_SECONDS
        }
        self._windows = current if len(current) < MAX_KINDS else {}
