"""Windows of a day whose traces wait together for one card, and its choice."""

from collections.abc import Sequence
from dataclasses import replace

from memalign.records import Trace
from storage.queue import LONGEST_WAIT_MS
from storage.records import Candidate, CandidateWindow, NewCard
from storage.repository import Repository, Store, reads, writes
from storage.traces import Traces
from storage.verdicts import Verdicts


class Candidates(Repository):
    """Windows and their candidates. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces, verdicts: Verdicts) -> None:
        super().__init__(store)
        self._pool = traces.candidates
        self._traces = traces
        self._verdicts = verdicts

    @reads
    def ranks(self, window: CandidateWindow) -> list[float]:
        """Return the ranks of a window's candidates, the smallest first."""
        return [each.rank for each in self._pool.of_window(window)]

    @reads
    def due(self, now_ms: int) -> list[CandidateWindow]:
        """Return the windows that have ended and are not put off, the earliest end first."""
        return [
            each for each in self._pool.windows_ending(high_ms=now_ms + 1) if not _is_put_off(each, now_ms)
        ]

    @reads
    def open_windows(self, now_ms: int) -> list[CandidateWindow]:
        """Return the windows that end later, the earliest end first."""
        return self._pool.windows_ending(now_ms + 1)

    @reads
    def oldest_ended(self, now_ms: int) -> list[CandidateWindow]:
        """Return of each judge the window that has waited longest since its end, put off or not."""
        oldest: dict[str, CandidateWindow] = {}
        for window in self._pool.windows_ending(high_ms=now_ms + 1):
            oldest.setdefault(window.judge, window)
        return list(oldest.values())

    @reads
    def number_undrawn(self, judge: str, now_ms: int) -> int:
        """Return how many windows of a judge have ended and had no chance of a card yet, those put off included."""
        windows = self._pool.windows_of_judge(judge)
        return sum(each.end_ms <= now_ms and each.chance is None for each in windows)

    @reads
    def chances(self, judge: str, day: str) -> float:
        """Return the sum of the chances of a card that a judge's windows have had on a day such as `2026-11-20`."""
        return self._pool.find_chances(judge, day)

    @writes
    def draw(self, window: CandidateWindow, day: str, chance: float, *, is_drawn: bool) -> None:
        """Note the chance that a window had on a day, and that it was drawn for a card; delete it where it was not."""
        self._pool.add_chance(window.judge, day, chance)
        if not is_drawn:
            self._delete(window)
        elif known := self._pool.find_window(window):
            self._pool.put_window(replace(known, chance=chance))

    @reads
    def of_window(self, window: CandidateWindow) -> list[tuple[Trace, Candidate]]:
        """Return a window's candidates, each with its trace."""
        found = ((self._traces.find(each.trace_id), each) for each in self._pool.of_window(window))
        return [(trace, candidate) for trace, candidate in found if trace is not None]

    @reads
    def contains(self, trace_id: str, judge: str) -> bool:
        """Return whether a trace is a candidate still: it was neither forgotten, nor let go by a pause."""
        return self._pool.contains(trace_id, judge)

    @writes
    def close(self, window: CandidateWindow, cards: Sequence[NewCard] = ()) -> int:
        """Store the cards that a window is given, and delete it; of traces that nobody holds only hashes stay.

        Returns:
            The number of cards stored: of a trace that was forgotten, or let go by a pause, there is none.
        """
        # a trace that one judge let go may still be known to another
        known = [card for card in cards if self._pool.contains(card.verdict.trace_id, card.verdict.judge)]
        kept = sum([self._verdicts.add(card) for card in known])
        self._delete(window)
        return kept

    @writes
    def postpone(self, window: CandidateWindow, not_before_ms: int, reason: str) -> None:
        """Put a window off after a failed attempt; one that is gone stays gone."""
        if known := self._pool.find_window(window):
            attempts = known.attempts + 1
            self._pool.put_window(
                replace(known, attempts=attempts, not_before_ms=not_before_ms, reason=reason)
            )

    def delete_of_judge(self, judge: str) -> None:
        """Delete all windows of a judge; of traces that nobody else holds only hashes stay."""
        for window in self._pool.windows_of_judge(judge):
            self._delete(window)

    def _delete(self, window: CandidateWindow) -> None:
        for trace_id in self._pool.delete_window(window):
            self._traces.release(trace_id)


def _is_put_off(window: CandidateWindow, now_ms: int) -> bool:
    # not longer than anything may: the clock was ahead then
    return now_ms < window.not_before_ms < now_ms + LONGEST_WAIT_MS
