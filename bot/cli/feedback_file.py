"""JSONL files of feedback and traces: read line by line, so that a bad line harms no other."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.ingest.http import TraceIn, in_words
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.records import Assessment, Json, Label, Trace


class LineIn(TraceIn):
    """A line of a feedback file; one without a label is just a trace."""

    judge: str | None = None
    label: Any = None
    rationale: str | None = None
    annotator: str | None = None


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a file holds for one judge."""

    traces: dict[str, Trace] = field(default_factory=dict)
    """By trace id, in the order of the file, with all assessments that lines of the trace give."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Trace id -> the number of its first line."""
    bad: dict[int, str] = field(default_factory=dict)
    """Line number -> why the line cannot be used."""
    others: int = 0
    """Lines meant for other judges."""


def read_lines(file: Path, judge: Judge) -> Reading:
    """Gather the lines of each trace. Raises `InputError` when the file cannot be read."""
    reading = Reading()
    for number, line in numbered(file):
        if not line.strip():
            continue
        try:
            said = _line(line)
            if _for_another(said, judge):
                reading.others += 1
            else:
                _take(reading, number, said, judge)
        except InputError as error:
            reading.bad[number] = str(error)
    return reading


def numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    """The file's lines with their numbers, from 1. Raises `InputError` when it cannot be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); give a JSONL file.") from error
    # not str.splitlines: JSON texts may hold line separators of Unicode's
    return enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True), start=1)


def object_in(line: bytes) -> dict[str, Json]:
    """The line's JSON object. Raises `InputError`."""
    try:
        document = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise InputError("it is no JSON object")
    return document


def _line(line: bytes) -> LineIn:
    try:
        return LineIn.model_validate(object_in(line))
    except ValidationError as error:
        raise InputError(in_words(error)) from None


def _for_another(said: LineIn, judge: Judge) -> bool:
    meant = [said.judge] if said.judge is not None else said.judges or []
    return bool(meant) and judge.name.strip().casefold() not in {name.strip().casefold() for name in meant}


def _take(reading: Reading, number: int, said: LineIn, judge: Judge) -> None:
    """Raises `InputError` when the judge cannot do anything with the line."""
    judge.select_fields(said.trace())
    known = reading.traces.get(said.trace_id)
    so_far = known.assessments if known else ()
    more = () if said.label is None else (_assessment(said, judge, so_far),)
    reading.numbers.setdefault(said.trace_id, number)
    reading.traces[said.trace_id] = replace(said.trace(), assessments=(*so_far, *more))


def _assessment(said: LineIn, judge: Judge, so_far: Sequence[Assessment]) -> Assessment:
    label: Label = judge.value_type.parse(said.label)
    return Assessment(
        name=judge.name,
        value=label,
        rationale=said.rationale,
        # nobody's name stands for somebody else on every line: votes count, and nobody seems to change their mind
        source_id=said.annotator or f"unnamed {len(so_far) + 1} on {said.trace_id}",
        create_time_ms=_ms(said.timestamp),
    )


def _ms(stamp: str | None) -> int | None:
    """Milliseconds since 1970; a time without a zone is UTC."""
    if stamp is None:
        return None
    moment = datetime.fromisoformat(stamp)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
