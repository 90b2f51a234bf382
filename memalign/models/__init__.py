"""Models by name: `provider:/name` -> client. Each provider's package is imported only when it is chosen."""

from memalign.models.registry import (
    check_key,
    check_use,
    connect_distiller,
    connect_embedder,
    connect_judge_model,
    model_name,
)

__all__ = [
    "check_key",
    "check_use",
    "connect_distiller",
    "connect_embedder",
    "connect_judge_model",
    "model_name",
]
