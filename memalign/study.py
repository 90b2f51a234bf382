"""What a round of learning asks of models: texts embedded and records distilled, both at once."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memalign.errors import ModelError
from memalign.ports import Distilled, Distiller, Record
from memalign.records import Guideline, Usage
from memalign.vectors import Found, VectorCache

COMPARED_FROM = 50
"""Records in a round from which drafts are compared by vectors too: their batches did not see each other."""

_NOTHING = Found(vectors={}, failed={}, usage=Usage())


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What the models made of one round's material."""

    texts: Found
    """The texts of episodes."""
    drafts: Found
    """The texts of drafts, where those were compared by vectors."""
    distilled: Distilled
    settled: frozenset[str]
    """Ids of the waiting guidelines that were distilled again."""

    @property
    def usage(self) -> Usage:
        """What it cost."""
        return self.texts.usage + self.drafts.usage + self.distilled.usage


async def study(
    texts: Iterable[str],
    records: Sequence[Record],
    waiting: Sequence[Guideline],
    *,
    instructions: str,
    known: Sequence[Guideline],
    vectors: VectorCache,
    distiller: Distiller,
) -> Studied:
    """Embed and distil. What fails is told in the result. Raises `StorageError`."""
    found, distilled = await asyncio.gather(
        vectors.find(texts), _distil(distiller, instructions, records, known)
    )
    many = len(records) >= COMPARED_FROM and len(distilled.drafts) > 1
    drafts = await vectors.find(draft.text for draft in distilled.drafts) if many else _NOTHING
    settled = (
        one.id
        for one in waiting
        if not any(trace_id in distilled.failed for trace_id in one.source_trace_ids)
    )
    return Studied(texts=found, drafts=drafts, distilled=distilled, settled=frozenset(settled))


async def _distil(
    distiller: Distiller, instructions: str, records: Sequence[Record], known: Sequence[Guideline]
) -> Distilled:
    if not records:
        return Distilled()
    try:
        return await distiller.distil(instructions, records, known)
    except ModelError as error:
        return Distilled(failed={record.source.trace_id: str(error) for record in records})
