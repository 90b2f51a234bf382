"""The settings with which a judge ran last: a change of its instructions is told once."""

from dataclasses import replace

import pytest

from memalign.ports import MemoryChange
from storage.database import Database
from storage.judge_settings import JudgeFingerprint
from storage.records import NoticeContent, Post
from tests.storage.records import NOON_MS
from tests.storage.test_memories import episode

BEFORE = JudgeFingerprint(
    feedback_value_type="int",
    value_range=(1, 5),
    instructions="How polite is {{ outputs }}?",
    embedding_model="local:/wordllama",
    embedding_dim=256,
)
AFTER = replace(BEFORE, instructions="How friendly is {{ outputs }}?")


def notice(number: int = 1) -> Post:
    content = NoticeContent(notice="instructions_changed", judge="tone")
    return Post(post_id=f"n{number}", channel="C1", content=content)


async def learned(db: Database) -> Database:
    await db.memories.save("tone", MemoryChange(put_episodes=(episode("tr-1"),)))
    return db


async def notes(db: Database) -> list[str]:
    """The notes in the log of versions, oldest first."""
    log = await db.memory_history.log("tone")
    return [entry.version.note for entry in reversed(log) if entry.version.kind == "settings"]


async def test_a_fingerprint_comes_back_as_it_was(db: Database) -> None:
    await db.judge_settings.note("tone", BEFORE, notice(), NOON_MS)
    assert await db.judge_settings.fingerprints() == {"tone": BEFORE}
    assert not await db.judge_settings.note("tone", BEFORE, notice(), NOON_MS)


async def test_changed_instructions_are_noted_and_told_once(db: Database) -> None:
    await learned(db)
    told = [
        await db.judge_settings.note("tone", fingerprint, notice(number), NOON_MS)
        for number, fingerprint in enumerate([BEFORE, AFTER, AFTER, AFTER, BEFORE])
    ]
    assert told == [False, True, False, False, True]
    posts = [post.post_id for post in await db.outbox.oldest()]
    assert (posts, await db.outbox.waiting()) == (["n1"], 2)
    assert await notes(db) == ["The instructions were changed."] * 2
    assert (await db.memories.load("tone")).number == 3


@pytest.mark.parametrize(
    ("after", "noted"),
    [
        (replace(BEFORE, instructions="How polite\n  is {{ outputs }}?"), []),
        (replace(BEFORE, value_range=(0, 10)), ["The values it gives were changed."]),
        (replace(BEFORE, embedding_dim=512), ["The embedding model was changed."]),
        (
            replace(BEFORE, feedback_value_type="float", embedding_model="openai:/text-embedding-3-small"),
            ["The values it gives were changed. The embedding model was changed."],
        ),
    ],
)
async def test_other_changes_are_noted_and_told_to_nobody(
    db: Database, after: JudgeFingerprint, noted: list[str]
) -> None:
    await learned(db)
    await db.judge_settings.note("tone", BEFORE, notice(), NOON_MS)
    assert not await db.judge_settings.note("tone", after, notice(), NOON_MS)
    assert await db.judge_settings.fingerprints() == {"tone": after}
    assert (await db.outbox.waiting(), await notes(db)) == (0, noted)


async def test_a_judge_that_has_learned_nothing_may_change_without_a_word(db: Database) -> None:
    await db.judge_settings.note("tone", BEFORE, notice(), NOON_MS)
    assert not await db.judge_settings.note("tone", AFTER, notice(), NOON_MS)
    assert await db.outbox.waiting() == 0
