"""Vectors of texts, each made once: in memory, then in the store, then by the embedding model."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

import numpy as np

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.ports import Embedder, Matrix, MemoryStore, Vector, VectorKey
from memalign.records import Usage
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

KEPT_IN_MEMORY = 4_096
BATCH_TEXTS = 256
BATCH_TOKENS = 100_000
"""Batches of texts are within what providers take in one request."""
SPLITS = 24
"""How often a batch that was refused is halved to find the text that is to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Vectors by text; a text whose vector could not be had has a reason instead."""

    vectors: Mapping[str, Vector]
    failed: Mapping[str, str]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What became of one text."""

    row: Vector | None
    reason: str
    """Why there is no row, if there is none."""
    usage: Usage = field(default_factory=Usage)
    """The text's share of a call."""


class VectorCache:
    """Looks vectors up by what made them, and has each missing one made once, however many ask for it."""

    def __init__(self, embedder: Embedder, store: MemoryStore | None) -> None:
        self._embedder = embedder
        self._store = store
        self._kept: OrderedDict[VectorKey, Vector] = OrderedDict()
        self._coming: dict[VectorKey, asyncio.Future[_Made]] = {}
        self._wanted: list[str] = []
        """Texts asked for since the event loop came round; they share a call."""
        self._making: set[asyncio.Task[None]] = set()

    def key(self, text: str) -> VectorKey:
        """What names the text's vector."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return VectorKey(model=self._embedder.name, dimension=self._embedder.dimension, digest=digest)

    async def known(self, texts: Iterable[str]) -> dict[str, Vector]:
        """The vectors that need no model call. Raises `StorageError`."""
        keys = {text: self.key(text) for text in texts}
        found = {key: self._kept[key] for key in keys.values() if key in self._kept}
        missing = {key for key in keys.values() if key not in found}
        if missing and self._store:
            read = await self._store.vectors(missing)
            found.update(read)
            self._remember(read)
        return {text: found[key] for text, key in keys.items() if key in found}

    async def find(self, texts: Iterable[str]) -> Found:
        """The vectors of the texts, made where need be; failures are told text by text.

        Raises `StorageError`. The usage is that of the calls made for this caller.
        """
        wanted = list(dict.fromkeys(texts))
        vectors = await self.known(wanted)
        missing = [text for text in wanted if text not in vectors]
        started = [self._ask(text) for text in missing if self.key(text) not in self._coming]
        coming = {text: self._coming[self.key(text)] for text in missing}
        if coming:
            await asyncio.wait(coming.values())
        made = {text: future.result() for text, future in coming.items()}
        vectors.update({text: one.row for text, one in made.items() if one.row is not None})
        failed = {text: one.reason for text, one in made.items() if one.row is None}
        usage = sum((future.result().usage for future in started), Usage())
        return Found(vectors=vectors, failed=failed, usage=usage)

    def prime(self, vectors: Mapping[str, Vector]) -> None:
        """Take in the vectors of texts that were embedded elsewhere, by the same model."""
        self._remember({self.key(text): row for text, row in vectors.items()})

    async def keep(self, owner: str, vectors: Mapping[str, Vector]) -> None:
        """Keep the vectors of these texts in the store until their last owner goes. Raises `StorageError`."""
        if self._store and vectors:
            await self._store.keep_vectors(owner, {self.key(text): row for text, row in vectors.items()})

    async def drop(self, owners: Collection[str], texts: Iterable[str]) -> None:
        """Erase what these owners alone had kept, and the texts' vectors here. Raises `StorageError`."""
        for text in texts:
            self._kept.pop(self.key(text), None)
        if self._store and owners:
            await self._store.drop_vectors(owners)

    def _ask(self, text: str) -> "asyncio.Future[_Made]":
        """Have a text embedded, together with what else is asked for before the event loop comes round."""
        loop = asyncio.get_running_loop()
        if not self._wanted:
            loop.call_soon(self._start)
        self._wanted.append(text)
        future: asyncio.Future[_Made] = loop.create_future()
        self._coming[self.key(text)] = future
        return future

    def _start(self) -> None:
        wanted, self._wanted = self._wanted, []
        for batch in _batches(wanted):
            task = asyncio.create_task(self._make(batch))
            self._making.add(task)
            task.add_done_callback(self._making.discard)

    async def _make(self, texts: Sequence[str]) -> None:
        try:
            made = await self._embed(texts, [SPLITS])
            self._remember({self.key(text): one.row for text, one in made.items() if one.row is not None})
        except asyncio.CancelledError:
            for text in texts:
                self._coming.pop(self.key(text)).cancel()
            raise
        except Exception as error:  # those who wait for the texts hear of it
            for text in texts:
                self._coming.pop(self.key(text)).set_exception(error)
            return
        for text in texts:
            self._coming.pop(self.key(text)).set_result(made[text])

    async def _embed(self, texts: Sequence[str], splits: list[int]) -> dict[str, "_Made"]:
        """Embed a batch; where something in it is refused, its halves."""
        _log.debug("%s embeds %d texts", self._embedder.name, len(texts))
        try:
            embedded = await self._embedder.embed(texts)
            rows = _rows(embedded.vectors, len(texts), self._embedder)
        except RequestRefusedError as error:
            if len(texts) == 1 or splits[0] <= 0:
                return {text: _Made(row=None, reason=str(error)) for text in texts}
            splits[0] -= 1
            halves = texts[: len(texts) // 2], texts[len(texts) // 2 :]
            return {**await self._embed(halves[0], splits), **await self._embed(halves[1], splits)}
        except ModelError as error:
            return {text: _Made(row=None, reason=str(error)) for text in texts}
        reason = f"{self._embedder.name} gave a vector without direction; try again, or choose another model."
        shares = _shared(embedded.usage, texts)
        return {
            text: _Made(row=row, reason=reason, usage=share)
            for text, row, share in zip(texts, rows, shares, strict=True)
        }

    def _remember(self, vectors: Mapping[VectorKey, Vector]) -> None:
        for key, row in vectors.items():
            self._kept[key] = row
            self._kept.move_to_end(key)
        while len(self._kept) > KEPT_IN_MEMORY:
            self._kept.popitem(last=False)


def _rows(vectors: Matrix, count: int, embedder: Embedder) -> list[Vector | None]:
    """Each row at length 1, or None where it has no direction (zeros, or not finite)."""
    matrix = np.asarray(vectors, dtype=np.float32)
    if matrix.shape != (count, embedder.dimension):
        raise MalformedAnswerError(
            f"{embedder.name} gave vectors of shape {matrix.shape} where {(count, embedder.dimension)} was "
            "asked for; set embedding_dim to what the model gives."
        )
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(matrix, axis=1)
        return [
            np.ascontiguousarray(row / length) if np.isfinite(length) and length > 0 else None
            for row, length in zip(matrix, lengths, strict=True)
        ]


def _shared(usage: Usage, texts: Sequence[str]) -> list[Usage]:
    """What each text cost: its share of the tokens by its length; the first one is charged for the call."""
    ends = list(accumulate(map(count_tokens, texts)))
    upto = [usage.embedding_tokens * end // max(1, ends[-1]) for end in ends]
    return [
        replace(usage if place == 0 else Usage(), embedding_tokens=end - start)
        for place, (start, end) in enumerate(pairwise([0, *upto]))
    ]


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    tokens = 0
    for text in texts:
        size = count_tokens(text)
        if batch and (len(batch) == BATCH_TEXTS or tokens + size > BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += size
    if batch:
        yield batch
