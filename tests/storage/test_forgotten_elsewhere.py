"""Two processes with one judge's memory: what one learns or forgets the other has, and its verdicts rest on."""

import asyncio

import pytest

from memalign.errors import ForgottenMeanwhileError
from storage.database import Database
from storage.records import CardRoom, NewCard
from tests.factories import a_memory, a_trace, a_vote
from tests.storage.records import DAY, NOON_MS, trace, verdict
from tests.storage.test_two_writers import Gate, gated_memory, rules

JUDGE = "politeness"


async def version(db: Database) -> int:
    return (await db.memories.versions([JUDGE]))[JUDGE]


async def test_another_processes_lesson_is_read_as_soon_as_its_version_is_known(db: Database) -> None:
    first, second = await a_memory(store=db.memories), await a_memory(store=db.memories)
    await first.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))])
    assert await second.refresh(await version(db))
    assert rules(second) == rules(first) == {("curt", ("tr-1",))}
    assert not await second.refresh(await version(db))
    assert second.stored_version == first.stored_version
    assert second.foreign_forgets == 0


async def test_what_another_process_forgot_is_known_to_be_forgotten(db: Database) -> None:
    first, second = await a_memory(store=db.memories), await a_memory(store=db.memories)
    await first.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))])
    await second.refresh(await version(db))
    await first.forget(["tr-1"])
    await second.refresh(await version(db))
    assert (rules(second), second.foreign_forgets, first.foreign_forgets) == (set(), 1, 0)


async def test_words_read_before_another_process_forgot_their_person_are_not_learned(db: Database) -> None:
    gate = Gate()
    waiting, other = await gated_memory(db, gate), await a_memory(store=db.memories)
    learning = asyncio.create_task(waiting.learn([a_trace("tr-1", a_vote(False, "curt", "ana"))]))
    await gate.reached.wait()
    await other.forget_person("ana", ["tr-1"])
    gate.opened.set()
    with pytest.raises(ForgottenMeanwhileError):
        await learning
    memory = await db.memories.load(JUDGE)
    assert (memory.guidelines, memory.episodes) == ((), {})


async def test_a_forgetting_that_finds_nothing_in_memory_is_known_to_others_nevertheless(
    db: Database,
) -> None:
    first, second = await a_memory(store=db.memories), await a_memory(store=db.memories)
    await first.forget_person("ana", [])
    await second.refresh(await version(db))
    assert second.foreign_forgets == 1


def card(trace_id: str, **fields: object) -> NewCard:
    return NewCard(
        verdict=verdict(trace_id, JUDGE),
        channel="C1",
        judged_ms=NOON_MS,
        day=DAY,
        **fields,  # type: ignore[arg-type]
    )


async def test_a_verdict_given_before_a_forgetting_is_not_stored(db: Database) -> None:
    await db.traces.add([(trace("tr-1"), [JUDGE])], NOON_MS, 10)
    memory = await a_memory(store=db.memories)
    before = memory.stored_version
    await memory.forget(["tr-9"])
    with pytest.raises(ForgottenMeanwhileError):
        await db.verdicts.keep_card(card("tr-1", memory_version=before))
    assert await db.traces.waiting() == 1
    assert await db.verdicts.keep_card(card("tr-1", memory_version=memory.stored_version))
    assert await db.traces.waiting() == 0


async def test_the_last_place_of_a_day_is_one_replicas(db: Database) -> None:
    await db.traces.add([(trace(f"tr-{number}"), [JUDGE]) for number in range(3)], NOON_MS, 10)
    room = CardRoom(channel=2, judge=9, start_ms=NOON_MS - 1, end_ms=NOON_MS + 1)
    kept = [await db.verdicts.keep_card(card(f"tr-{number}", room=room)) for number in range(3)]
    assert kept == [True, True, False]
    assert (await db.traces.waiting(), await db.outbox.waiting()) == (0, 2)
    assert await db.traces.get("tr-2") is None
    assert await db.traces.contains("tr-2") is False
