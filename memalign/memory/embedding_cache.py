"""Vectors of texts, each made once: kept in memory, then in the store, then asked of the embedding model."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

import numpy as np

from memalign.batches import token_batches
from memalign.errors import ModelError, ModelRefusedError
from memalign.fault_search import FaultSearch, KnownFaults
from memalign.ports import Embedder, Embeddings, Matrix, MemoryStore, Vector, VectorKey
from memalign.records import Usage
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

MAX_VECTORS_IN_MEMORY = 4_096
"""8 MB at 512 dimensions; what was used longest ago goes first."""
MAX_BATCH_TEXTS = 256
MAX_BATCH_TOKENS = 100_000
"""Both below what OpenAI takes in one embeddings request (2,048 texts, 300,000 tokens)."""
MAX_BATCH_NUMBERS = 400_000
"""Numbers in the vectors of a batch; as text they take some 22 bytes each, and answers are read up to 10 MB."""

PROBE_TEXT = "Hello."
"""Embedded to see if the model answers at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLookup:
    """Vectors by text, or the reason why there is none."""

    vectors: Mapping[str, Vector]
    failed: Mapping[str, str]
    """Text -> why it could not be embedded."""
    retry_after: float = 0.0
    """Seconds after which the model's service asks to be called again."""
    usage: Usage
    """The cost of the calls that this lookup caused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _EmbeddedText:
    """The row of one text, or the reason why there is none."""

    row: Vector | None
    reason: str
    """The failure, where there is no row."""
    retry_after: float = 0.0
    usage: Usage = field(default_factory=Usage)
    """The text's share of a call."""


class VectorCache:
    """Looks vectors up by what made them, and has each missing one made once, however many ask for it.

    Args:
        embedder: Makes missing vectors.
        store: Keeps vectors for good; None: they are kept in memory only.
    """

    def __init__(self, embedder: Embedder, store: MemoryStore | None) -> None:
        self._embedder = embedder
        self._store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop on which the calls under way run."""
        self._in_memory: OrderedDict[VectorKey, Vector] = OrderedDict()
        self._under_way: dict[VectorKey, asyncio.Future[_EmbeddedText]] = {}
        self._queue: list[str] = []
        """Texts asked for since the event loop's last turn; they share a call."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults = KnownFaults()
        """Keys of texts that the model failed at, or refused, while it embedded others."""

    @property
    def space(self) -> tuple[str, int]:
        """The model, as `provider:/name`, and the dimension of its vectors."""
        return self._embedder.name, self._embedder.dimension

    def key(self, text: str) -> VectorKey:
        """Name the vector of a text.

        Args:
            text: Any text, half surrogate pairs included.

        Returns:
            Model, dimension and SHA-256 of the text.
        """
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return VectorKey(model=self._embedder.name, dimension=self._embedder.dimension, digest=digest)

    async def known(self, texts: Iterable[str]) -> dict[str, Vector]:
        """Look up the vectors that need no model call.

        Args:
            texts: What to look up.

        Returns:
            By text; unknown ones are missing.

        Raises:
            StorageError: If the store cannot be read.
        """
        keys = {text: self.key(text) for text in texts}
        rows = {key: self._in_memory[key] for key in keys.values() if key in self._in_memory}
        missing = {key for key in keys.values() if key not in rows}
        if missing and self._store:
            stored = await self._store.vectors(missing)
            rows.update(stored)
            self._remember(stored)
        return {text: rows[key] for text, key in keys.items() if key in rows}

    async def find(self, texts: Iterable[str]) -> VectorLookup:
        """Look up vectors, and have the missing ones made.

        Args:
            texts: What to look up; the same text may be given twice.

        Returns:
            A vector or a reason for each text.

        Raises:
            StorageError: If the store cannot be read.
        """
        self._forget_calls_of_another_loop()
        wanted = list(dict.fromkeys(texts))
        vectors = await self.known(wanted)
        missing = [text for text in wanted if text not in vectors]
        started = [self._request(text) for text in missing if self.key(text) not in self._under_way]
        futures = {text: self._under_way[self.key(text)] for text in missing}
        if futures:
            await asyncio.wait(futures.values())
        outcomes = {text: future.result() for text, future in futures.items()}
        vectors.update({text: outcome.row for text, outcome in outcomes.items() if outcome.row is not None})
        failed = {text: outcome.reason for text, outcome in outcomes.items() if outcome.row is None}
        usage = sum((future.result().usage for future in started), Usage())
        pause = max((outcome.retry_after for outcome in outcomes.values()), default=0.0)
        return VectorLookup(vectors=vectors, failed=failed, retry_after=pause, usage=usage)

    def prime(self, vectors: Mapping[str, Vector]) -> None:
        """Take in vectors that the same model made before.

        Args:
            vectors: By text.
        """
        self._remember({self.key(text): row for text, row in vectors.items()})

    async def keep(self, owner: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors in the store until their last owner drops them.

        Args:
            owner: A trace id or a guideline id.
            vectors: By text.

        Raises:
            StorageError: If the store cannot be written.
        """
        if self._store and vectors:
            await self._store.keep_vectors(owner, {self.key(text): row for text, row in vectors.items()})

    async def drop(self, owners: Collection[str], texts: Iterable[str]) -> None:
        """Delete vectors from the store and from memory.

        Args:
            owners: What these alone had kept goes from the store.
            texts: Their vectors go from memory.

        Raises:
            StorageError: If the store cannot be written.
        """
        for text in texts:
            self._in_memory.pop(self.key(text), None)
            self._faults.remove([self.key(text)])
        if self._store and owners:
            await self._store.drop_vectors(owners)

    def _forget_calls_of_another_loop(self) -> None:
        """Forget calls that nobody will answer: in a forked process the loop that made them is the parent's."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._under_way, self._queue, self._tasks = loop, {}, [], set()

    def _request(self, text: str) -> "asyncio.Future[_EmbeddedText]":
        """Have a text embedded, together with what else is asked for in this turn of the event loop."""
        loop = asyncio.get_running_loop()
        if not self._queue:
            loop.call_soon(self._start)
        self._queue.append(text)
        future: asyncio.Future[_EmbeddedText] = loop.create_future()
        self._under_way[self.key(text)] = future
        return future

    def _start(self) -> None:
        texts, self._queue = self._queue, []
        max_texts = max(1, min(MAX_BATCH_TEXTS, MAX_BATCH_NUMBERS // self._embedder.dimension))
        others = [text for text in texts if self.key(text) not in self._faults]
        batches = token_batches(others, count_tokens, max_items=max_texts, max_tokens=MAX_BATCH_TOKENS)
        search: FaultSearch[str] = FaultSearch(lambda: self._embedder.embed([PROBE_TEXT]))
        for batch in (*batches, *self._faulty_batches(texts)):
            task = asyncio.create_task(self._fulfil(batch, search))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _faulty_batches(self, texts: Sequence[str]) -> list[list[str]]:
        """Batch texts that the model failed at before, each alone; those not tried now fail for the known reason."""
        faulty = {self.key(text): text for text in texts if self.key(text) in self._faults}
        tried = self._faults.next_tries(faulty)
        for key in faulty.keys() - tried:
            outcome = _EmbeddedText(row=None, reason=self._faults.reason(key))
            self._under_way.pop(key).set_result(outcome)
        return [[text] for key, text in faulty.items() if key in tried]

    async def _fulfil(self, texts: Sequence[str], search: FaultSearch[str]) -> None:
        try:
            outcomes = await self._embed(texts, search)
            rows = {text: outcome.row for text, outcome in outcomes.items() if outcome.row is not None}
            self._remember({self.key(text): row for text, row in rows.items()})
        except asyncio.CancelledError:
            for text in texts:
                self._under_way.pop(self.key(text)).cancel()
            raise
        except Exception as error:  # a bug: those who wait for the texts get it
            for text in texts:
                self._under_way.pop(self.key(text)).set_exception(error)
            return
        for text in texts:
            self._under_way.pop(self.key(text)).set_result(outcomes[text])

    async def _embed(self, texts: Sequence[str], search: FaultSearch[str]) -> dict[str, _EmbeddedText]:
        outcomes: dict[str, _EmbeddedText] = {}
        for part, result in await search.call(texts, self._call):
            if isinstance(result, ModelError):
                failure = _EmbeddedText(
                    row=None, reason=str(result), retry_after=getattr(result, "retry_after", None) or 0.0
                )
                outcomes |= dict.fromkeys(part, failure)
            else:
                outcomes |= self._outcomes(part, result)
                self._faults.remove(map(self.key, part))
        for text in search.faulty.keys() & set(texts):
            self._faults.add(self.key(text), str(search.faulty[text]))
        return outcomes

    async def _call(self, texts: Sequence[str]) -> Embeddings:
        _log.debug("%s embeds %d texts", self._embedder.name, len(texts))
        embeddings = await self._embedder.embed(texts)
        expected = (len(texts), self._embedder.dimension)
        if embeddings.vectors.shape != expected:
            raise ModelRefusedError(
                f"{self._embedder.name} gave vectors of shape {embeddings.vectors.shape} where {expected} was "
                "asked for; set embedding_dim to what the model gives."
            )
        return embeddings

    def _outcomes(self, texts: Sequence[str], embeddings: Embeddings) -> dict[str, _EmbeddedText]:
        reason = f"{self._embedder.name} gave a vector without direction; try again, or choose another model."
        rows, shares = _normalised(embeddings.vectors), _shared(embeddings.usage, texts)
        return {
            text: _EmbeddedText(row=row, reason=reason, usage=share)
            for text, row, share in zip(texts, rows, shares, strict=True)
        }

    def _remember(self, vectors: Mapping[VectorKey, Vector]) -> None:
        for key, row in vectors.items():
            self._in_memory[key] = row
            self._in_memory.move_to_end(key)
        while len(self._in_memory) > MAX_VECTORS_IN_MEMORY:
            self._in_memory.popitem(last=False)


def _normalised(matrix: Matrix) -> list[Vector | None]:
    """Return each row at length 1, or None where it has no direction (zeros, or not finite)."""
    matrix = np.asarray(matrix, dtype=np.float32)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(matrix, axis=1)
        return [
            np.ascontiguousarray(row / length) if np.isfinite(length) and length > 0 else None
            for row, length in zip(matrix, lengths, strict=True)
        ]


def _shared(usage: Usage, texts: Sequence[str]) -> list[Usage]:
    """Return each text's share of the tokens, by its length; the first one is charged for the call."""
    ends = list(accumulate(map(count_tokens, texts)))
    upto = [usage.embedding_tokens * end // max(1, ends[-1]) for end in ends]
    return [
        replace(usage if place == 0 else Usage(), embedding_tokens=end - start)
        for place, (start, end) in enumerate(pairwise([0, *upto]))
    ]
