"""The judges of the settings, with their memories."""

from bot.config import Settings
from memalign import make_judge
from memalign.judge_memory import JudgeMemory
from memalign.models import (
    check_key,
    connect_comparer,
    connect_distiller,
    connect_embedder,
    connect_judge_model,
)
from storage.database import Database


def check_model_keys(settings: Settings) -> None:
    """Check that each model named in the settings has its key. Raises `ModelRefusedError`."""
    judge_models = (judge.model for judge in settings.judges)
    for model in {settings.memory.embedding_model, settings.memory.reflection_lm, *judge_models}:
        check_key(model, settings.options_of(model))


async def open_memories(settings: Settings, database: Database) -> dict[str, JudgeMemory]:
    """Open each judge's memory as it was left; by judge. Raises `StorageError`."""
    chosen = settings.memory
    embedder = connect_embedder(
        chosen.embedding_model, chosen.embedding_dim, settings.options_of(chosen.embedding_model)
    )
    distiller = connect_distiller(chosen.reflection_lm, settings.options_of(chosen.reflection_lm))
    comparer = connect_comparer(chosen.reflection_lm, settings.options_of(chosen.reflection_lm))
    memories = {}
    for judge in settings.judges:
        memories[judge.name] = await JudgeMemory.open(
            make_judge(
                name=judge.name,
                instructions=judge.instructions,
                feedback_value_type=judge.feedback_value_type,
                model=judge.model,
                value_range=judge.range,
            ),
            embedder=embedder,
            judge_model=connect_judge_model(judge.model, settings.options_of(judge.model)),
            distiller=distiller,
            comparer=comparer,
            store=database.memories,
            retrieval_k=chosen.retrieval_k,
            guideline_tokens=chosen.guideline_tokens,
            min_similarity=chosen.min_similarity,
            policy=settings.policy_of(judge),
        )
    return memories
