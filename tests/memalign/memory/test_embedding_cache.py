import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from memalign.errors import ModelRefusedError
from memalign.memory.embedding_cache import MAX_BATCH_TEXTS, VectorCache
from memalign.ports import Embeddings
from memalign.records import Usage
from tests.fakes import DIMENSION, DOWN, FakeEmbedder, FakeStore, direction


async def test_the_same_text_is_embedded_once() -> None:
    embedder = FakeEmbedder()
    cache = VectorCache(embedder, None)

    await cache.find(["a", "b", "a"])
    lookup = await cache.find(["b", "a"])

    assert embedder.texts == ["a", "b"]
    assert lookup.usage == Usage()
    assert np.allclose(lookup.vectors["a"], direction("a"))


async def test_many_who_ask_at_once_share_one_call() -> None:
    embedder = FakeEmbedder()
    cache = VectorCache(embedder, None)

    lookups = await asyncio.gather(*(cache.find(["same"]) for _ in range(20)))

    assert embedder.texts == ["same"]
    assert all("same" in lookup.vectors for lookup in lookups)
    assert sum(lookup.usage.calls for lookup in lookups) == 1


async def test_one_who_gives_up_does_not_spoil_it_for_the_others() -> None:
    opened = asyncio.Event()

    class Slow(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            await opened.wait()
            return await super().embed(texts)

    cache = VectorCache(Slow(), None)
    first = asyncio.create_task(cache.find(["x"]))
    second = asyncio.create_task(cache.find(["x"]))
    await asyncio.sleep(0)
    first.cancel()
    opened.set()

    assert "x" in (await second).vectors


async def test_many_texts_go_in_batches() -> None:
    embedder = FakeEmbedder()

    lookup = await VectorCache(embedder, None).find([f"text {n}" for n in range(MAX_BATCH_TEXTS + 1)])

    assert sorted(map(len, embedder.batches)) == [1, MAX_BATCH_TEXTS]
    assert len(lookup.vectors) == MAX_BATCH_TEXTS + 1
    assert lookup.usage.calls == 2


async def test_a_failing_batch_is_told_text_by_text_and_tried_again() -> None:
    embedder = FakeEmbedder()
    embedder.errors.append(DOWN)
    cache = VectorCache(embedder, None)

    assert (await cache.find(["a"])).failed == {"a": str(DOWN)}
    assert "a" in (await cache.find(["a"])).vectors


async def test_a_refusing_model_does_not_raise_either() -> None:
    embedder = FakeEmbedder()
    embedder.errors.append(ModelRefusedError("no key"))

    assert (await VectorCache(embedder, None).find(["a"])).failed == {"a": "no key"}


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
async def test_a_vector_without_direction_is_refused_and_its_neighbour_kept(bad: float) -> None:
    class Broken(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            rows = np.stack([direction(text) for text in texts])
            rows[0] = bad
            return Embeddings(vectors=rows, usage=Usage(calls=1))

    lookup = await VectorCache(Broken(), None).find(["bad", "good"])

    assert list(lookup.vectors) == ["good"]
    assert "without direction" in lookup.failed["bad"]


async def test_vectors_of_another_dimension_are_refused() -> None:
    class Wide(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            return Embeddings(vectors=np.ones((len(texts), DIMENSION + 1), np.float32), usage=Usage(calls=1))

    lookup = await VectorCache(Wide(), None).find(["a"])

    assert "set embedding_dim" in lookup.failed["a"]


async def test_rows_have_length_one_whatever_the_model_gives() -> None:
    class Long(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            return Embeddings(vectors=np.full((len(texts), DIMENSION), 9.0, np.float32), usage=Usage(calls=1))

    lookup = await VectorCache(Long(), None).find(["a"])

    assert float(np.linalg.norm(lookup.vectors["a"])) == pytest.approx(1.0)


async def test_what_the_store_has_is_not_embedded_again() -> None:
    store = FakeStore()
    first = VectorCache(FakeEmbedder(), store)
    await first.keep("tr-1", (await first.find(["a"])).vectors)
    embedder = FakeEmbedder()

    lookup = await VectorCache(embedder, store).find(["a"])

    assert embedder.batches == []
    assert np.allclose(lookup.vectors["a"], direction("a"))


async def test_a_vector_goes_with_its_last_owner() -> None:
    store = FakeStore()
    cache = VectorCache(FakeEmbedder(), store)
    vectors = (await cache.find(["a"])).vectors
    await cache.keep("tr-1", vectors)
    await cache.keep("tr-2", vectors)

    await cache.drop(["tr-1"], [])
    assert len(store.rows) == 1
    await cache.drop(["tr-2"], ["a"])
    assert store.rows == {}
    assert await cache.known(["a"]) == {}
