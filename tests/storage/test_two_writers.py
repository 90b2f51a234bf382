"""Two memories of one judge on one store: nothing is lost, and each guideline comes and goes in the audit once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Completion, MemoryChange, Prompt
from memalign.records import Json
from storage.database import Database
from storage.memories import Memories
from storage.outbound_queue import OutboundQueue
from tests.factories import a_memory, a_trace, a_vote
from tests.fakes import FakeModel
from tests.storage.records import FOREVER_MS

JUDGE = "politeness"


@dataclass(slots=True)
class Gate:
    """Holds a model's answers back until it is opened."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


class GatedModel(FakeModel):
    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        self._gate.reached.set()
        await self._gate.opened.wait()
        return await super().complete(prompt, schema)


class SlowMemories(Memories):
    """Takes its time to say that a change is stored, the first time."""

    def __init__(self, db: Database) -> None:
        super().__init__(
            db.store,
            db.traces,
            db.feedback,
            db.thread_statuses,
            db.audit,
            db.judge_names,
            db.memory_undo,
            db.rolled_back_cases,
            OutboundQueue(db.store.documents),
        )
        self.saved = asyncio.Event()

    async def save(self, judge: str, change: MemoryChange) -> int:
        number = await super().save(judge, change)
        if not self.saved.is_set():
            self.saved.set()
            await asyncio.Event().wait()
        return number


async def gated_memory(db: Database, gate: Gate) -> JudgeMemory:
    return await a_memory(store=db.memories, distiller=LLMDistiller(GatedModel(gate)))


def rules(memory: JudgeMemory) -> set[tuple[str, tuple[str, ...]]]:
    return {(rule.text, rule.source_trace_ids) for rule in memory.guidelines}


async def guidelines_in_audit(db: Database) -> list[tuple[str, int]]:
    lines = await db.audit.between(0, FOREVER_MS)
    return [(line.what, len(line.ids)) for line in lines if line.what.startswith("guideline")]


async def test_a_writer_that_is_behind_learns_on_top_of_the_other(db: Database) -> None:
    first, second = await a_memory(store=db.memories), await a_memory(store=db.memories)
    await first.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))])
    lesson = await second.learn([a_trace("tr-2", a_vote(False, "cold", "ben"))])
    both = {("curt", ("tr-1",)), ("cold", ("tr-2",))}
    assert rules(second) == both
    assert [rule.text for rule in lesson.added] == ["cold"]
    assert rules(await a_memory(store=db.memories)) == both
    assert await guidelines_in_audit(db) == [("guideline_learned", 1), ("guideline_learned", 1)]


async def test_a_writer_that_is_behind_forgets_what_the_other_has_learned(db: Database) -> None:
    first, second = await a_memory(store=db.memories), await a_memory(store=db.memories)
    await first.learn(
        [a_trace("tr-1", a_vote(False, "curt", "ana")), a_trace("tr-2", a_vote(False, "cold", "ben"))]
    )
    forgotten = await second.forget(["tr-1"])
    assert [rule.text for rule in forgotten.retired] == ["curt"]
    assert rules(second) == {("cold", ("tr-2",))}
    assert list((await db.memories.load(JUDGE)).episodes) == ["tr-2"]
    assert await guidelines_in_audit(db) == [("guideline_learned", 2), ("guideline_retired", 1)]


async def test_a_round_that_waits_for_a_model_takes_in_what_another_writer_did_meanwhile(
    db: Database,
) -> None:
    gate = Gate()
    waiting, other = await gated_memory(db, gate), await a_memory(store=db.memories)
    learning = asyncio.create_task(waiting.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))]))
    await gate.reached.wait()
    await other.learn([a_trace("tr-2", a_vote(False, "curt", "ben"))])
    gate.opened.set()
    await learning
    assert rules(waiting) == {("curt", ("tr-1", "tr-2"))}
    assert rules(await a_memory(store=db.memories)) == rules(waiting)


async def test_a_guideline_retired_while_a_round_of_learning_waits_is_in_the_audit_once(db: Database) -> None:
    gate = Gate()
    memory = await gated_memory(db, gate)
    gate.opened.set()
    await memory.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))])
    gate.opened.clear()
    gate.reached.clear()
    learning = asyncio.create_task(memory.learn([a_trace("tr-2", a_vote(False, "cold", "ben"))]))
    await gate.reached.wait()
    await memory.forget(["tr-1"])
    gate.opened.set()
    await learning
    assert rules(memory) == {("cold", ("tr-2",))}
    assert await guidelines_in_audit(db) == [
        ("guideline_learned", 1),
        ("guideline_retired", 1),
        ("guideline_learned", 1),
    ]


async def test_a_guideline_withdrawn_is_out_of_use_before_a_model_is_asked_about_other_words_for_it(
    db: Database,
) -> None:
    memory = await a_memory(store=db.memories)
    await memory.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))])
    (before,) = memory.guidelines
    await memory.learn([a_trace("tr-1"), a_trace("tr-2", a_vote(False, "curt", "ben"))])
    (after,) = memory.guidelines
    assert (before.id, before.source_trace_ids) == (after.id, ("tr-1",))
    assert after.source_trace_ids == ("tr-2",)
    assert await guidelines_in_audit(db) == [
        ("guideline_learned", 1),
        ("guideline_retired", 1),
        ("guideline_learned", 1),
    ]


async def test_a_change_whose_caller_was_cancelled_is_not_lost(db: Database) -> None:
    store = SlowMemories(db)
    memory = await a_memory(store=store)
    learning = asyncio.create_task(memory.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))]))
    await store.saved.wait()
    learning.cancel()
    await asyncio.wait([learning])
    await memory.learn([a_trace("tr-2", a_vote(False, "cold", "ben"))])
    assert rules(memory) == {("curt", ("tr-1",)), ("cold", ("tr-2",))}
    assert rules(await a_memory(store=db.memories)) == rules(memory)
