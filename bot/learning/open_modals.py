"""Modals in which people are answering just now: nobody is asked in the thread what a modal asks them already."""

import time
from collections.abc import Callable

MODAL_MINUTES = 5
"""Time after which a modal counts as left: Slack tells of a modal that is closed only where somebody closes it."""
_MODAL_MS = MODAL_MINUTES * 60_000


def _no_listener(_: str) -> None:
    return None


class OpenModals:
    """Notes which person has a modal open on which verdict. Kept in this process only: a restart forgets them."""

    def __init__(self, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._clock_ms = clock_ms
        self._opened_ms: dict[tuple[str, str], int] = {}
        """By person and verdict."""
        self.on_close: Callable[[str], None] = _no_listener
        """Called with the verdict's id when a modal on it is closed, so that its thread may be asked."""

    def opened(self, person: str, verdict_id: str) -> None:
        """Note that the person has a modal open on the verdict from now on."""
        self._drop_left()
        self._opened_ms[person, verdict_id] = self._clock_ms()

    def closed(self, person: str, verdict_id: str) -> None:
        """Note that the person's modal on the verdict was submitted or closed."""
        if self._opened_ms.pop((person, verdict_id), None) is not None:
            self.on_close(verdict_id)

    def open_until_ms(self, person: str, verdict_id: str) -> int | None:
        """Return when the person's modal counts as left, in milliseconds since 1970; None if none is open."""
        since = self._opened_ms.get((person, verdict_id))
        if since is None or since + _MODAL_MS <= self._clock_ms():
            return None
        return since + _MODAL_MS

    def _drop_left(self) -> None:
        now = self._clock_ms()
        self._opened_ms = {key: since for key, since in self._opened_ms.items() if since + _MODAL_MS > now}
