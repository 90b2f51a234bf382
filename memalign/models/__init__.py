"""Models by name: `provider:/name` -> client. Each provider's package is imported only when it is chosen."""

from memalign.models.catalogue import connect_decider, connect_distiller, connect_embedder, model_name

__all__ = ["connect_decider", "connect_distiller", "connect_embedder", "model_name"]
