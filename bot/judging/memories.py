"""The judges of the settings, with their memories."""

from bot.config import Settings
from memalign import make_judge
from memalign.judge_memory import Memory
from memalign.models import connect_decider, connect_distiller, connect_embedder
from storage.database import Database


def models_of(settings: Settings) -> tuple[str, ...]:
    """The models named in the settings, each once."""
    judging = (judge.model for judge in settings.judges)
    return tuple(dict.fromkeys((settings.memory.embedding_model, settings.memory.reflection_lm, *judging)))


async def open_memories(settings: Settings, database: Database) -> dict[str, Memory]:
    """Each judge's memory, as it was left."""
    embedder = connect_embedder(settings.memory.embedding_model, settings.memory.embedding_dim)
    distiller = connect_distiller(settings.memory.reflection_lm)
    memories = {}
    for judge in settings.judges:
        memories[judge.name] = await Memory.open(
            make_judge(
                name=judge.name,
                instructions=judge.instructions,
                feedback_value_type=judge.feedback_value_type,
                model=judge.model,
            ),
            embedder=embedder,
            decider=connect_decider(judge.model),
            distiller=distiller,
            store=database.memories,
            retrieval_k=settings.memory.retrieval_k,
        )
    return memories
