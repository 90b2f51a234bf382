"""People's feedback, written into MLflow as assessments of its traces, where MLflow is installed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memalign.errors import InputError
from memalign.label_reading import plain_value
from memalign.mlflow_feedback import OWN_ASSESSMENT_ID, import_mlflow
from memalign.records import Json

_FROM_MLFLOW = "mlflow:"
"""Begin of the names of people who answered in MLflow, where their answers are already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowLog:
    """Outcome of `log_feedback_to_mlflow`, in numbers of assessments."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    """Those that stood there with the same value and reason, and answers that people gave in MLflow itself."""
    unknown_trace_ids: tuple[str, ...] = ()
    """Traces that MLflow does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    trace_id: str
    judge: str
    person: str
    value: Any
    rationale: str | None
    time: str


def log_feedback_to_mlflow(lines: Iterable[str | Mapping[str, Json]]) -> MlflowLog:
    """Write people's labels into MLflow, as HUMAN assessments of its traces.

    Each assessment is looked up before it is written, by judge and person, so that to call it again, also after a
    crash, doubles nothing; a label that has changed since is updated. Two calls at once could double.

    Args:
        lines: Lines of feedback, as `memalign export` and `memalign convert` write them: JSON texts, such as an open
            file, or objects. Of one person's labels for a judge on a trace, the newest counts, the last where they
            have no time. Lines without a label are passed over.

    Returns:
        How many assessments were created, updated and found, and which traces MLflow does not have.

    Raises:
        InputError: If a line is no JSON object, or a label has no judge.
        SettingsError: If MLflow is not installed.
    """
    mlflow, entities = import_mlflow("mlflow"), import_mlflow("mlflow.entities")
    labels = _newest(lines)
    counts = dict.fromkeys(("created", "updated", "unchanged"), 0)
    traces: dict[str, Any] = {}
    for label in labels:
        if label.trace_id not in traces:
            traces[label.trace_id] = mlflow.get_trace(label.trace_id, silent=True)
        if traces[label.trace_id] is not None:
            counts[_write(mlflow, entities, traces[label.trace_id], label)] += 1
    unknown = tuple(trace_id for trace_id, trace in traces.items() if trace is None)
    return MlflowLog(**counts, unknown_trace_ids=unknown)


def _write(mlflow: Any, entities: Any, trace: Any, label: _Label) -> str:
    """Create or update a label's assessment; returns the name of its count."""
    if label.person.startswith(_FROM_MLFLOW):
        return "unchanged"
    present = next((each for each in trace.info.assessments if _is_of(each, label)), None)
    if present is None:
        mlflow.log_assessment(trace_id=label.trace_id, assessment=_feedback(entities, label))
        return "created"
    if present.feedback.value == label.value and (present.rationale or None) == label.rationale:
        return "unchanged"
    mlflow.update_assessment(
        trace_id=label.trace_id,
        assessment_id=present.assessment_id,
        assessment=_feedback(entities, label),
    )
    return "updated"


def _is_of(assessment: Any, label: _Label) -> bool:
    source = assessment.source
    return (
        getattr(assessment, "feedback", None) is not None
        and assessment.valid is not False
        and assessment.name == label.judge
        and (source.source_type, source.source_id) == ("HUMAN", label.person)
    )


def _feedback(entities: Any, label: _Label) -> Any:
    key = json.dumps([label.judge, label.trace_id, label.person])
    return entities.Feedback(
        name=label.judge,
        value=label.value,
        # an empty one takes away the reason that stood there before
        rationale=label.rationale or "",
        source=entities.AssessmentSource(source_type="HUMAN", source_id=label.person),
        metadata={OWN_ASSESSMENT_ID: hashlib.sha256(key.encode()).hexdigest()[:32]},
    )


def _newest(lines: Iterable[str | Mapping[str, Json]]) -> list[_Label]:
    """Return the newest label of each person for a judge on a trace."""
    newest: dict[tuple[str, str, str], _Label] = {}
    unnamed: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, start=1):
        document = _document(line, number)
        if document is None or document.get("label") is None:
            continue
        label = _label(document, number, unnamed)
        key = (label.trace_id, label.judge, label.person)
        if key not in newest or newest[key].time <= label.time:
            newest[key] = label
    return list(newest.values())


def _document(line: str | Mapping[str, Json], number: int) -> Mapping[str, Json] | None:
    if not isinstance(line, str):
        return line
    if not line.strip():
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"Line {number} is not JSON ({error}); give lines of feedback.") from None
    if not isinstance(document, Mapping):
        raise InputError(f"Line {number} is no JSON object; give lines of feedback.")
    return document


def _label(document: Mapping[str, Json], number: int, unnamed: dict[tuple[str, str], int]) -> _Label:
    trace_id, judge = document.get("trace_id"), document.get("judge")
    if not (isinstance(trace_id, str) and isinstance(judge, str) and trace_id and judge):
        raise InputError(f"Line {number} has a label without trace_id and judge; name both.")
    person = document.get("annotator")
    if not person:
        # without a name each line counts as another person, in the order of the lines
        place = unnamed[trace_id, judge] = unnamed.get((trace_id, judge), 0) + 1
        person = f"unnamed {place}"
    return _Label(
        trace_id=trace_id,
        judge=judge,
        person=str(person),
        value=plain_value(document["label"]),
        rationale=str(document.get("rationale") or "") or None,
        time=str(document.get("timestamp") or ""),
    )
