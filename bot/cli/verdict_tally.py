"""Counts of the verdicts on a file of traces, by value; a byte is held for a trace, however many there are."""

from collections import Counter
from collections.abc import Collection, Mapping

from bot.plain_text import format_label_plain
from bot.visible_text import visible_line
from memalign.records import Json

MAX_VALUES_COUNTED = 1_000
"""Different values that are counted each by itself: free texts and numbers may all differ. Set by hand."""
OF_OTHERS = -1
"""Place of a verdict of another judge, or on none of the traces: before all traces."""


class VerdictTally:
    """The verdicts of one judge on the traces of a file.

    Args:
        judge: The judge's name.
        places: The place of each trace in the order of the file, by id.
        labelled: The ids of traces whose values are to be known.
    """

    def __init__(self, judge: str, places: Mapping[str, int], labelled: Collection[str]) -> None:
        self.by_value: Counter[str] = Counter()
        """The number of verdicts by value, in words; of the first `MAX_VALUES_COUNTED` values."""
        self.of_further_values = 0
        """The number of verdicts with any other value."""
        self.labelled_values: dict[str, Json] = {}
        """Values of the verdicts on labelled traces, by trace id."""
        self.is_in_order = True
        """False if a verdict stands behind one on a later trace."""
        self._judge = judge
        self._places = places
        self._labelled = labelled
        self._is_judged = bytearray(len(places))
        self._last_place = OF_OTHERS

    @property
    def judged(self) -> int:
        """The number of the traces that have a verdict."""
        return self._is_judged.count(1)

    def has(self, trace_id: str) -> bool:
        """Return True if the trace has a verdict."""
        return bool(self._is_judged[self._places[trace_id]])

    def place_of(self, line: Mapping[str, Json]) -> int:
        """Return the place of a verdict's trace; `OF_OTHERS` where it is of another judge or on another trace."""
        return self._places.get(line["trace_id"], OF_OTHERS) if line["judge"] == self._judge else OF_OTHERS

    def add(self, line: Mapping[str, Json]) -> None:
        """Count a verdict; of several on one trace the first."""
        place = self.place_of(line)
        self.is_in_order = self.is_in_order and place >= self._last_place
        self._last_place = place
        if place == OF_OTHERS or self._is_judged[place]:
            return
        self._is_judged[place] = 1
        value = visible_line(format_label_plain(line["value"]))
        if value in self.by_value or len(self.by_value) < MAX_VALUES_COUNTED:
            self.by_value[value] += 1
        else:
            self.of_further_values += 1
        if line["trace_id"] in self._labelled:
            self.labelled_values[line["trace_id"]] = line["value"]
