"""The signatures of MLflow's judge API at 3.17.2: parameters in their order, with their defaults.

Earlier versions have the first of them only: `make_judge` has three parameters in 3.4, six in 3.9, nine in 3.13.
"""

from collections.abc import Mapping
from inspect import Parameter

from memalign.records import Json

REQUIRED = Parameter.empty
"""Stands for the default of a parameter that has none."""

MAKE_JUDGE: Mapping[str, Json] = {
    "name": REQUIRED,
    "instructions": REQUIRED,
    "model": None,
    "description": None,
    "feedback_value_type": None,
    "inference_params": None,
    "base_url": None,
    "extra_headers": None,
    "include_timing_in_conversation": False,
    "generate_rationale_first": False,
    "model_api": "default",
}
MEMALIGN_OPTIMIZER: Mapping[str, Json] = {
    "reflection_lm": None,
    "retrieval_k": 5,
    "embedding_model": None,
    "embedding_dim": 512,
}
ALIGN: Mapping[str, Json] = {"traces": REQUIRED, "optimizer": None}
OPTIMIZER_ALIGN: Mapping[str, Json] = {"judge": REQUIRED, "traces": REQUIRED}
UNALIGN: Mapping[str, Json] = {"traces": REQUIRED}
CALL: Mapping[str, Json] = {
    "inputs": None,
    "outputs": None,
    "expectations": None,
    "trace": None,
    "session": None,
}
"""By name only."""
JUDGE_NAMES = frozenset({
    "aggregations", "align", "canonical_resource_name", "canonical_resource_name_type", "description",
    "feedback_value_type", "filter_string", "get_input_fields", "get_output_fields", "inference_params", "instructions",
    "is_session_level_scorer", "kind", "model", "model_api", "name", "pass_if", "register", "run", "sample_rate",
    "scorer_version", "start", "status", "stop", "template_variables", "timeout", "unalign", "update",
})  # fmt: skip
"""Public names of MLflow's judges, aligned or not, without those of pydantic."""
FEEDBACK_NAMES = frozenset({
    "assessment_id", "create_time_ms", "error", "error_code", "error_message", "expectation", "feedback", "issue",
    "last_update_time_ms", "metadata", "name", "overrides", "rationale", "run_id", "source", "span_id", "to_dictionary",
    "to_proto", "trace_id", "valid", "value",
})  # fmt: skip
"""Public names of MLflow's `Feedback`, without those that make one."""
