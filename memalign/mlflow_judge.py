"""Our judges as judges of MLflow, which `mlflow.genai.evaluate` takes as scorers. Imports MLflow."""

from collections.abc import Sequence
from typing import Any

from mlflow.genai.judges.base import Judge, JudgeField
from mlflow.genai.scorers.base import ScorerKind
from pydantic import PrivateAttr

from memalign.mlflow_dump import judge_dump
from memalign.records import Json

_AVERAGED_TYPES = (bool, int, float)
"""Value types of which `mlflow.genai.evaluate` reports the mean, as for MLflow's own judges."""


class MemAlignJudge(Judge):  # type: ignore[misc] # MLflow is no dependency
    """A judge of MLflow's that one of ours stands behind. Made by `to_mlflow_scorer`.

    Args:
        judge: The judge that is asked, a `memalign.judges.LibraryJudge`.
    """

    _judge: Any = PrivateAttr()

    def __init__(self, judge: Any) -> None:
        is_averaged = judge.feedback_value_type in _AVERAGED_TYPES
        super().__init__(
            name=judge.name,
            description=judge.description or None,
            aggregations=["mean"] if is_averaged else [],
        )
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
        return self._judge.feedback_value_type

    @property
    def kind(self) -> Any:
        """MLflow's kind of such a judge."""
        return ScorerKind(self._judge.kind)

    @property
    def is_session_level_scorer(self) -> bool:
        """True if it judges whole conversations."""
        return bool(self._judge.is_session_level_scorer)

    def get_input_fields(self) -> list[Any]:
        """Describe the template variables of the instructions.

        Returns:
            An `mlflow.genai.judges.base.JudgeField` for each.
        """
        fields = self._judge.get_input_fields()
        return [JudgeField(name=each.name, description=each.description) for each in fields]

    def model_dump(self, **kwargs: Any) -> dict[str, Json]:
        """Write the judge as one of MLflow's own, which is what MLflow registers.

        Args:
            kwargs: Those of pydantic's `model_dump`; without effect, as in MLflow.

        Returns:
            See `memalign.mlflow_dump.judge_dump`.

        Raises:
            SettingsError: If one of its models runs in this process only.
        """
        del kwargs
        return judge_dump(self._judge, self.name)

    def __call__(
        self,
        *,
        inputs: Json = None,
        outputs: Json = None,
        expectations: Json = None,
        trace: object = None,
        session: Sequence[object] | None = None,
    ) -> Any:
        """Judge one trace.

        Args:
            inputs: The request to the application.
            outputs: Its answer.
            expectations: The answer that was wanted.
            trace: The trace, whose parts are used where none of these is given.
            session: The traces of one session, for a judge of conversations.

        Returns:
            The verdict as `mlflow.entities.Feedback`.
        """
        verdict = self._judge(
            inputs=inputs, outputs=outputs, expectations=expectations, trace=trace, session=session
        )
        return verdict.to_feedback()

    def align(self, traces: Sequence[object], optimizer: Any = None) -> "MemAlignJudge":
        """Learn from traces.

        Args:
            traces: As for `memalign.AlignedJudge.align`.
            optimizer: A `memalign.MemAlignOptimizer`; None: as for `memalign.AlignedJudge.align`.

        Returns:
            A new judge.
        """
        return MemAlignJudge(self._judge.align(traces, optimizer))

    def unalign(self, traces: Sequence[object]) -> "MemAlignJudge":
        """Forget what was learned from traces.

        Args:
            traces: As for `memalign.AlignedJudge.unalign`.

        Returns:
            A new judge.
        """
        return MemAlignJudge(self._judge.unalign(traces))

    def _create_copy(self) -> "MemAlignJudge":
        return MemAlignJudge(self._judge)
