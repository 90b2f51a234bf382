"""Our judges as judges of MLflow, which `mlflow.genai.evaluate` takes as scorers. Imports MLflow."""

from collections.abc import Sequence
from typing import Any

from mlflow.genai.judges.base import Judge, JudgeField
from pydantic import PrivateAttr

from memalign.records import Json


class MemAlignJudge(Judge):  # type: ignore[misc] # MLflow is no dependency
    """A judge of MLflow's that one of ours stands behind. Made by `to_mlflow_scorer`.

    Args:
        judge: The judge that is asked, a `memalign.judges.LibraryJudge`.
        description: The criterion in a few words.
    """

    _judge: Any = PrivateAttr()

    def __init__(self, judge: Any, description: str | None = None) -> None:
        super().__init__(name=judge.name, description=description)
        self._judge = judge

    @property
    def memalign_judge(self) -> Any:
        """The judge of ours, with its guidelines, episodes, `report`, `unalign` and `save`."""
        return self._judge

    @property
    def instructions(self) -> str:
        """The criterion, with the guidelines."""
        return str(self._judge.instructions)

    @property
    def model(self) -> str:
        """The model that judges, as `provider:/name`."""
        return str(self._judge.model)

    @property
    def feedback_value_type(self) -> Any:
        """The Python type of the values; of categories, their `Literal`."""
        return self._judge.value_type.python_type

    def get_input_fields(self) -> list[Any]:
        """Describe the template variables of the instructions.

        Returns:
            An `mlflow.genai.judges.base.JudgeField` for each.
        """
        return [JudgeField(name=name, description=f"The trace's {name}.") for name in self._judge.fields]

    def __call__(
        self, *, inputs: Json = None, outputs: Json = None, expectations: Json = None, trace: object = None
    ) -> Any:
        """Judge one trace.

        Args:
            inputs: The request to the application.
            outputs: Its answer.
            expectations: The answer that was wanted.
            trace: The trace, whose parts are used where none of these is given.

        Returns:
            The verdict as `mlflow.entities.Feedback`.
        """
        verdict = self._judge(inputs=inputs, outputs=outputs, expectations=expectations, trace=trace)
        return verdict.to_feedback()

    def align(self, traces: Sequence[object], optimizer: Any = None) -> "MemAlignJudge":
        """Learn from traces.

        Args:
            traces: As for `memalign.AlignedJudge.align`.
            optimizer: A `memalign.MemAlignOptimizer`; None: as for `memalign.AlignedJudge.align`.

        Returns:
            A new judge.
        """
        return MemAlignJudge(self._judge.align(list(traces), optimizer), self.description)

    def unalign(self, traces: Sequence[object]) -> "MemAlignJudge":
        """Forget what was learned from traces.

        Args:
            traces: As for `memalign.AlignedJudge.unalign`.

        Returns:
            A new judge.
        """
        return MemAlignJudge(self._judge.unalign(list(traces)), self.description)
