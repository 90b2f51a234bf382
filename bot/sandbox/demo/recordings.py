"""Recorded judgements of real people, brought along for the demo."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from memalign.records import Json

JUDGE = "answers_the_question"
INSTRUCTIONS = (
    "Does the passage answer the question that was asked? "
    "Question: {{ inputs }} Passage that was given as the answer: {{ outputs }}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFeedback:
    """What one recorded person said of one trace."""

    annotator: str
    """A pseudonym: a place in the order of ratings, not a person."""
    label: bool
    rationale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A trace with what people said of it."""

    trace_id: str
    inputs: Json
    outputs: Json
    said: tuple[RecordedFeedback, ...]

    @property
    def label(self) -> bool | None:
        """What most of them said; None at a tie."""
        ayes = sum(one.label for one in self.said)
        noes = len(self.said) - ayes
        return None if ayes == noes else ayes > noes

    def as_trace(self) -> dict[str, Json]:
        """In the form of `POST /traces`."""
        return {"trace_id": self.trace_id, "inputs": self.inputs, "outputs": self.outputs}


def recordings() -> tuple[Recording, ...]:
    """All recorded traces, in the order of the file."""
    text = (files("bot.sandbox.demo") / "recordings" / "feedbackqa.jsonl").read_text(encoding="utf-8")
    lines: dict[str, list[dict[str, Json]]] = {}
    for line in text.splitlines():
        record = json.loads(line)
        lines.setdefault(record["trace_id"], []).append(record)
    return tuple(_recording(trace_id, records) for trace_id, records in lines.items())


def _recording(trace_id: str, records: Sequence[dict[str, Json]]) -> Recording:
    said = (
        RecordedFeedback(annotator=one["annotator"], label=one["label"], rationale=one["rationale"])
        for one in records
    )
    first = records[0]
    return Recording(trace_id=trace_id, inputs=first["inputs"], outputs=first["outputs"], said=tuple(said))
