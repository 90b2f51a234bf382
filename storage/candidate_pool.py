"""Candidates for cards: of each window the traces with the smallest ranks, which are a uniform sample of all it saw.

Bottom-k sampling: E. Cohen and H. Kaplan, "Summarizing Data using Bottom-k Sketches", PODC 2007. Ranks are hashes, so
that nothing is drawn anew after a crash.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form, form_of
from storage.documents import Document, Documents
from storage.keys import LAST, below, key, parts_of, stamp
from storage.records import Candidate, CandidateWindow

CANDIDATES_PER_WINDOW = 8


class CandidatePool:
    """The tables of candidates and windows, for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._candidates = documents.declare("candidates", {"window": _by_window}, form=form_of(Candidate))
        self._windows = documents.declare(
            "candidate_windows", {"end": _by_end}, form=form_of(CandidateWindow)
        )
        self._chances = documents.declare("window_chances", form=fields_form(total=float))

    def __len__(self) -> int:
        return len(self._candidates)

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Add candidates, to be followed by `count_seen`, which evicts those of their windows that are too many."""
        for candidate in candidates:
            place = key(candidate.trace_id, candidate.judge)
            self._candidates.insert(Document(to_document(candidate), place))

    def count_seen(self, seen: Iterable[Candidate]) -> list[str]:
        """Count new traces as seen by their windows, also those that are no candidates for good.

        Returns:
            The ids of the traces that are candidates no more, since others have smaller ranks.
        """
        evicted: list[str] = []
        numbers = Counter(
            CandidateWindow(judge=each.judge, start_ms=each.window_start_ms, end_ms=each.window_end_ms)
            for each in seen
        )
        for window, number in numbers.items():
            known = self._windows.get(doc_id=_id_of(window)) or to_document(window)
            self._windows.upsert(Document({**known, "seen": known["seen"] + number}, _id_of(window)))
            too_many = self.ids_of(window)[CANDIDATES_PER_WINDOW:]
            self._candidates.remove(doc_ids=too_many)
            evicted += [parts_of(each)[0] for each in too_many]
        return evicted

    def ids_of(self, window: CandidateWindow) -> list[str]:
        """Return the ids of a window's candidates by rank, the smallest first."""
        return self._candidates.ids(*_bounds_of(window), index="window")

    def of_window(self, window: CandidateWindow) -> list[Candidate]:
        """Return a window's candidates by rank, the smallest first."""
        bodies = self._candidates.range(*_bounds_of(window), index="window")
        return [from_document(Candidate, body) for body in bodies]

    def windows_ending(self, low_ms: int = 0, high_ms: int | None = None) -> list[CandidateWindow]:
        """Return the windows that end from `low_ms` up to, but without, `high_ms`, the earliest end first."""
        high = LAST if high_ms is None else stamp(high_ms)
        bodies = self._windows.range(stamp(low_ms), high, index="end")
        return [from_document(CandidateWindow, body) for body in bodies]

    def windows_of_judge(self, judge: str) -> list[CandidateWindow]:
        """Return all windows of a judge, the earliest end first."""
        return [from_document(CandidateWindow, body) for body in self._windows.range(*below(judge))]

    def find_window(self, window: CandidateWindow) -> CandidateWindow | None:
        """Return the state of a window, if it is there."""
        body = self._windows.get(doc_id=_id_of(window))
        return None if body is None else from_document(CandidateWindow, body)

    def put_window(self, window: CandidateWindow) -> None:
        """Store the new state of a window."""
        self._windows.upsert(Document(to_document(window), _id_of(window)))

    def find_chances(self, judge: str, day: str) -> float:
        """Return the sum of the chances of a card that a judge's windows have had on a day."""
        body = self._chances.get(doc_id=key(judge, day))
        return 0.0 if body is None else float(body["total"])

    def add_chance(self, judge: str, day: str, chance: float) -> None:
        """Add a window's chance to those of the day; those of earlier days are dropped."""
        place = key(judge, day)
        self._chances.remove(doc_ids=self._chances.ids(below(judge)[0], place))
        self._chances.upsert(Document({"total": self.find_chances(judge, day) + chance}, place))

    def delete_window(self, window: CandidateWindow) -> list[str]:
        """Delete a window with its candidates; returns the ids of their traces."""
        candidate_ids = self._candidates.remove(doc_ids=self.ids_of(window))
        self._windows.remove(doc_ids=[_id_of(window)])
        return [parts_of(each)[0] for each in candidate_ids]

    def contains(self, trace_id: str, judge: str) -> bool:
        """Return whether a trace is a candidate for a judge."""
        return self._candidates.contains(doc_id=key(trace_id, judge))

    def has_trace(self, trace_id: str) -> bool:
        """Return whether a trace is a candidate for any judge."""
        return bool(self._candidates.ids(*below(trace_id), limit=1))

    def delete_trace(self, trace_id: str) -> None:
        """Take a trace off the candidates."""
        self._candidates.remove(doc_ids=self._candidates.ids(*below(trace_id)))


def _id_of(window: CandidateWindow) -> str:
    return key(window.judge, stamp(window.end_ms), stamp(window.start_ms))


def _bounds_of(window: CandidateWindow) -> tuple[str, str]:
    return below(window.judge, stamp(window.end_ms), stamp(window.start_ms))


def _by_window(body: Mapping[str, Json]) -> Iterable[str]:
    end, start = stamp(body["window_end_ms"]), stamp(body["window_start_ms"])
    # from 0 up to, but without, 1: as text they sort as numbers do
    return [key(body["judge"], end, start, f"{body['rank']:.17f}", body["trace_id"])]


def _by_end(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(stamp(body["end_ms"]), body["judge"], stamp(body["start_ms"]))]
