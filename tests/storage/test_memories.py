from dataclasses import replace

import numpy as np
import pytest

from memalign.errors import StaleMemoryError
from memalign.ports import MemoryChange, MemorySnapshot, MemoryStore, Vector, VectorKey
from memalign.records import Episode, Guideline, GuidelineForm, Handling, PersonLabel, Source
from storage.database import Database


def episode(trace_id: str, rationale: str = "kind") -> Episode:
    opinion = PersonLabel(person="U1", value=True, rationale=rationale, time_ms=1)
    return Episode(trace_id=trace_id, label=True, fields={"inputs": "q"}, text="q", opinions=(opinion,))


def guideline(guideline_id: str, text: str = "Thank people.") -> Guideline:
    return Guideline(id=guideline_id, text=text, sources=(Source(trace_id="a", person="U1", quote="kind"),))


def vector_key(text: str, model: str = "local:/wordllama") -> VectorKey:
    return VectorKey(model=model, dimension=3, digest=text)


def vector(*numbers: float) -> Vector:
    return np.array(numbers, dtype=np.float32)


async def test_it_is_what_the_core_asks_for(db: Database) -> None:
    store: MemoryStore = db.memories
    assert await store.load("nobody") == MemorySnapshot()


async def test_a_memory_comes_back_whole_and_apart_from_others(db: Database) -> None:
    change = MemoryChange(
        put_episodes=(episode("b"), episode("a")),
        put_guidelines=(guideline("g2"), guideline("g1")),
        undistilled=frozenset({"a"}),
    )
    await db.memories.save("polite", change)
    await db.memories.save("polit", MemoryChange(put_episodes=(episode("z"),)))
    snapshot = await db.memories.load("polite")
    assert snapshot == MemorySnapshot(
        episodes={"b": episode("b"), "a": episode("a")},
        guidelines=(guideline("g2"), guideline("g1")),
        undistilled=frozenset({"a"}),
        version=1,
        number=1,
    )
    assert list(snapshot.episodes) == ["b", "a"]


async def test_what_is_learned_anew_is_learned_last(db: Database) -> None:
    await db.memories.save("p", MemoryChange(put_episodes=(episode("a"), episode("b"), episode("c"))))
    await db.memories.save("p", MemoryChange(put_episodes=(episode("a", "curt"),), from_version=1))
    await db.memories.save(
        "p", MemoryChange(drop_episodes=frozenset({"b"}), put_episodes=(episode("b"),), from_version=2)
    )
    snapshot = await db.memories.load("p")
    assert list(snapshot.episodes) == ["c", "a", "b"]
    assert snapshot.episodes["a"] == episode("a", "curt")


async def test_a_changed_guideline_keeps_its_place_and_a_dropped_one_goes(db: Database) -> None:
    rules = (guideline("g3"), guideline("g1"), guideline("g2"))
    await db.memories.save("p", MemoryChange(put_guidelines=rules, undistilled=frozenset({"x"})))
    changed = replace(rules[0], waiting=True)
    await db.memories.save(
        "p", MemoryChange(put_guidelines=(changed,), drop_guidelines=frozenset({"g1", "no"}), from_version=1)
    )
    snapshot = await db.memories.load("p")
    assert snapshot.guidelines == (changed, rules[2])
    assert snapshot.undistilled == frozenset()


async def test_vectors_are_known_by_what_made_them(db: Database) -> None:
    await db.memories.keep_vectors("tr-1", {vector_key("a"): vector(1, 0, 0)})
    asked = [vector_key("a"), vector_key("b"), vector_key("a", "openai:/x")]
    vectors = await db.memories.vectors(asked)
    assert list(vectors) == [vector_key("a")]
    assert vectors[vector_key("a")].tolist() == [1, 0, 0]


async def test_a_vector_stays_until_its_last_owner_drops_it(db: Database) -> None:
    shared, own = vector_key("shared"), vector_key("own")
    await db.memories.keep_vectors("tr-1", {shared: vector(1, 0, 0), own: vector(0, 1, 0)})
    await db.memories.keep_vectors("tr-1", {shared: vector(1, 0, 0)})
    await db.memories.keep_vectors("tr-2", {shared: vector(1, 0, 0)})
    await db.memories.drop_vectors(["tr-1", "nobody"])
    assert set(await db.memories.vectors([shared, own])) == {shared}
    await db.memories.drop_vectors({"tr-2"})
    assert await db.memories.vectors([shared, own]) == {}


async def test_a_forgotten_trace_owns_no_vector_any_more(db: Database) -> None:
    shared, own = vector_key("shared"), vector_key("own")
    await db.memories.keep_vectors("tr-1", {shared: vector(1, 0, 0), own: vector(0, 1, 0)})
    await db.memories.keep_vectors("g1", {shared: vector(1, 0, 0)})
    await db.forgetting.delete_traces(["tr-1"])
    assert set(await db.memories.vectors([shared, own])) == {shared}
    await db.memories.keep_vectors("tr-1", {own: vector(0, 1, 0)})
    assert await db.memories.vectors([own]) == {}


async def test_a_change_of_an_earlier_version_is_refused_and_changes_nothing(db: Database) -> None:
    await db.memories.save("p", MemoryChange(put_episodes=(episode("a"),)))
    for behind in (0, 2):
        with pytest.raises(StaleMemoryError, match="changed by another writer"):
            await db.memories.save("p", MemoryChange(put_episodes=(episode("b"),), from_version=behind))
    assert list((await db.memories.load("p")).episodes) == ["a"]


async def test_guidelines_that_come_and_go_are_in_the_audit_with_the_change(db: Database) -> None:
    rules = (guideline("g2"), guideline("g1"))
    await db.memories.save("p", MemoryChange(put_guidelines=rules, at_ms=5))
    replaced = MemoryChange(
        put_guidelines=(replace(rules[0], waiting=True), guideline("g3")),
        drop_guidelines=frozenset({"g1", "never there"}),
        from_version=1,
        at_ms=6,
    )
    await db.memories.save("p", replaced)
    with pytest.raises(StaleMemoryError):
        await db.memories.save("p", replaced)
    lines = [(line.at_ms, line.what, line.judge, line.ids) for line in await db.audit.between(0, 10)]
    assert lines == [
        (5, "guideline_learned", "p", ("g1", "g2")),
        (6, "guideline_learned", "p", ("g3",)),
        (6, "guideline_retired", "p", ("g1",)),
    ]


async def test_a_guideline_that_goes_and_comes_back_by_one_change_is_neither_retired_nor_learned(
    db: Database,
) -> None:
    await db.memories.save("p", MemoryChange(put_guidelines=(guideline("g1"), guideline("g2")), at_ms=5))
    back = replace(guideline("g1"), waiting=True)
    change = MemoryChange(
        put_guidelines=(back,), drop_guidelines=frozenset({"g1", "g2"}), from_version=1, at_ms=6
    )
    await db.memories.save("p", change)
    assert (await db.memories.load("p")).guidelines == (back,)
    assert [(line.what, line.ids) for line in await db.audit.between(6, 10)] == [
        ("guideline_retired", ("g2",))
    ]


DECISION = Handling(person="U7", time_ms=5)


@pytest.mark.parametrize(
    "before",
    [
        replace(guideline("g1"), retired_by=DECISION),
        replace(guideline("g1"), pinned_by=DECISION),
        replace(guideline("g1"), previous=GuidelineForm(text="SECRET words")),
        replace(guideline("g1"), edited_by=DECISION, approved_by="U7", lacks=("people",)),
    ],
)
async def test_a_guideline_keeps_nothing_that_was_cleared(db: Database, before: Guideline) -> None:
    await db.memories.save("p", MemoryChange(put_guidelines=(before,)))
    await db.memories.save("p", MemoryChange(put_guidelines=(guideline("g1"),), from_version=1))
    assert (await db.memories.load("p")).guidelines == (guideline("g1"),)
