"""The written tables of MLflow's signatures, compared with those of the MLflow that is installed: a new parameter of
theirs fails here, until it is used or refused. `make test-mlflow` installs it."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from memalign.records import Json
from tests.memalign.mlflow_signatures import (
    ALIGN,
    CALL,
    FEEDBACK_NAMES,
    JUDGE_NAMES,
    MAKE_JUDGE,
    MEMALIGN_OPTIMIZER,
    OPTIMIZER_ALIGN,
    UNALIGN,
)

judges: Any = pytest.importorskip("mlflow.genai.judges", reason="MLflow is not installed")
base: Any = pytest.importorskip("mlflow.genai.judges.base")
optimizers: Any = pytest.importorskip("mlflow.genai.judges.optimizers")
memalign_optimizer: Any = pytest.importorskip("mlflow.genai.judges.optimizers.memalign.optimizer")
entities: Any = pytest.importorskip("mlflow.entities")
pydantic: Any = pytest.importorskip("pydantic")


def signature_of(function: Callable[..., Any]) -> dict[str, Json]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.name != "self"}


def a_judge() -> Any:
    return judges.make_judge(name="politeness", instructions="Polite? {{ inputs }}", model="openai:/m")


@pytest.mark.parametrize(
    ("function", "table"),
    [
        (judges.make_judge, MAKE_JUDGE),
        (optimizers.MemAlignOptimizer, MEMALIGN_OPTIMIZER),
        (optimizers.MemAlignOptimizer.align, OPTIMIZER_ALIGN),
        (base.Judge.align, ALIGN),
        (memalign_optimizer.MemoryAugmentedJudge.unalign, UNALIGN),
        (type(a_judge()).__call__, CALL),
    ],
    ids=lambda each: getattr(each, "__qualname__", ""),
)
def test_the_table_of_a_signature_is_that_of_mlflow(
    function: Callable[..., Any], table: Mapping[str, Json]
) -> None:
    assert list(signature_of(function).items()) == list(table.items())


def test_the_names_of_mlflows_judges_are_in_the_table() -> None:
    names = {*dir(a_judge()), *dir(memalign_optimizer.MemoryAugmentedJudge)}

    public = {name for name in names if not name.startswith("_")}
    assert public - set(dir(pydantic.BaseModel)) == JUDGE_NAMES


def test_the_names_of_mlflows_feedback_are_in_the_table() -> None:
    feedback = entities.Feedback(name="politeness", value=True)

    public = {name for name in dir(feedback) if not name.startswith("_")}
    assert public - {"from_dictionary", "from_proto"} == FEEDBACK_NAMES
