"""Conversion of exports, file by file: each row is read, its traces are written as lines, labels join their traces."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from bot.conversion.columns import ColumnReader
from bot.conversion.conversion_report import ConversionReport
from bot.conversion.export_files import JSON, kind_of, rows_of
from bot.conversion.export_forms import form_of, named_form
from bot.conversion.json_rows import require_object
from bot.conversion.own_lines import OWN
from bot.conversion.records import Document, ExportForm, OwnLine, Part, Row, SeparateLabel, TraceSpan
from bot.conversion.separate_labels import SeparateLabels
from bot.conversion.span_groups import SpanGroups
from bot.conversion.trace_lines import lines_of, person_labels
from bot.runtime.health import unexpected
from bot.trace_json.trace_body import refusal_of
from memalign.errors import InputError
from memalign.records import Json, Trace

Line = dict[str, Json]
ROWS_LOOKED_AT = 20
"""Rows of a file by which it is known to hold labels."""


@dataclass(slots=True, kw_only=True)
class Conversion:
    """A conversion of some files."""

    source: str | None = None
    """As after `--from`; None: looked for in each row."""
    judge: str | None = None
    """The judge of all labels."""
    scores: frozenset[str] = frozenset()
    """Names of the labels that are taken; empty: all."""
    columns: ColumnReader = field(default_factory=ColumnReader)
    report: ConversionReport = field(default_factory=ConversionReport)
    groups: SpanGroups = field(default_factory=SpanGroups)
    labels: SeparateLabels = field(default_factory=SeparateLabels)

    def lines(self, files: Sequence[Path]) -> Iterator[Line]:
        """Yield the lines of the files. Raises `InputError`, `SettingsError`."""
        for file in self._labels_first(files):
            prefix = f"{file}, " if len(files) > 1 else ""
            kind = kind_of(file)
            for row in rows_of(file):
                yield from self._row_lines(replace(row, place=prefix + row.place), kind)
        for trace_id in self.groups.trace_ids:
            yield from self._group_lines(trace_id)
        self.report.without_trace = self.labels.count

    def _group_lines(self, trace_id: str) -> Iterator[Line]:
        try:
            yield from self._trace_lines(*self.groups.take(trace_id), f"trace {trace_id}")
        except Exception:  # a bug on one trace must not lose the others
            self.report.skip(f"trace {trace_id}", unexpected("converting a trace"))

    def _labels_first(self, files: Sequence[Path]) -> Sequence[Path]:
        """Return files of labels before those of traces, which need not be kept until their labels are known."""
        return sorted(files, key=lambda each: not self._holds_labels(each)) if len(files) > 1 else files

    def _holds_labels(self, file: Path) -> bool:
        """Return whether the first row of a file that can be read is a label."""
        for row in islice(rows_of(file), ROWS_LOOKED_AT):
            try:
                parts = self._parts(row, kind_of(file), ColumnReader(named=self.columns.named))[1]
                return isinstance(next(parts, None), SeparateLabel)
            except InputError:
                continue
        return False

    def _row_lines(self, row: Row, kind: str) -> Iterator[Line]:
        try:
            source, parts = self._parts(row, kind, self.columns)
            for part in parts:
                yield from self._part_lines(part, source, row.place)
        except InputError as error:
            self.report.skip(row.place, str(error))
        except Exception:  # a bug on one row must not lose the others
            self.report.skip(row.place, unexpected("converting a row"))

    def _parts(self, row: Row, kind: str, columns: ColumnReader) -> tuple[str, Iterator[Part]]:
        """Return the source of a row, and its parts. Raises `InputError`."""
        if row.problem:
            raise InputError(row.problem)
        document = require_object(row.value)
        form = self._form(document, kind)
        return (kind, columns.read(document)) if form is None else (form.name, form.read(document))

    def _form(self, document: Document, kind: str) -> ExportForm | None:
        """Return the form of a row; None where its columns say what it holds."""
        if self.source or self.columns.named:
            return named_form(self.source or "")
        form = form_of(document)
        # a table with our names holds texts, not yet our values
        return None if form is OWN and kind != JSON else form

    def _part_lines(self, part: Part, source: str, place: str) -> Iterable[Line]:
        match part:
            case Trace():
                return self._trace_lines(part, source, place)
            case OwnLine():
                return [self._own_line(part.document)]
            case TraceSpan():
                self.groups.add(part, source)
            case SeparateLabel():
                self.labels.add(part)
        return ()

    def _own_line(self, document: Document) -> Line:
        if reason := refusal_of(document):
            raise InputError(reason)
        self.report.own_lines += 1
        if document.get("label") is None:
            return dict(document)
        line = dict(document) | ({"judge": self.judge} if self.judge else {})
        self.report.labels[str(line.get("judge") or "")] += 1
        return line

    def _trace_lines(self, trace: Trace, source: str, place: str) -> Iterator[Line]:
        ids = (trace.trace_id, *self.groups.span_ids.pop(trace.trace_id, ()))
        separate = self.labels.take(ids)
        trace = self._with_selected_labels(replace(trace, assessments=(*trace.assessments, *separate)))
        try:
            yield from lines_of(trace, source, self.judge)
        except InputError as error:
            self.report.skip(place, str(error))
            return
        self.report.traces[source] += 1
        for label in person_labels(trace):
            self.report.labels[self.judge or label.name] += 1
            self.report.people.update([label.source_id] if label.source_id else [])

    def _with_selected_labels(self, trace: Trace) -> Trace:
        """Return the trace with the labels that count; the report tells of the others."""
        people = person_labels(trace)
        for each in trace.assessments:
            if each not in people:
                self.report.leave_out(each)
        for each in people:
            if self.scores and each.name not in self.scores:
                self.report.unselected[each.name] += 1
        selected = [each for each in people if not self.scores or each.name in self.scores]
        return replace(trace, assessments=selected)
