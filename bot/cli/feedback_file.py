"""JSONL files of feedback and traces, of which only the places of lines are held, so that they may have any length."""

from array import array
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from bot.cli.line_file import LineFile, parse_object
from bot.cli.verdict_lines import read_verdict
from bot.plain_text import pluralise
from bot.redaction.redactor import Redactor
from bot.trace_json.foreign_traces import foreign_shape
from bot.trace_json.trace_body import TraceIn, in_words, name_conflict, with_our_names
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.media import trace_without_media
from memalign.records import Assessment, Json, Label, Trace

_NO_LINE = -1


class LineIn(TraceIn):
    """A line of a feedback file; one without a label is just a trace."""

    judge: str | None = None
    """The judge that it is for; left out: any."""
    label: Any = None
    """The right value, as this person sees it."""
    rationale: str | None = None
    """The reason, in the person's words."""
    annotator: str | None = None
    """The person; without a name each line is another one."""

    def is_for_another(self, judge: Judge) -> bool:
        """Return whether the line is meant for other judges."""
        names = [self.judge] if self.judge is not None else self.judges or []
        return bool(names) and judge.name.strip().casefold() not in {
            name.strip().casefold() for name in names
        }


class FeedbackFile:
    """The traces of a file for one judge, in the order of their first lines.

    Each trace has the content of its last line and the labels of all its lines. Some 200 bytes are held for a trace.

    Args:
        lines: The file.
        judge: The judge; lines for others are passed over.
        redactor: Applied to each trace.
    """

    def __init__(self, lines: LineFile, judge: Judge, redactor: Redactor) -> None:
        self._lines = lines
        self._judge = judge
        self._redactor = redactor
        self._places: dict[str, int] = {}
        """Trace id -> its place among the traces."""
        self._first_numbers = array("q")
        """Place -> number of the trace's first line."""
        self._last_lines = array("q")
        """Place -> index of the trace's last line in the two arrays of lines."""
        self._offsets = array("q")
        """Line -> its place in the file."""
        self._lines_before = array("q")
        """Line -> the line before it of the same trace."""
        self._labelled = bytearray()
        """Place -> 1 if people have labelled the trace."""
        self._verdicts: dict[str, int] = {}
        """Trace id -> place in the file of the judge's own verdict, which the labels on the trace answer."""

    @property
    def places(self) -> Mapping[str, int]:
        """The place of each trace among the traces, by id."""
        return self._places

    @property
    def trace_ids(self) -> KeysView[str]:
        """The ids of the traces, in order."""
        return self._places.keys()

    @property
    def labelled_ids(self) -> Iterator[str]:
        """The ids of the traces that people have labelled, in order."""
        return (trace_id for trace_id, place in self._places.items() if self._labelled[place])

    @property
    def labelled_traces(self) -> int:
        """The number of traces that people have labelled."""
        return self._labelled.count(1)

    def first_number(self, trace_id: str) -> int:
        """Return the number of a trace's first line."""
        return self._first_numbers[self._places[trace_id]]

    def scan(self, complain: Callable[[str], None], advance: Callable[[], None]) -> None:
        """Read the file once, check its lines, and keep where they are.

        Args:
            complain: Called with a sentence for each line that cannot be used, and with one for those of other judges.
            advance: Called for each line.
        """
        others = 0
        for line in self._lines:
            advance()
            try:
                if line.content.strip() and not self._scan(line.number, line.offset, line.content):
                    others += 1
            except InputError as error:
                complain(f"line {line.number} was skipped: {error}")
        if others:
            complain(f"Skipped {pluralise(others, 'line')} for other judges.")

    def traces(self, trace_ids: Iterable[str]) -> Iterator[Trace]:
        """Yield some of the traces, each read when it is asked for. Raises `InputError` if the file has changed."""
        for trace_id in trace_ids:
            try:
                yield self._trace(trace_id)
            except InputError as error:
                raise InputError(
                    f"{self._lines.name} changed while it was read: its line on {trace_id} is another one now "
                    f"({error}); run the same command again."
                ) from error

    def _scan(self, number: int, offset: int, content: bytes) -> bool:
        """Note where a line is; False if it is meant for other judges. Raises `InputError` if it cannot be used."""
        document = parse_object(content)
        if (verdict := read_verdict(document)) is not None:
            if verdict.is_of(self._judge):
                self._verdicts[verdict.trace_id] = offset
            return True
        line = _parse(document)
        if line.is_for_another(self._judge):
            return False
        self._judge.select_fields(line.trace())
        if line.label is not None:
            self._judge.value_type.parse(line.label)
        self._add(line, number, offset)
        return True

    def _add(self, line: LineIn, number: int, offset: int) -> None:
        place = self._places.setdefault(line.trace_id, len(self._places))
        if place == len(self._first_numbers):
            self._first_numbers.append(number)
            self._last_lines.append(_NO_LINE)
            self._labelled.append(0)
        self._lines_before.append(self._last_lines[place])
        self._last_lines[place] = len(self._offsets)
        self._offsets.append(offset)
        self._labelled[place] |= line.label is not None

    def _trace(self, trace_id: str) -> Trace:
        lines = [self._read(offset, trace_id) for offset in self._line_offsets(trace_id)]
        labelled = [line for line in lines if line.label is not None]
        assessments = [_assessment(line, self._judge, before) for before, line in enumerate(labelled)]
        if labelled and trace_id in self._verdicts:
            assessments.append(self._verdict(trace_id))
        trace = replace(lines[-1].trace(), assessments=tuple(assessments))
        return self._redactor.trace(trace_without_media(trace))

    def _line_offsets(self, trace_id: str) -> Sequence[int]:
        """Return where the lines of a trace are, in their order."""
        offsets, line = [], self._last_lines[self._places[trace_id]]
        while line != _NO_LINE:
            offsets.append(self._offsets[line])
            line = self._lines_before[line]
        return offsets[::-1]

    def _read(self, offset: int, trace_id: str) -> LineIn:
        line = _parse(parse_object(self._lines.at(offset)))
        if line.trace_id != trace_id:
            raise InputError(f"it is on {line.trace_id}")
        return line

    def _verdict(self, trace_id: str) -> Assessment:
        verdict = read_verdict(parse_object(self._lines.at(self._verdicts[trace_id])))
        if verdict is None or verdict.trace_id != trace_id:
            raise InputError("it is no verdict")
        return verdict.assessment()


def _parse(document: Mapping[str, Json]) -> LineIn:
    if reason := foreign_shape(document) or name_conflict(document):
        raise InputError(reason)
    try:
        return LineIn.model_validate(with_our_names(document))
    except ValidationError as error:
        raise InputError(in_words(error)) from None


def _assessment(line: LineIn, judge: Judge, labels_before: int) -> Assessment:
    """Return a line's label in the form in which a trace holds it."""
    label: Label = judge.value_type.parse(line.label)
    return Assessment(
        name=judge.name,
        value=label,
        rationale=line.rationale,
        # without a name each line counts as another person: equal names would be one person changing their mind
        source_id=line.annotator or f"unnamed {labels_before + 1} on {line.trace_id}",
        create_time_ms=_ms(line.timestamp),
    )


def _ms(stamp: str | None) -> int | None:
    """Return milliseconds since 1970; a time without a zone is UTC."""
    if stamp is None:
        return None
    time = datetime.fromisoformat(stamp)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
