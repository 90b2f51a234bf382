"""The judges of the settings, with their memories."""

from bot.config import JudgeSettings, Settings
from memalign import make_judge
from memalign.judge_memory import JudgeMemory
from memalign.models import (
    CallObserver,
    check_key,
    connect_comparer,
    connect_distiller,
    connect_embedder,
    connect_judge_model,
)
from memalign.ports import MemoryStore
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


async def open_memories(
    settings: Settings, database: Database, observe: CallObserver | None = None
) -> dict[str, JudgeMemory]:
    """Open each judge's memory as it was left; by judge. `observe` is told of each model call.

    Raises `StorageError`.
    """
    models = _Models(settings, observe)
    return {judge.name: await _open(settings, judge, database.memories, models) for judge in settings.judges}


async def open_memory(settings: Settings, judge: JudgeSettings, store: MemoryStore) -> JudgeMemory:
    """Open one judge's memory, as another store has it. Raises `StorageError`."""
    return await _open(settings, judge, store, _Models(settings, None))


async def open_unnamed_memories(settings: Settings, database: Database) -> dict[str, JudgeMemory]:
    """Open what judges have learned that the settings name no more, so that it can be forgotten there, too.

    Raises `StorageError`.
    """
    models, fingerprints = _Models(settings, None), await database.judge_settings.fingerprints()
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
            embedder=models.embedder,
            judge_model=connect_judge_model(LOCAL_JUDGE),
            distiller=models.distiller,
            store=database.memories,
        )
    return memories


class _Models:
    """The models that all judges share."""

    def __init__(self, settings: Settings, observe: CallObserver | None) -> None:
        chosen = settings.memory
        self.observe = observe
        self.embedder = connect_embedder(
            chosen.embedding_model,
            chosen.embedding_dim,
            settings.options_of(chosen.embedding_model),
            observe,
        )
        options = settings.options_of(chosen.reflection_lm)
        self.distiller = connect_distiller(chosen.reflection_lm, options, observe)
        self.comparer = connect_comparer(chosen.reflection_lm, options, observe)


async def _open(settings: Settings, judge: JudgeSettings, store: MemoryStore, models: _Models) -> JudgeMemory:
    chosen = settings.memory
    return await JudgeMemory.open(
        make_judge(
            name=judge.name,
            instructions=judge.instructions,
            feedback_value_type=judge.feedback_value_type,
            model=judge.model,
            value_range=judge.range,
        ),
        embedder=models.embedder,
        judge_model=connect_judge_model(judge.model, settings.options_of(judge.model), models.observe),
        distiller=models.distiller,
        comparer=models.comparer,
        store=store,
        retrieval_k=chosen.retrieval_k,
        guideline_tokens=chosen.guideline_tokens,
        min_similarity=chosen.min_similarity,
        policy=settings.policy_of(judge),
    )
