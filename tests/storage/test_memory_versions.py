"""The log of versions in the store: one for each change, by whom and of what; nothing forgotten is left in it."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tinydb.operations import delete

from memalign.errors import StaleMemoryError, StorageError, UnknownVersionError
from memalign.judge_memory import JudgeMemory
from memalign.ports import ChangeCause, MemoryChange, VectorKey
from memalign.records import FORGOTTEN_PERSON, Guideline, Handling, MergedGuideline, PersonLabel, Source
from storage.backup import restore
from storage.database import Database
from storage.engines.sqlite_file import FILE
from storage.memory_history import LogEntry
from storage.memory_reader import MemoryReader
from storage.undo_records import UndoRecord
from tests.conftest import FindBytes
from tests.factories import a_memory, a_trace, a_vote
from tests.storage.records import at, button_event, posted
from tests.storage.test_memories import episode, guideline, vector, vector_key

JUDGE = "politeness"
GREET = "Greet people first."
PRICE = "Name the price with tax."


async def learned(db: Database, trace_id: str, reason: str, person: str = "UANA") -> JudgeMemory:
    memory = await a_memory(store=db.memories)
    await memory.learn([a_trace(trace_id, a_vote(False, reason, person, ms=1))])
    return memory


def told(entry: LogEntry) -> tuple[object, ...]:
    version, difference = entry.version, entry.difference
    return (
        version.number,
        version.kind,
        version.people,
        [rule.text for rule in difference.came],
        [rule.text for rule in difference.went],
        [case.trace_id for case in (*difference.cases_came, *difference.cases_went)],
    )


async def test_each_lesson_edit_forget_and_roll_back_makes_one_version(db: Database) -> None:
    await learned(db, "tr-1", GREET)
    memory = await learned(db, "tr-2", PRICE, "UBEN")
    (rule, _) = memory.guidelines
    await memory.editor.retire(rule.id, "UCEM")
    await memory.versions.roll_back(1, "UZOE")
    await memory.forget(["tr-1"], person="UZOE")

    log = await db.memory_history.log(JUDGE)

    assert [told(entry) for entry in log] == [
        (5, "forget", ("UZOE",), [], [], []),
        (4, "rollback", ("UZOE",), [], [PRICE], ["tr-2"]),
        (3, "edit", ("UCEM",), [], [], []),
        (2, "lesson", ("UBEN",), [PRICE], [], ["tr-2"]),
        (1, "lesson", ("UANA",), [], [], []),
    ]
    forget, rollback, edit, *_ = (entry.version for entry in log)
    assert (forget.cases_forgotten, forget.guidelines_forgotten) == (1, 1)
    assert (rollback.rollback_to, edit.action) == (1, "retire")
    assert all(entry.version.at_ms for entry in log)


async def test_a_forget_is_nobodys_where_nobody_is_named_least_of_all_theirs_whose_words_go(
    db: Database,
) -> None:
    both = (a_vote(False, GREET, "UANA", ms=1), a_vote(False, PRICE, "UBEN", ms=2))
    memory = await learned(db, "tr-1", GREET)
    await memory.learn([a_trace("tr-2", *both), a_trace("tr-3", *both)])
    await memory.forget(["tr-1"])
    await memory.forget_person("UANA", ["tr-2"], by="UANA")
    await memory.forget_person("UBEN", ["tr-3"])

    forgets = [entry.version for entry in await db.memory_history.log(JUDGE, 3)]

    assert [(version.kind, version.people) for version in forgets] == [("forget", ())] * 3


async def test_what_changes_nothing_makes_no_version(db: Database) -> None:
    memory = await learned(db, "tr-1", GREET)
    await memory.learn([a_trace("tr-1", a_vote(False, GREET, "UANA", ms=1))])
    await memory.learn([])
    await memory.forget(["unknown"])
    await db.memories.save(
        JUDGE, MemoryChange(undistilled=frozenset({"tr-1"}), from_version=await version(db))
    )
    assert [entry.version.number for entry in await db.memory_history.log(JUDGE)] == [1]


async def version(db: Database) -> int:
    return (await db.memories.load(JUDGE)).version


async def test_a_note_on_the_settings_is_a_version_that_changes_nothing(db: Database) -> None:
    await learned(db, "tr-1", GREET)
    note = "The instructions were changed."
    await db.store.write(lambda: db.memories.add_settings_version(JUDGE, note, 7))
    memory = await learned(db, "tr-2", PRICE)
    log = await db.memory_history.log(JUDGE)
    assert [(each.version.number, each.version.kind, each.version.note) for each in log] == [
        (3, "lesson", ""),
        (2, "settings", "The instructions were changed."),
        (1, "lesson", ""),
    ]
    assert (await db.memories.load_version(JUDGE, 2)).guidelines == (
        await db.memories.load_version(JUDGE, 1)
    ).guidelines
    assert len(memory.guidelines) == 2


async def test_versions_survive_a_restart_a_backup_and_go_on_counting(folder: Path, tmp_path: Path) -> None:
    async with await Database.open(folder) as db:
        await learned(db, "tr-1", GREET)
        await db.backup(tmp_path / "copy.db")
    await restore(tmp_path / "copy.db", tmp_path / "restored")
    for place in (folder, tmp_path / "restored"):
        async with await Database.open(place) as db:
            memory = await learned(db, "tr-2", PRICE)
            assert memory.state.number == 2
            await memory.versions.roll_back(0, "UZOE")
            assert [entry.version.number for entry in await db.memory_history.log(JUDGE)] == [3, 2, 1]
            assert memory.guidelines == ()


async def test_numbers_go_on_growing_after_everything_was_forgotten(db: Database) -> None:
    memory = await learned(db, "tr-1", GREET)
    await memory.forget(["tr-1"])
    await db.forgetting.delete_traces(["tr-1"])
    memory = await learned(db, "tr-2", PRICE)
    assert memory.state.number == 3


async def test_the_version_of_a_time_is_the_newest_made_before_it(db: Database) -> None:
    for number in range(1, 5):
        change = MemoryChange(
            from_version=number - 1, put_episodes=(episode(f"tr-{number}"),), at_ms=100 * number
        )
        await db.memories.save(JUDGE, change)

    times = (0, 100, 101, 250, 400, 401)

    assert [await db.memory_history.version_at(JUDGE, each) for each in times] == [0, 0, 1, 2, 3, 4]
    assert await db.memory_history.version_at("nobody", 500) == 0


async def test_a_version_that_went_back_or_only_tells_of_the_settings_holds_what_an_older_one_did(
    db: Database,
) -> None:
    await learned(db, "tr-1", GREET)
    memory = await learned(db, "tr-2", PRICE)
    await memory.versions.roll_back(1, "UZOE")
    await db.store.write(lambda: db.memories.add_settings_version(JUDGE, "The instructions changed.", 1))

    assert [await db.memory_history.oldest_equal(JUDGE, each) for each in range(5)] == [0, 1, 2, 1, 1]


async def test_two_versions_are_compared_either_way(db: Database) -> None:
    await learned(db, "tr-1", GREET)
    await learned(db, "tr-2", PRICE)
    forward = await db.memory_history.difference(JUDGE, 1, 2)
    back = await db.memory_history.difference(JUDGE, 2, 1)
    assert [rule.text for rule in forward.came] == [rule.text for rule in back.went] == [PRICE]
    assert (await db.memory_history.difference(JUDGE, 2, 2)).is_empty
    with pytest.raises(UnknownVersionError, match="no version 9; its versions are 0 to 2"):
        await db.memory_history.difference(JUDGE, 1, 9)
    with pytest.raises(UnknownVersionError, match="nothing was changed in it yet"):
        await db.memories.load_version("nobody", 1)


async def test_a_version_is_read_for_judging_and_nothing_is_written(db: Database) -> None:
    await learned(db, "tr-1", GREET)
    await learned(db, "tr-2", PRICE)
    reader = MemoryReader(db.memories, 1)
    memory = await a_memory(store=reader)
    assert [rule.text for rule in memory.guidelines] == [GREET]
    assert set(memory.state.episodic.vectors) == {"tr-1"}
    before = await db.memories.load(JUDGE)
    await memory.judge(a_trace("tr-9"))
    assert await db.memories.load(JUDGE) == before
    assert await db.memories.vectors([VectorKey(model="fake:/words", dimension=64, digest="x")]) == {}
    with pytest.raises(StorageError, match="for reading only"):
        await memory.learn([a_trace("tr-3", a_vote(False, PRICE, "UANA", ms=1))])
    now = await a_memory(store=MemoryReader(db.memories))
    assert len(now.guidelines) == 2


async def test_the_store_of_an_earlier_version_begins_its_history_with_the_next_change(folder: Path) -> None:
    async with await Database.open(folder) as db:
        cases = (episode("c"), episode("a"), episode("b"))
        await db.memories.save("p", MemoryChange(put_episodes=cases, put_guidelines=(guideline("g1"),)))
        await forget_history(db)
    async with await Database.open(folder) as db:
        assert await db.memory_history.log("p") == []
        change = MemoryChange(put_episodes=(episode("c", "curt"),), from_version=1)
        await db.memories.save("p", change)
        assert list((await db.memories.load("p")).episodes) == ["a", "b", "c"]
        before = await db.memories.load_version("p", 0)
        assert list(before.episodes.values()) == list(cases)
        assert before.guidelines == (guideline("g1"),)


async def forget_history(db: Database) -> None:
    """Make the store what an earlier version would have left."""

    def drop() -> None:
        documents = db.store.documents
        for table in ("memory_versions", "memory_undo"):
            documents.drop_table(table)
        memories = documents.table("memories")
        memories.update({"number": 0})
        memories.update(delete("number"))
        memories.update(delete("next_place"))
        documents.table("episodes").update(delete("place"))

    await db.store.write(drop)


async def test_no_byte_of_a_forgotten_trace_is_left_in_any_version(
    db: Database, find_bytes: FindBytes
) -> None:
    memory = await learned(db, "tr-secret", "Reasonzw about it.")
    await memory.learn([a_trace("tr-secret", a_vote(True, "Otherzw words.", "UANA", ms=2))])
    await memory.editor.add("Say goodbye.", "UBEN")
    needles = [b"tr-secret", b"Reasonzw", b"Otherzw"]
    assert find_bytes(needles) != []
    await memory.forget(["tr-secret"])
    await db.forgetting.delete_traces(["tr-secret"])
    assert find_bytes(needles) == []
    assert [entry.version.number for entry in await db.memory_history.log(JUDGE)] == [4, 3, 2, 1]


async def test_a_trace_that_was_withdrawn_and_then_forgotten_leaves_every_version(
    db: Database, find_bytes: FindBytes
) -> None:
    memory = await learned(db, "tr-secret", "Reasonzw about it.")
    await memory.withdraw(["tr-secret"])
    assert [rule.text for rule in (await db.memories.load_version(JUDGE, 1)).guidelines] == [
        "Reasonzw about it."
    ]
    # the memory knows nothing of it any more
    await db.forgetting.delete_traces(["tr-secret"])
    assert find_bytes([b"tr-secret", b"Reasonzw"]) == []
    assert (await db.memories.load_version(JUDGE, 1)).guidelines == ()


async def test_a_forgotten_person_leaves_every_version_and_its_author(
    db: Database, find_bytes: FindBytes
) -> None:
    memory = await learned(db, "tr-1", "Reasonzw about it.", "UGONE")
    (rule,) = memory.guidelines
    await memory.editor.edit(rule.id, "Wordszw of hers.", "UGONE")
    await memory.editor.retire(rule.id, "UBEN")
    await db.forgetting.delete_person("UGONE", 10**15)
    await memory.forget_person("UGONE", ["tr-1"], by="UGONE")
    await db.forgetting.finish_person("UGONE")
    assert find_bytes([b"Reasonzw", b"Wordszw"]) == []
    log = await db.memory_history.log(JUDGE)
    assert [entry.version.people for entry in log] == [
        (),
        ("UBEN",),
        (FORGOTTEN_PERSON,),
        (FORGOTTEN_PERSON,),
    ]


async def test_a_guideline_that_a_forget_parts_shows_its_parts_in_earlier_versions(db: Database) -> None:
    own, other = source("a", "U1"), source("b", "U2")
    merged = MergedGuideline(guideline=rule("g0", "Thank them.", other), prompted_by=(own.key,))
    whole = replace(
        rule("g1", "Thank people.", own, other),
        merged=(merged,),
        own_sources=(own.key,),
        worded_by=(own.key,),
    )
    await db.memories.save("p", MemoryChange(put_guidelines=(whole,)))
    await db.memories.save("p", MemoryChange(drop_guidelines=frozenset({"g1"}), from_version=1))
    await db.forgetting.delete_traces(["a"])
    (part,) = (await db.memories.load_version("p", 1)).guidelines
    assert (part.id, part.text) == ("g0", "Thank them.")


def source(trace_id: str, person: str) -> Source:
    return Source(trace_id=trace_id, person=person, quote=f"said by {person}", time_ms=1)


def rule(rule_id: str, text: str, *sources: Source) -> Guideline:
    return Guideline(id=rule_id, text=text, sources=sources)


async def test_what_was_learned_while_it_was_being_forgotten_gets_into_no_version(db: Database) -> None:
    opinion = PersonLabel(person="U1", value=True, rationale="late words", time_ms=5)
    case = replace(episode("a"), opinions=(opinion, replace(opinion, person="U2", rationale="kept")))
    await db.memories.save("p", MemoryChange(put_episodes=(case,)))
    await db.forgetting.delete_person("U1", 10)
    await db.memories.save("p", MemoryChange(drop_episodes=frozenset({"a"}), from_version=1))
    (kept,) = (await db.memories.load_version("p", 1)).episodes.values()
    assert [each.person for each in kept.opinions] == ["U2"]


async def test_a_refused_change_makes_no_version(db: Database) -> None:
    await db.memories.save("p", MemoryChange(put_guidelines=(guideline("g1"),)))
    with pytest.raises(StaleMemoryError):
        await db.memories.save("p", MemoryChange(put_guidelines=(guideline("g2"),)))
    assert [entry.version.number for entry in await db.memory_history.log("p")] == [1]


async def test_vectors_of_a_version_are_those_that_were_kept(db: Database) -> None:
    await db.memories.keep_vectors("tr-1", {vector_key("a"): vector(1, 0, 0)})
    reader = MemoryReader(db.memories, 0)
    await reader.keep_vectors("tr-1", {vector_key("b"): vector(0, 1, 0)})
    await reader.drop_vectors(["tr-1"])
    assert list(await reader.vectors([vector_key("a"), vector_key("b")])) == [vector_key("a")]


async def test_a_change_costs_rows_of_what_it_touches_alone(db: Database) -> None:
    cases = tuple(episode(f"tr-{number}") for number in range(300))
    await db.memories.save("p", MemoryChange(put_episodes=cases))
    before = await rows(db)
    cause = ChangeCause(round_id="r1")
    await db.memories.save(
        "p", MemoryChange(put_episodes=(episode("tr-5", "curt"),), from_version=1, cause=cause)
    )
    await db.memories.save("p", MemoryChange(put_guidelines=(guideline("g1"),), from_version=2, cause=cause))
    after = await rows(db)
    assert {name: after[name] - before[name] for name in after} == {"memory_undo": 2, "memory_versions": 1}


async def rows(db: Database) -> Mapping[str, int]:
    def count() -> Mapping[str, int]:
        return {name: len(db.store.documents.table(name)) for name in ("memory_undo", "memory_versions")}

    return await db.store.read(count)


def test_a_record_is_known_by_its_part() -> None:
    record = UndoRecord(kind="case", part_id="tr-1", judge="p", number=2, episode=episode("tr-1"))
    assert record.part == ("case", "tr-1")
    assert (record.people, record.traces) == ({"U1"}, {"tr-1"})


async def test_a_rule_by_hand_that_quotes_what_a_person_said_elsewhere_loses_its_words_in_every_version(
    db: Database,
) -> None:
    await posted(db, "b", "p")
    await db.feedback.note("C1", "100.1", button_event("U1", "down", at()))
    opinion = PersonLabel(person="U1", value=True, rationale="peculiar wombats everywhere", time_ms=1)
    case = replace(episode("b"), opinions=(opinion,))
    decision = Handling(person="U2", time_ms=1)
    quoting = replace(
        rule("g1", "Avoid peculiar wombats everywhere.", source("a", "U1"), source("a", "U2")),
        edited_by=decision,
    )
    await db.memories.save("p", MemoryChange(put_episodes=(case,), put_guidelines=(quoting,)))
    await db.memories.save("p", MemoryChange(drop_guidelines=frozenset({"g1"}), from_version=1))
    await db.forgetting.delete_person("U1", 10)
    (left,) = (await db.memories.load_version("p", 1)).guidelines
    assert (left.has_words, left.people) == (False, ("U2",))


async def test_a_log_cut_anywhere_holds_a_version_with_all_that_leads_back_from_it_or_nothing(
    folder: Path, tmp_path: Path
) -> None:
    async with await Database.open(folder) as db:
        await learned(db, "tr-1", GREET)
    async with await Database.open(folder) as db:
        memory = await learned(db, "tr-2", PRICE)
        await memory.versions.roll_back(1, "UZOE")
        await memory.forget(["tr-1"])
        log = (folder / f"{FILE}-wal").read_bytes()
        heads = [
            await head_of_cut(folder, tmp_path / "cut", log[:end])
            for end in range(0, len(log) + CUT_EVERY, CUT_EVERY)
        ]
    assert heads == sorted(heads)
    assert set(heads) >= {1, 4}


CUT_EVERY = 10_007
"""Bytes; no divisor of a page, so that cuts fall everywhere in pages and on their borders."""
RULES_AT = {0: [], 1: [GREET], 2: [GREET, PRICE], 3: [GREET], 4: []}
"""The guidelines of each version while nothing is forgotten."""


async def head_of_cut(folder: Path, cut: Path, log: bytes) -> int:
    """Open a copy whose log is cut; check each of its versions, and return the newest one."""
    shutil.rmtree(cut, ignore_errors=True)
    shutil.copytree(folder, cut, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    (cut / f"{FILE}-wal").write_bytes(log)
    async with await Database.open(cut) as db:
        head = (await db.memories.load(JUDGE)).number
        for number in range(head + 1):
            held = [each.text for each in (await db.memories.load_version(JUDGE, number)).guidelines]
            # a lesson has its case first, and its rule once the model has answered
            is_under_way = number == head == 2 and held == [GREET]
            gone = GREET if head == 4 else None
            assert is_under_way or held == [each for each in RULES_AT[number] if each != gone]
        log_entries = await db.memory_history.log(JUDGE)
        assert [entry.version.number for entry in log_entries] == list(range(head, 0, -1))
        return head
