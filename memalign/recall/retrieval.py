"""What a judge's memory holds for one trace: the guidelines that count, and the cases most like it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from memalign.memory.embedding_cache import VectorCache
from memalign.memory.episodic import similarity
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import JudgeResponse, Vector
from memalign.recall.guideline_selection import GuidelineSelector
from memalign.records import Evidence, Json
from memalign.template import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The evidence, and the vector it was found by."""

    recollection: Evidence
    vector: Vector | None


class Recall:
    """Looks memory up for traces."""

    def __init__(self, vectors: VectorCache, *, count: int, floor: float, tokens: int, durable: bool) -> None:
        """Find at most `count` cases, none below the similarity `floor`, and guidelines within `tokens`.

        `durable`: vectors are stored, so that embedding a trace pays even while there is nothing to find.
        """
        self._vectors = vectors
        self._count = count
        self._floor = floor
        self._tokens = tokens
        self._durable = durable
        self._ranking: GuidelineSelector | None = None

    async def find(
        self, fields: Mapping[str, Json], state_now: Callable[[], MemoryState], *, but: str | None
    ) -> Recalled:
        """The evidence for a trace with these fields; never its own episode (`but`). Raises `StorageError`.

        The state is taken only when the text has been embedded: then nothing has to be asked of an old one.
        """
        text = text_of(fields)
        worth_it = self._durable or state_now().episodes
        found = await self._vectors.find([text] if worth_it else [])
        vector, failure = found.vectors.get(text), found.failed.get(text)
        state = state_now()
        choice = self._ranked(state.semantic).choose(text, vector)
        retrieved = (
            () if vector is None else state.episodic.nearest(vector, self._count, but=but, floor=self._floor)
        )
        recollection = Evidence(
            guidelines=choice.guidelines,
            left_out=choice.left_out,
            retrieved=retrieved,
            note=f"Similar cases could not be looked up: {failure}" if failure else None,
            usage=found.usage,
        )
        return Recalled(recollection=recollection, vector=vector)

    def _ranked(self, semantic: SemanticMemory) -> GuidelineSelector:
        if self._ranking is None or self._ranking.memory is not semantic:
            self._ranking = GuidelineSelector(semantic, self._tokens)
        return self._ranking


def evidence(
    decision: JudgeResponse, recalled: Recalled, state: MemoryState
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The cases that stood behind a decision, with their similarities as far as these are known."""
    shown = {found.episode.trace_id: found.similarity for found in recalled.recollection.retrieved}
    if decision.retrieved_trace_ids is None:
        return tuple(shown), tuple(shown.values())
    rows, vector = state.episodic.vectors, recalled.vector
    if vector is None or any(name not in rows for name in decision.retrieved_trace_ids):
        return decision.retrieved_trace_ids, ()
    similarities = (similarity(vector, rows[name]) for name in decision.retrieved_trace_ids)
    return decision.retrieved_trace_ids, tuple(similarities)
