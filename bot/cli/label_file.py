"""People's labels in a JSONL file, which verdicts are compared with: one for each trace, that of most people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from bot.cli.line_file import FileLine, parse_object
from bot.cli.verdict_lines import read_verdict
from bot.plain_text import pluralise
from bot.reports.verdict_label import majority
from bot.trace_json.trace_body import in_words
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.records import Json, Label

OTHER_TYPES = {"trace", "guideline", "episode"}
"""Lines of an export that hold no label."""


class LabelIn(BaseModel):
    """A line with a label; keys beyond these, such as the trace's content, are not needed."""

    model_config = ConfigDict(extra="ignore", strict=True)

    trace_id: str = Field(validation_alias=AliasChoices("trace_id", "id"))
    judge: str | None = None
    judges: list[str] | None = None
    label: Any = None
    annotator: str | None = None
    timestamp: str | None = None
    vote: str | None = None

    def is_for(self, judge: Judge) -> bool:
        """Return whether the line is for this judge, or names none."""
        names = [self.judge] if self.judge is not None else self.judges or []
        return not names or judge.name.strip().casefold() in {name.strip().casefold() for name in names}

    def time(self) -> datetime:
        """Return when the label was given; one without a time is the oldest. Raises `InputError`."""
        if self.timestamp is None:
            return datetime.min.replace(tzinfo=UTC)
        try:
            time = datetime.fromisoformat(self.timestamp)
        except ValueError:
            raise InputError("timestamp: expected ISO 8601, such as 2026-11-20T09:00:00Z") from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class LabelFile:
    """Labels for one judge."""

    votes: dict[str, dict[str, tuple[datetime, Label]]] = field(default_factory=dict)
    """Trace id -> annotator -> the annotator's newest label."""
    unnamed: set[str] = field(default_factory=set)
    """Traces on which somebody says that a verdict is wrong, without the right value."""
    skipped: dict[int, str] = field(default_factory=dict)
    """Line number -> why the line cannot be used."""
    others: int = 0
    """Number of lines meant for other judges."""

    def complaints(self, file: Path) -> Iterator[str]:
        """Yield a sentence for each line that was skipped, and one for those of other judges."""
        for number, reason in self.skipped.items():
            yield f"line {number} of {file} was skipped: {reason}"
        if self.others:
            yield f"Skipped {pluralise(self.others, 'line')} of {file} for other judges."

    @property
    def labels(self) -> Mapping[str, Label]:
        """The label of most people by trace, without those on which people tie."""
        most = {trace_id: _majority(votes) for trace_id, votes in self.votes.items()}
        return {trace_id: label for trace_id, label in most.items() if label is not None}

    @property
    def tied(self) -> set[str]:
        """The traces on which people tie."""
        return self.votes.keys() - self.labels.keys()

    @property
    def without_value(self) -> set[str]:
        """The traces of which nobody named the right value."""
        return self.unnamed - self.votes.keys()


def read_labels(lines: Iterable[FileLine], judge: Judge) -> LabelFile:
    """Gather the labels of each trace."""
    labels = LabelFile()
    for line in lines:
        if not line.content.strip():
            continue
        try:
            document = parse_object(line.content)
            if document.get("type") not in OTHER_TYPES and read_verdict(document) is None:
                _add(labels, line.number, _parse(document), judge)
        except InputError as error:
            labels.skipped[line.number] = str(error)
    return labels


def _parse(document: Mapping[str, Json]) -> LabelIn:
    try:
        return LabelIn.model_validate(document)
    except ValidationError as error:
        raise InputError(in_words(error)) from None


def _add(labels: LabelFile, number: int, line: LabelIn, judge: Judge) -> None:
    """Add a line to its trace. Raises `InputError` if its label is none of the judge's."""
    if not line.is_for(judge):
        labels.others += 1
    elif line.label is None:
        labels.unnamed.update([line.trace_id] if line.vote == "down" else [])
    else:
        label, time = judge.value_type.parse(line.label), line.time()
        votes = labels.votes.setdefault(line.trace_id, {})
        # without a name each line counts as another person: equal names would be one person changing their mind
        annotator = line.annotator or f"unnamed, line {number}"
        if annotator not in votes or votes[annotator][0] <= time:
            votes[annotator] = (time, label)


def _majority(votes: Mapping[str, tuple[datetime, Label]]) -> Label | None:
    return majority([label for _, label in votes.values()])
