"""Our judges in the form in which MLflow registers its own. Imports MLflow."""

from dataclasses import asdict
from typing import Any

import mlflow
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers.base import SerializedScorer

from memalign.errors import SettingsError
from memalign.records import Json

_PROVIDERS = {"vertex": "vertex_ai"}
"""Our name of a provider -> MLflow's, where they differ."""


def judge_dump(judge: Any, name: str) -> dict[str, Json]:
    """Write a judge as a dump of MLflow's, from which MLflow makes a judge of its own.

    Args:
        judge: A `memalign.judges.LibraryJudge`.
        name: The name under which it is registered.

    Returns:
        The dump: instructions, value type and model; of an aligned judge also the guidelines in use with the ids of
        their traces, the ids of the cases' traces, and the settings of the alignment.

    Raises:
        SettingsError: If one of its models runs in this process only.
    """
    if judge.definition is judge:
        return _base_dump(judge, name)
    # MLflow looks for feedback under the name of the base judge
    base = _base_dump(judge.definition, judge.name)
    settings = judge.optimizer.settings
    memory = {
        "base_judge": base,
        "episodic_trace_ids": list(judge.episodes),
        "semantic_memory": [
            {"guideline_text": rule.text, "source_trace_ids": list(rule.source_trace_ids) or None}
            for rule in judge.guidelines_in_use
        ],
        "reflection_lm": mlflow_model(settings.reflection_lm),
        "retrieval_k": settings.retrieval_k,
        "embedding_model": mlflow_model(settings.embedding_model),
        "embedding_dim": settings.embedding_dim,
    }
    return asdict(
        SerializedScorer(
            name=name,
            description=base["description"],
            aggregations=base["aggregations"],
            mlflow_version=mlflow.__version__,
            memory_augmented_judge_data=memory,
        )
    )


def mlflow_model(name: str) -> str:
    """Write a model's name as MLflow does.

    Args:
        name: `provider:/name`.

    Returns:
        The name in MLflow.

    Raises:
        SettingsError: If the model runs in this process only.
    """
    provider, _, model = name.partition(":/")
    if provider == "local":
        raise SettingsError(
            f"{name} runs inside memalign only, so that MLflow cannot register a judge with it; "
            "save it with `AlignedJudge.save`."
        )
    if provider == "litellm":
        own, _, model = model.partition("/")
        return f"{own}:/{model}"
    return f"{_PROVIDERS.get(provider, provider)}:/{model}"


def _base_dump(judge: Any, name: str) -> dict[str, Json]:
    made = make_judge(
        name=name,
        instructions=judge.instructions,
        model=mlflow_model(judge.model),
        description=judge.description or None,
        feedback_value_type=judge.feedback_value_type,
        inference_params=dict(judge.model_options.params) or None,
    )
    return dict(made.model_dump())
