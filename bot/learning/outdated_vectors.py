"""Vectors of an embedding model that is no longer used: they leave the store once the one in use has made its own."""

import asyncio
from collections.abc import Mapping
from functools import partial

from memalign.judge_memory import JudgeMemory
from storage.database import Database

LOOK_SECONDS = 5.0
MIN_EMBEDDED_SHARE = 0.5
"""Share of a judge's cases from which on the model in use is known to work. With fewer, somebody may yet go back."""


class OutdatedVectors:
    """Deletes vectors that nobody looks up any more."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._database = database
        self._look_seconds = look_seconds
        self._memories = memories

    async def run(self) -> None:
        """Delete what is outdated as soon as it is, then end: the models change with a restart alone."""
        while not all(map(_is_embedded, self._memories.values())):  # noqa: ASYNC110 - learning embeds
            await asyncio.sleep(self._look_seconds)
        for model, dimension in {memory.vector_space for memory in self._memories.values()}:
            delete = partial(self._database.memories.delete_vectors_of_other_models, model, dimension)
            while await delete():  # noqa: ASYNC110 - some at each call
                await asyncio.sleep(0)


def _is_embedded(memory: JudgeMemory) -> bool:
    state = memory.state
    missing = len(state.episodic.to_embed)
    return missing <= (1 - MIN_EMBEDDED_SHARE) * len(state.episodes)
