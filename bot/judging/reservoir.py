"""The smallest ranks of a window, as far as they are known: a trace whose rank is larger is no candidate. Pure."""

from bisect import bisect_left
from collections.abc import Iterable

from storage.candidate_pool import CANDIDATES_PER_WINDOW


class Reservoir:
    """The ranks of one window's candidates, so many as a window keeps.

    It may lag behind the store, which decides: then it lets a trace pass that the store turns away.
    """

    def __init__(self, ranks: Iterable[float] = ()) -> None:
        self._ranks = sorted(set(ranks))[:CANDIDATES_PER_WINDOW]

    @property
    def bound(self) -> float:
        """The rank below which a trace is a candidate; 1 while any is."""
        return self._ranks[-1] if len(self._ranks) == CANDIDATES_PER_WINDOW else 1.0

    def add(self, rank: float) -> None:
        """Note the rank of a trace that was stored; one that is known, or too large, changes nothing."""
        place = bisect_left(self._ranks, rank)
        if place == len(self._ranks) or self._ranks[place] != rank:
            self._ranks.insert(place, rank)
            del self._ranks[CANDIDATES_PER_WINDOW:]
