"""Judges' memories: episodes, guidelines and vectors. Satisfies `memalign.ports.MemoryStore`."""

from collections.abc import Collection, Mapping

from memalign.errors import StorageError
from memalign.ports import MemoryChange, MemorySnapshot, Vector, VectorKey
from memalign.serialization import pack_vector, unpack_vector
from storage.codec import episode_body, episode_of, guideline_body, guideline_of
from storage.documents import Documents
from storage.keys import below, key
from storage.traces import TraceShelf
from storage.worker import Worker


class MemoryShelf:
    """The tables of memories; for use inside a transaction."""

    def __init__(self, documents: Documents, traces: TraceShelf) -> None:
        self._traces = traces
        self._episodes = documents.shelf("episodes")
        self._guidelines = documents.shelf("guidelines")
        self._undistilled = documents.shelf("undistilled")
        self._judges = documents.shelf("judges")

    def judges(self) -> list[str]:
        """Names of the judges that have a memory."""
        return [body["judge"] for _, body in self._judges.span("")]

    def load(self, judge: str) -> MemorySnapshot:
        """All of a judge's memory."""
        episodes = self._episodes.span(*below(judge), order="added")
        guidelines = self._guidelines.span(*below(judge), order="added")
        undistilled = self._undistilled.find(judge) or {"trace_ids": []}
        return MemorySnapshot(
            episodes={body["trace_id"]: episode_of(body) for _, body in episodes},
            guidelines=tuple(guideline_of(body) for _, body in guidelines),
            undistilled=frozenset(undistilled["trace_ids"]),
        )

    def save(self, judge: str, change: MemoryChange) -> None:
        """Apply a change; raise `StorageError` where it would bring back a forgotten trace."""
        self._refuse_forgotten(change)
        if not self._judges.has(judge):
            self._judges.put(judge, {"judge": judge})
        self._episodes.discard(*(key(judge, trace_id) for trace_id in change.drop_episodes))
        for episode in change.put_episodes:
            # learned anew is learned last: the old version's place goes with it
            self._episodes.discard(key(judge, episode.trace_id))
            self._episodes.put(key(judge, episode.trace_id), episode_body(episode))
        self._guidelines.discard(*(key(judge, guideline_id) for guideline_id in change.drop_guidelines))
        for guideline in change.put_guidelines:
            self._guidelines.put(key(judge, guideline.id), guideline_body(guideline))
        self._undistilled.put(judge, {"trace_ids": sorted(change.undistilled)})

    def _refuse_forgotten(self, change: MemoryChange) -> None:
        traces = {episode.trace_id for episode in change.put_episodes}
        traces |= {
            said.trace_id for rule in change.put_guidelines for said in (*rule.sources, *rule.contradicted)
        }
        forgotten = sorted(trace_id for trace_id in traces if self._traces.is_forgotten(trace_id))
        if forgotten:
            raise StorageError(f"Nothing is learned from trace {forgotten[0]}: it was forgotten meanwhile.")


class VectorShelf:
    """The tables of vectors and of whom they belong to; for use inside a transaction."""

    def __init__(self, documents: Documents, traces: TraceShelf) -> None:
        self._vectors = documents.shelf("vectors")
        self._owned = documents.shelf("vectors_by_owner")
        self._owners = documents.shelf("owners_by_vector")
        self._traces = traces

    def find(self, keys: Collection[VectorKey]) -> dict[VectorKey, Vector]:
        """Those of the vectors that are kept."""
        found = {each: self._vectors.find(_vector_id(each)) for each in keys}
        return {each: unpack_vector(body["vector"]) for each, body in found.items() if body is not None}

    def keep(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep vectors for an owner; none for a trace that was forgotten meanwhile."""
        if self._traces.is_forgotten(owner):
            return
        for each, vector in vectors.items():
            vector_id = _vector_id(each)
            if not self._vectors.has(vector_id):
                self._vectors.put(vector_id, {"vector": pack_vector(vector)})
            self._owned.put(key(owner, vector_id), {"vector_id": vector_id})
            self._owners.put(key(vector_id, owner), {})

    def drop(self, owners: Collection[str]) -> None:
        """Erase the vectors that have no owner besides these."""
        for owner in owners:
            for place, body in self._owned.span(*below(owner)):
                vector_id: str = body["vector_id"]
                self._owned.discard(place)
                self._owners.discard(key(vector_id, owner))
                if not self._owners.span(*below(vector_id), limit=1):
                    self._vectors.discard(vector_id)


class Memories:
    """Memories and vectors, for the core. Every method raises `StorageError`."""

    def __init__(self, worker: Worker, memories: MemoryShelf, vectors: VectorShelf) -> None:
        self._worker = worker
        self._memories = memories
        self._vectors = vectors

    async def judges(self) -> list[str]:
        """Names of the judges that have ever learned anything, by name."""
        return await self._worker.read(self._memories.judges)

    async def load(self, judge: str) -> MemorySnapshot:
        """Read all of a judge's memory, episodes in order of learning; an unknown judge's is empty."""
        return await self._worker.read(self._memories.load, judge)

    async def save(self, judge: str, change: MemoryChange) -> None:
        """Apply the change, all or nothing."""
        await self._worker.write(self._memories.save, judge, change)

    async def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        """Look up vectors; unknown ones are missing from the answer."""
        return await self._worker.read(self._vectors.find, keys)

    async def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        """Keep vectors until their last owner drops them; a forgotten trace owns nothing."""
        await self._worker.write(self._vectors.keep, owner, vectors)

    async def drop_vectors(self, owners: Collection[str]) -> None:
        """Erase what these owners alone had kept."""
        await self._worker.write(self._vectors.drop, owners)


def _vector_id(vector: VectorKey) -> str:
    return key(vector.model, str(vector.dimension), vector.digest)
