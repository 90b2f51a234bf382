"""Models by name: `provider:/name` -> client. Each provider's package is imported only when it is chosen."""

from memalign.models.observed_calls import CallObserver, ModelCall
from memalign.models.option_checks import option_keys, option_problems
from memalign.models.options import DEFAULT_OPTIONS, ModelOptions, model_options_of
from memalign.models.registry import (
    Use,
    canonical_name,
    check_key,
    check_options,
    check_use,
    connect_comparer,
    connect_distiller,
    connect_embedder,
    connect_judge_model,
    model_name,
)

__all__ = [
    "DEFAULT_OPTIONS",
    "CallObserver",
    "ModelCall",
    "ModelOptions",
    "Use",
    "canonical_name",
    "check_key",
    "check_options",
    "check_use",
    "connect_comparer",
    "connect_distiller",
    "connect_embedder",
    "connect_judge_model",
    "model_name",
    "model_options_of",
    "option_keys",
    "option_problems",
]
