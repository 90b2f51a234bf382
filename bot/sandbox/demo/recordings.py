"""Recorded feedback of real people on real answers, shipped with the demo."""

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
    """The feedback of one recorded person on one trace."""

    annotator: str
    """A pseudonym: the place in the order of ratings, not the same person everywhere."""
    label: bool
    rationale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A trace with the feedback people gave on it."""

    trace_id: str
    inputs: Json
    outputs: Json
    feedback: tuple[RecordedFeedback, ...]

    @property
    def label(self) -> bool | None:
        """The label of the majority; None at a tie."""
        passes = sum(feedback.label for feedback in self.feedback)
        fails = len(self.feedback) - passes
        return None if passes == fails else passes > fails

    def as_trace(self) -> dict[str, Json]:
        """Render the trace as `POST /traces` takes it."""
        return {"trace_id": self.trace_id, "inputs": self.inputs, "outputs": self.outputs}


def recordings() -> tuple[Recording, ...]:
    """Return all recorded traces, in the order of the file."""
    text = (files("bot.sandbox.demo") / "recordings" / "feedbackqa.jsonl").read_text(encoding="utf-8")
    lines: dict[str, list[dict[str, Json]]] = {}
    for line in text.splitlines():
        record = json.loads(line)
        lines.setdefault(record["trace_id"], []).append(record)
    return tuple(_recording(trace_id, records) for trace_id, records in lines.items())


def _recording(trace_id: str, records: Sequence[dict[str, Json]]) -> Recording:
    first = records[0]
    return Recording(
        trace_id=trace_id,
        inputs=first["inputs"],
        outputs=first["outputs"],
        feedback=tuple(
            RecordedFeedback(
                annotator=record["annotator"], label=record["label"], rationale=record["rationale"]
            )
            for record in records
        ),
    )
