"""Another embedding model, or another dimension: nothing is lost or mixed, and the old vectors leave the store."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.learning.outdated_vectors import OutdatedVectors
from memalign.errors import ModelUnavailableError
from memalign.judge_memory import JudgeMemory
from memalign.models import connect_embedder
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Embedder, Embeddings, Vector
from memalign.records import Usage
from memalign.serialization import unpack_vector
from storage.database import Database
from storage.keys import parts_of
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeJudgeModel, FakeModel, direction
from tests.secrets import search

CASES = 30
RATIONALE = "Curt answers are rude."


class Words:
    """Embeds by words, in a space of its own."""

    def __init__(self, name: str, dimension: int) -> None:
        self.name = name
        self.dimension = dimension
        self.is_down = False
        self.opened = asyncio.Event()
        self.opened.set()

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        await self.opened.wait()
        if self.is_down:
            raise ModelUnavailableError("The model is down.")
        rows = np.stack([self._row(f"{self.name} {text}") for text in texts])
        return Embeddings(vectors=rows, usage=Usage())

    def _row(self, text: str) -> Vector:
        """Return a direction by words, with a part of its own, so that its bytes are found again."""
        own = np.random.default_rng(list(text.encode())).standard_normal(self.dimension)
        row: Vector = (direction(text, self.dimension) + 0.01 * own).astype(np.float32)
        return row


def first() -> Embedder:
    return Words("fake:/first", 32)


OTHERS: Mapping[str, tuple[str, int]] = {
    "another model": ("fake:/second", 32),
    "another dimension": ("fake:/first", 48),
    "both": ("fake:/second", 16),
    "a model whose name sorts first": ("fake:/a", 32),
}


async def taught(db: Database) -> JudgeMemory:
    memory = await a_memory(embedder=first(), store=db.memories)
    await memory.learn(
        a_trace(f"tr-{number}", a_vote(number % 3 == 0, RATIONALE), inputs=f"Question {number}?")
        for number in range(CASES)
    )
    # a case that was judged and that nobody answered keeps a vector, too
    await memory.judge(a_trace("tr-unanswered"))
    return memory


async def spaces(db: Database) -> Counter[tuple[str, int]]:
    """The number of stored vectors by model and dimension."""

    def read() -> list[str]:
        return [str(each.doc_id) for each in db.store.documents.table("vectors")]

    parts = [parts_of(each) for each in await db.store.read(read)]
    return Counter((model, int(dimension)) for model, dimension, _ in parts)


async def vectors_of(db: Database, owner: str) -> list[Vector]:
    def read() -> list[Vector]:
        tables = db.store.documents
        owned = [each for each in tables.table("vector_owners") if parts_of(str(each.doc_id))[0] == owner]
        ids = {each["vector_id"] for each in owned}
        return [unpack_vector(each["vector"]) for each in tables.table("vectors") if str(each.doc_id) in ids]

    return await db.store.read(read)


async def owners_without_vector(db: Database) -> int:
    def read() -> int:
        tables = db.store.documents
        ids = {str(each.doc_id) for each in tables.table("vectors")}
        return sum(each["vector_id"] not in ids for each in tables.table("vector_owners"))

    return await db.store.read(read)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def db(folder: Path) -> AsyncIterator[Database]:
    async with await Database.open(folder) as database:
        yield database


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> Words:
    return Words(*OTHERS[request.param])


async def test_vectors_are_made_again_while_the_judge_goes_on_and_old_ones_leave(
    db: Database, other: Words
) -> None:
    before = await taught(db)
    assert set(await spaces(db)) == {("fake:/first", 32)}

    memory = await a_memory(embedder=other, store=db.memories)
    # nothing of the old space is compared with anything of the new one
    assert (dict(memory.state.episodic.vectors), len(memory.pending)) == ({}, CASES)
    deleting = asyncio.create_task(OutdatedVectors(db, {"politeness": memory}, look_seconds=0.01).run())
    verdict = await memory.judge(a_trace("tr-new", inputs="Question 3?"))
    assert verdict.retrieved_trace_ids == ()
    assert not deleting.done()

    await memory.learn(())

    assert memory.pending == {}
    assert {row.shape for row in memory.state.episodic.vectors.values()} == {(2 * other.dimension,)}
    verdict = await memory.judge(a_trace("tr-new", inputs="Question 3?"))
    assert verdict.retrieved_trace_ids
    assert memory.episodes == before.episodes
    assert [rule.text for rule in memory.guidelines] == [rule.text for rule in before.guidelines]
    async with asyncio.timeout(30):
        await deleting
    assert set(await spaces(db)) == {(other.name, other.dimension)}
    assert await owners_without_vector(db) == 0


async def test_a_restart_in_between_goes_on_where_it_was(db: Database, other: Words) -> None:
    await taught(db)
    memory = await a_memory(embedder=other, store=db.memories)
    await memory.learn(())
    again = await a_memory(embedder=other, store=db.memories)
    assert again.pending == {}
    assert len(again.state.episodic.vectors) == CASES


async def test_old_vectors_stay_while_the_new_model_is_down_so_that_one_may_go_back(
    db: Database, other: Words
) -> None:
    before = await taught(db)
    known = await spaces(db)
    other.is_down = True
    memory = await a_memory(embedder=other, store=db.memories)
    deleting = asyncio.create_task(OutdatedVectors(db, {"politeness": memory}, look_seconds=0.01).run())
    verdict = await memory.judge(a_trace("tr-new"))
    assert verdict.note is not None
    lesson = await memory.learn(())
    assert len(lesson.pending) == CASES
    deleting.cancel()
    assert await spaces(db) == known

    back = await a_memory(embedder=first(), store=db.memories)
    assert back.pending == {}
    assert back.state.episodic.vectors.keys() == before.state.episodic.vectors.keys()


async def test_the_floor_is_found_from_the_vectors_of_the_model_in_use(db: Database, other: Words) -> None:
    await taught(db)
    memory = await with_floor_of_its_own(db, other)
    await memory.judge(a_trace("tr-before"))
    await memory.learn(())
    fresh = await with_floor_of_its_own(db, other)
    traces = [a_trace(f"new-{number}", inputs=f"Question {number} about rules?") for number in range(5)]
    for trace in traces:
        first_verdict, second = await memory.judge(trace), await fresh.judge(trace)
        assert first_verdict.retrieved_trace_ids == second.retrieved_trace_ids
        # a row that was stored in two parts and joined again may differ in its last digit
        assert first_verdict.similarities == pytest.approx(second.similarities, abs=1e-6)


async def with_floor_of_its_own(db: Database, embedder: Embedder) -> JudgeMemory:
    return await JudgeMemory.open(
        a_judge(),
        embedder=embedder,
        judge_model=FakeJudgeModel(),
        distiller=LLMDistiller(FakeModel()),
        store=db.memories,
    )


async def test_what_is_forgotten_in_between_leaves_both_spaces(
    db: Database, folder: Path, other: Words
) -> None:
    await taught(db)
    rows = await vectors_of(db, "tr-4")
    assert rows
    assert search(folder, [], rows).found
    memory = await a_memory(embedder=other, store=db.memories)
    await memory.forget(["tr-4"])
    await db.forgetting.delete_traces(["tr-4"])
    await memory.learn(())
    await db.vacuum()
    assert "tr-4" not in memory.episodes
    assert search(folder, ["Question 4?"], rows).found == ()


async def test_the_local_model_takes_over_from_a_served_one(db: Database) -> None:
    await taught(db)
    memory = await a_memory(embedder=connect_embedder("local:/wordllama", 256), store=db.memories)
    await memory.learn(())
    await OutdatedVectors(db, {"politeness": memory}, look_seconds=0.01).run()
    assert set(await spaces(db)) == {("local:/wordllama", 256)}
    verdict = await memory.judge(a_trace("tr-new", inputs="Question 3?"))
    assert verdict.retrieved_trace_ids
