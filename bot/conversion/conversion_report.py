"""Sentences on what a conversion took for what."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.conversion.columns import ColumnReader
from bot.conversion.export_forms import EXPORT_FORMS
from bot.plain_text import pluralise
from memalign.records import Assessment

MAX_PLACES_SHOWN = 20
"""Places that a sentence on what was skipped names."""
_TITLES = {form.name: form.title for form in EXPORT_FORMS} | {
    "csv": "a table",
    "parquet": "a Parquet table",
    "json": "JSON objects",
}


@dataclass(slots=True, kw_only=True)
class ConversionReport:
    """Counts of a conversion."""

    traces: Counter[str] = field(default_factory=Counter)
    """By source."""
    own_lines: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    """By judge; empty: no judge is named."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Assessments that are no labels, by the kind of their source."""
    unselected: Counter[str] = field(default_factory=Counter)
    """Labels whose names were not asked for."""
    people: set[str] = field(default_factory=set)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    """Reason -> places."""
    without_trace: int = 0
    """Labels whose trace is in none of the files."""

    def skip(self, place: str, reason: str) -> None:
        """Note that something cannot be used."""
        self.skipped.setdefault(reason, []).append(place)

    def leave_out(self, assessment: Assessment) -> None:
        """Note an assessment that is no label."""
        kind = assessment.source_type.upper()
        if kind == "HUMAN":
            kind = "without a value" if assessment.valid else "overridden"
        self.left_out[kind or "of no source"] += 1

    def sentences(self, columns: ColumnReader) -> Iterator[str]:
        """Yield what was taken for what, and what was not."""
        yield from self._taken()
        yield from _columns({column: name for uses in columns.uses.values() for column, name in uses.items()})
        if columns.derived_ids:
            rows = pluralise(columns.derived_ids, "row")
            yield f"{rows} had no id; each got one made from its question and answer."
        if columns.unread_times:
            rows = pluralise(columns.unread_times, "row")
            yield f"{rows} had a time that cannot be read; write it as 2026-11-20 or 2026-11-20T09:00:00Z."
        yield from self._not_taken()

    def _taken(self) -> Iterator[str]:
        for source, number in self.traces.items():
            yield f"{pluralise(number, 'trace')} read from {_TITLES.get(source, source)}."
        if self.own_lines:
            yield f"{pluralise(self.own_lines, 'line')} passed through: trace lines already."
        if total := self.labels.total():
            people = f" by {pluralise(len(self.people), 'person', 'people')}" if self.people else ""
            yield f"{pluralise(total, 'label')}{people}: {_counts(self.labels, 'no judge named')}."
        elif self.traces:
            yield "No labels of people are in it."

    def _not_taken(self) -> Iterator[str]:
        if self.left_out:
            yield f"Left out, since no person stands by them or they say nothing: {_counts(self.left_out, '')}."
        if self.unselected:
            yield f"Left out, since --score names others: {_counts(self.unselected, 'no name')}."
        if self.without_trace:
            labels = pluralise(self.without_trace, "label")
            yield f"{labels} had no trace in these files; give the export of the traces beside that of the labels."
        for reason, places in self.skipped.items():
            shown = ", ".join(places[:MAX_PLACES_SHOWN])
            more = f" and {len(places) - MAX_PLACES_SHOWN} more" if len(places) > MAX_PLACES_SHOWN else ""
            yield f"{shown}{more}: skipped, {reason}"


def _counts(counter: Mapping[str, int], unnamed: str) -> str:
    return ", ".join(f"{name or unnamed} {number}" for name, number in counter.items())


def _columns(uses: Mapping[str, str]) -> Iterator[str]:
    if uses:
        yield f"Columns: {', '.join(f'{column} → {name}' for column, name in uses.items())}; others → metadata."
