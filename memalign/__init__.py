"""Judges that learn from people's feedback: guidelines and episodes, learned and forgotten trace by trace.

from memalign import Assessment, Trace, make_judge

judge = make_judge("politeness", "Is {{ outputs }} a polite answer to {{ inputs }}?", feedback_value_type=bool)
aligned = judge.align([Trace(trace_id="tr-1", inputs="Hello", outputs="What?", assessments=[
    Assessment(name="politeness", value=False, rationale="Curt.", source_id="ana")])])
verdict = aligned(inputs="Hello", outputs="Good day!")
"""

from memalign.errors import (
    ContentRefusedError,
    InputError,
    MalformedAnswerError,
    MemAlignError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    SettingsError,
    StorageError,
    TemplateError,
    UnknownTraceError,
)
from memalign.judges import AlignableJudge, AlignedJudge
from memalign.mlflow_assessments import MlflowLog, log_feedback_to_mlflow
from memalign.mlflow_memory import load_mlflow_judge
from memalign.models import ModelOptions
from memalign.optimizer import MemAlignOptimizer, load_judge, make_judge
from memalign.records import (
    Assessment,
    Episode,
    Guideline,
    Lesson,
    PersonLabel,
    Source,
    Trace,
    Usage,
    Verdict,
)

__all__ = [
    "AlignableJudge",
    "AlignedJudge",
    "Assessment",
    "ContentRefusedError",
    "Episode",
    "Guideline",
    "InputError",
    "Lesson",
    "MalformedAnswerError",
    "MemAlignError",
    "MemAlignOptimizer",
    "MlflowLog",
    "ModelError",
    "ModelOptions",
    "ModelRefusedError",
    "ModelUnavailableError",
    "PersonLabel",
    "RequestRefusedError",
    "SettingsError",
    "Source",
    "StorageError",
    "TemplateError",
    "Trace",
    "UnknownTraceError",
    "Usage",
    "Verdict",
    "load_judge",
    "load_mlflow_judge",
    "log_feedback_to_mlflow",
    "make_judge",
]
