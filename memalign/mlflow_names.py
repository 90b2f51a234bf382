"""Names of MLflow's judges and feedback that ours do not have, and what to use in their place."""

from collections.abc import Mapping

_SCORER_NAMES = frozenset({
    "aggregations", "canonical_resource_name", "canonical_resource_name_type", "filter_string", "get_output_fields",
    "model_dump", "model_dump_json", "pass_if", "register", "run", "sample_rate", "scorer_version", "start", "status",
    "stop", "timeout", "update",
})  # fmt: skip
"""Names of what MLflow does with a scorer; `to_mlflow_scorer` makes one."""
_REPLACEMENTS: Mapping[str, str] = {
    "_base_judge": "base",
    "_embedding_dim": "optimizer.settings.embedding_dim",
    "_embedding_model": "optimizer.settings.embedding_model",
    "_episodic_memory": "episodes",
    "_episodic_trace_ids": "episodes",
    "_reflection_lm": "optimizer.settings.reflection_lm",
    "_retrieval_k": "optimizer.settings.retrieval_k",
    "_semantic_memory": "guidelines, each with its text and source_trace_ids",
    "inference_params": "model_options.params",
    "model_api": "model",
    "template_variables": "fields",
}


_FEEDBACK_NAMES = frozenset({
    "assessment_id", "create_time_ms", "error", "error_code", "error_message", "expectation", "feedback", "issue",
    "last_update_time_ms", "metadata", "name", "overrides", "run_id", "source", "span_id", "to_dictionary", "to_proto",
    "valid",
})  # fmt: skip
"""Names of MLflow's `Feedback`; `to_feedback` makes one."""


def missing_verdict_name(name: str) -> str:
    """Say that a verdict lacks a name, and how to have one of MLflow's.

    Args:
        name: The name that was asked for.

    Returns:
        A sentence.
    """
    if name in _FEEDBACK_NAMES:
        return f"A verdict of memalign has no {name} of its own; use to_feedback().{name}."
    return f"'Verdict' object has no attribute {name!r}"


def missing_judge_name(kind: str, name: str) -> str:
    """Say that a judge lacks a name, and what takes the place of one of MLflow's.

    Args:
        kind: Name of the judge's class.
        name: The name that was asked for.

    Returns:
        A sentence.
    """
    if name in _SCORER_NAMES:
        return f"A judge of memalign has no {name} of its own; use to_mlflow_scorer().{name}."
    if name in _REPLACEMENTS:
        return f"A judge of memalign has no {name}; use {_REPLACEMENTS[name]}."
    return f"{kind!r} object has no attribute {name!r}"
