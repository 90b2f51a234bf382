"""Guidelines learned and retired are counted by lesson, not by id."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.reports.digest import read_digest
from bot.reports.guideline_changes import count_changes
from bot.runtime.clock import from_ms, now_ms, week_of
from memalign.judge_memory import JudgeMemory
from memalign.records import PersonTarget
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import AuditAction, AuditLine
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.factories import a_memory, a_trace, a_vote

JUDGE = "politeness"
ZONE = ZoneInfo("UTC")


async def counts(database: Database) -> tuple[int, int]:
    """Learned and retired in this week."""
    week = week_of(from_ms(now_ms()).date())
    digest = await read_digest(database, JUDGE, value_type_of(bool), week, ZONE)
    return digest.guidelines_learned, digest.guidelines_retired


async def taught(database: Database, *reasons: str) -> JudgeMemory:
    """A memory that has learned from the reasons of one person on one case, one after the other."""
    memory = await a_memory(store=database.memories)
    for number, reason in enumerate(reasons):
        await memory.learn([a_trace("tr-1", a_vote(False, reason, "ana", ms=number + 1))])
    return memory


@pytest.mark.parametrize("reasons", [["curt"], ["curt", "rude"], ["curt", "rude", "cold", "curt"]])
async def test_a_lesson_in_other_words_is_the_same_lesson(database: Database, reasons: list[str]) -> None:
    memory = await taught(database, *reasons)
    assert [rule.text for rule in memory.guidelines] == [reasons[-1]]
    assert await counts(database) == (1, 0)


async def test_a_lesson_whose_rule_waits_to_be_distilled_again_is_not_retired(database: Database) -> None:
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace(f"tr-{p}", a_vote(False, "curt", p)) for p in ("ana", "ben")])
    await memory.learn([a_trace("tr-ana", a_vote(False, "cold", "ana", ms=2))])
    await memory.distil_again(memory.what_rests_on(PersonTarget(person="ana")))
    assert {rule.text for rule in memory.guidelines} == {"curt", "cold"}
    assert (await counts(database))[1] == 0


async def test_a_lesson_taken_back_and_given_again_is_learned_once(database: Database) -> None:
    memory = await taught(database, "curt")
    await memory.withdraw(["tr-1"])
    assert await counts(database) == (1, 1)
    await memory.learn([a_trace("tr-1", a_vote(False, "rather curt", "ana", ms=9))])
    assert await counts(database) == (1, 0)


async def test_another_person_s_words_on_the_case_are_another_lesson(database: Database) -> None:
    memory = await taught(database, "curt")
    await memory.learn([a_trace("tr-1", a_vote(False, "cold", "ben", ms=5))])
    assert await counts(database) == (2, 1)


async def test_a_rule_whose_people_turned_against_it_is_retired_until_they_turn_back(
    database: Database,
) -> None:
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace("tr-1", a_vote(False, "Emoji are fine.", "ana", ms=1))])
    await memory.learn([a_trace("tr-2", a_vote(True, "Not: Emoji are fine.", "ana", ms=2))])
    assert await counts(database) == (2, 1)
    await memory.distil_again(await memory.forget(["tr-2"]))
    assert [rule.text for rule in memory.guidelines if rule.in_use] == ["Emoji are fine."]
    assert await counts(database) == (2, 1)  # now the opposite


async def test_a_rule_that_its_people_turned_against_is_not_retired_twice(database: Database) -> None:
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace("tr-1", a_vote(False, "Emoji are fine.", "ana", ms=1))])
    await memory.learn([a_trace("tr-2", a_vote(True, "Not: Emoji are fine.", "ana", ms=2))])
    await memory.forget(["tr-1"])
    assert await counts(database) == (2, 1)


async def test_what_a_lesson_rests_on_cannot_be_read_in_the_audit(database: Database) -> None:
    memory = await taught(database, "curt")
    await memory.learn([a_trace("tr-secret", a_vote(False, "cold", "carla"))])
    lines = repr(await database.audit.between(0, now_ms() + 1))
    assert "guideline_learned" in lines
    assert "tr-secret" not in lines
    assert "carla" not in lines


def line(
    what: AuditAction, ids: Sequence[str], lessons: Sequence[Sequence[str]] = (), at_ms: int = 1
) -> AuditLine:
    return AuditLine(
        at_ms=at_ms, what=what, judge=JUDGE, ids=tuple(ids), lessons=tuple(tuple(each) for each in lessons)
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # within one change, in whichever order they were noted
        ([line("guideline_learned", ["b"], [["x"]]), line("guideline_retired", ["a"], [["x"]])], (0, 0)),
        ([line("guideline_retired", ["a"], [["x"]]), line("guideline_learned", ["b"], [["x"]])], (0, 0)),
        # several rules in the place of one, and one in the place of several
        (
            [
                line("guideline_learned", ["b", "c"], [["x"], ["x"]]),
                line("guideline_retired", ["a"], [["x"]]),
            ],
            (1, 0),
        ),
        (
            [
                line("guideline_learned", ["c"], [["x", "y"]]),
                line("guideline_retired", ["a", "b"], [["x"], ["y"]]),
            ],
            (0, 0),
        ),
        # others
        ([line("guideline_learned", ["b"], [["y"]]), line("guideline_retired", ["a"], [["x"]])], (1, 1)),
        ([line("guideline_retired", ["a"], at_ms=1), line("guideline_learned", ["a"], at_ms=2)], (0, 0)),
        ([line("guideline_learned", ["a"], at_ms=1), line("guideline_retired", ["a"], at_ms=2)], (1, 1)),
    ],
)
def test_lines_of_the_audit_are_counted_by_what_the_rules_rest_on(
    lines: list[AuditLine], expected: tuple[int, int]
) -> None:
    changes = count_changes(JUDGE, lines)
    assert (len(changes.learned), len(changes.retired)) == expected


async def test_a_reason_that_is_edited_in_the_thread_stays_one_lesson(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        ts = harness.reply(card, "Always greet the user.")
        await harness.learned()
        assert harness.rules() == ["Always greet the user."]
        harness.workspace.edit(harness.ana.id, card.channel, ts, "Always greet the user by name.")
        await harness.until(lambda: harness.rules() == ["Always greet the user by name."])
        await harness.learned()
        assert await counts(harness.bot.database) == (1, 0)
        harness.unreact(card, "-1")
        await harness.until(lambda: not harness.rules())
        assert await counts(harness.bot.database) == (1, 1)
