"""A file of feedback lines as traces with the labels of people."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLabel:
    """A person's label on a trace, for one judge."""

    judge: str
    person: str
    value: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrace:
    """A trace and all labels on it."""

    trace_id: str
    inputs: Json
    outputs: Json
    labels: tuple[RecordedLabel, ...]

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges that people labelled it for, in order of their names."""
        return tuple(sorted({label.judge for label in self.labels}))

    def as_json(self) -> Json:
        """Return the body for `POST /traces`."""
        return {
            "trace_id": self.trace_id,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "judges": list(self.judges),
        }


def read_recording(file: Path, judges: Sequence[str] = ()) -> list[RecordedTrace]:
    """Read a file of feedback lines.

    Args:
        file: the file.
        judges: the judges whose labels are read; none for all.

    Returns:
        The traces in the order of their first lines. A person without a name is called by the place of their label
        among those on the trace.
    """
    with file.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    by_trace: dict[str, list[Json]] = {}
    for record in records:
        if not judges or record["judge"] in judges:
            by_trace.setdefault(record["trace_id"], []).append(record)
    return [_trace(trace_id, group) for trace_id, group in by_trace.items()]


def _trace(trace_id: str, records: Sequence[Json]) -> RecordedTrace:
    return RecordedTrace(
        trace_id=trace_id,
        inputs=records[0]["inputs"],
        outputs=records[0]["outputs"],
        labels=tuple(_labels(records)),
    )


def _labels(records: Sequence[Json]) -> Iterable[RecordedLabel]:
    places: dict[str, int] = {}
    for record in records:
        judge = record["judge"]
        places[judge] = places.get(judge, 0) + 1
        person = record.get("annotator") or f"reader_{places[judge]}"
        yield RecordedLabel(
            judge=judge,
            person=person.lower().replace(" ", "_"),
            value=bool(record["label"]),
            reason=record.get("rationale") or "",
        )
