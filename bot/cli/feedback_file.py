"""JSONL files of feedback and traces, read line by line, so that a bad line harms no other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.cli.verdict_lines import read_verdict
from bot.ingest.foreign_traces import foreign_shape
from bot.ingest.trace_body import TraceIn, in_words, name_conflict, with_our_names
from bot.plain_text import pluralise
from bot.redaction.redactor import Redactor
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.media import trace_without_media
from memalign.records import Assessment, Json, Label, Trace
from memalign.surrogates import replace_surrogates


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


@dataclass(slots=True, kw_only=True)
class FeedbackLines:
    """Content of a file for one judge."""

    traces: dict[str, Trace] = field(default_factory=dict)
    """By trace id, in the order of the file, each with the assessments of all its lines."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Trace id -> the number of its first line."""
    skipped: dict[int, str] = field(default_factory=dict)
    """Line number -> why the line cannot be used."""
    others: int = 0
    """Number of lines meant for other judges."""
    verdicts: dict[str, Assessment] = field(default_factory=dict)
    """Trace id -> the judge's own verdict, which the labels on the trace answer."""

    def join_verdicts(self) -> None:
        """Put the verdicts on the traces that people have labelled."""
        for trace_id in self.verdicts.keys() & self.traces.keys():
            trace = self.traces[trace_id]
            if trace.assessments:
                assessments = (*trace.assessments, self.verdicts[trace_id])
                self.traces[trace_id] = replace(trace, assessments=assessments)

    def complaints(self) -> Iterator[str]:
        """Yield a sentence for each line that was skipped, and one for those of other judges."""
        for number, reason in self.skipped.items():
            yield f"line {number} was skipped: {reason}"
        if self.others:
            yield f"Skipped {pluralise(self.others, 'line')} for other judges."


def read_lines(file: Path, judge: Judge, redactor: Redactor) -> FeedbackLines:
    """Gather the lines of each trace, redacted. Raises `InputError` if the file cannot be read."""
    lines = FeedbackLines()
    for number, line in numbered_lines(file):
        if not line.strip():
            continue
        try:
            document = parse_object(line)
            if (verdict := read_verdict(document)) is not None:
                if verdict.is_of(judge):
                    lines.verdicts[verdict.trace_id] = verdict.assessment()
                continue
            line_in = _parse(document)
            if _is_for_another(line_in, judge):
                lines.others += 1
            else:
                _add(lines, number, line_in, judge)
        except InputError as error:
            lines.skipped[number] = str(error)
    lines.join_verdicts()
    for trace_id, trace in lines.traces.items():
        lines.traces[trace_id] = redactor.trace(trace_without_media(trace))
    return lines


def numbered_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Return the file's lines with their numbers, from 1. Raises `InputError` if it cannot be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); give a JSONL file.") from error
    # not str.splitlines: JSON texts may hold Unicode's line separators
    return enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True), start=1)


def parse_object(line: bytes) -> dict[str, Json]:
    """Return the line's JSON object. Raises `InputError`."""
    try:
        document = replace_surrogates(json.loads(line.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise InputError("it is no JSON object")
    return document


def _parse(document: Mapping[str, Json]) -> LineIn:
    if reason := foreign_shape(document) or name_conflict(document):
        raise InputError(reason)
    try:
        return LineIn.model_validate(with_our_names(document))
    except ValidationError as error:
        raise InputError(in_words(error)) from None


def _is_for_another(line: LineIn, judge: Judge) -> bool:
    names = [line.judge] if line.judge is not None else line.judges or []
    return bool(names) and judge.name.strip().casefold() not in {name.strip().casefold() for name in names}


def _add(lines: FeedbackLines, number: int, line: LineIn, judge: Judge) -> None:
    """Add a line to its trace. Raises `InputError` if the judge cannot use it."""
    judge.select_fields(line.trace())
    known = lines.traces.get(line.trace_id)
    so_far = known.assessments if known else ()
    more = () if line.label is None else (_assessment(line, judge, so_far),)
    lines.numbers.setdefault(line.trace_id, number)
    lines.traces[line.trace_id] = replace(line.trace(), assessments=(*so_far, *more))


def _assessment(line: LineIn, judge: Judge, so_far: Sequence[Assessment]) -> Assessment:
    label: Label = judge.value_type.parse(line.label)
    return Assessment(
        name=judge.name,
        value=label,
        rationale=line.rationale,
        # without a name each line counts as another person: equal names would be one person changing their mind
        source_id=line.annotator or f"unnamed {len(so_far) + 1} on {line.trace_id}",
        create_time_ms=_ms(line.timestamp),
    )


def _ms(stamp: str | None) -> int | None:
    """Return milliseconds since 1970; a time without a zone is UTC."""
    if stamp is None:
        return None
    time = datetime.fromisoformat(stamp)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
