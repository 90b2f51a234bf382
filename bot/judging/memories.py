"""The judges of the settings, with their memories."""

from bot.config import Settings
from memalign import make_judge
from memalign.judge_memory import JudgeMemory
from memalign.models import check_key, connect_distiller, connect_embedder, connect_judge_model
from memalign.ports import Distiller, Embedder
from storage.database import Database
from storage.judge_settings import JudgeFingerprint

LOCAL_JUDGE = "local:/cases"
UNKNOWN_SETTINGS = JudgeFingerprint(
    feedback_value_type="str",
    instructions="Judge the answer {{ outputs }} to {{ inputs }}.",
    embedding_model="",
    embedding_dim=0,
)
"""Stands for those of a judge that left the settings before an earlier version noted any."""


def check_model_keys(settings: Settings) -> None:
    """Check that each model named in the settings has its key. Raises `ModelRefusedError`."""
    judge_models = (judge.model for judge in settings.judges)
    for model in {settings.memory.embedding_model, settings.memory.reflection_lm, *judge_models}:
        check_key(model, settings.options_of(model))


async def open_memories(settings: Settings, database: Database) -> dict[str, JudgeMemory]:
    """Open each judge's memory as it was left; by judge. Raises `StorageError`."""
    chosen = settings.memory
    embedder, distiller = _embedder(settings), _distiller(settings)
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
            store=database.memories,
            retrieval_k=chosen.retrieval_k,
            guideline_tokens=chosen.guideline_tokens,
            min_similarity=chosen.min_similarity,
            policy=chosen.policy,
        )
    return memories


async def open_unnamed_memories(settings: Settings, database: Database) -> dict[str, JudgeMemory]:
    """Open what judges have learned that the settings name no more, so that it can be forgotten there, too.

    Raises `StorageError`.
    """
    chosen, fingerprints = settings.memory, await database.judge_settings.fingerprints()
    unnamed = [judge.name for judge in await database.judges.learned() if judge.name not in settings.titles]
    memories = {}
    for name in unnamed:
        known = fingerprints.get(name, UNKNOWN_SETTINGS)
        memories[name] = await JudgeMemory.open(
            make_judge(
                name=name,
                instructions=known.instructions,
                feedback_value_type=known.feedback_value_type,
                model=LOCAL_JUDGE,
                value_range=known.value_range,
            ),
            embedder=_embedder(settings),
            judge_model=connect_judge_model(LOCAL_JUDGE),
            distiller=_distiller(settings),
            store=database.memories,
            policy=chosen.policy,
        )
    return memories


def _embedder(settings: Settings) -> Embedder:
    chosen = settings.memory
    options = settings.options_of(chosen.embedding_model)
    return connect_embedder(chosen.embedding_model, chosen.embedding_dim, options)


def _distiller(settings: Settings) -> Distiller:
    model = settings.memory.reflection_lm
    return connect_distiller(model, settings.options_of(model))
