"""Votes on verdicts count for the guidelines that led to them, through learning, decisions, forgetting and restarts."""

from dataclasses import replace

import pytest

from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.records import Assessment, Guideline, GuidelineRecord, Lesson, Trace
from tests.factories import a_memory, a_trace, a_vote, evidence_for
from tests.fakes import FakeJudgeModel, FakeStore

RULE = "Curt answers are rude."
VOTES = GuidelineRecord(up=1, down=6)
EARLY_MS, LATE_MS = 1_000, 10**13


def voted(trace_id: str, value: bool, *guideline_ids: str, judged_ms: int = EARLY_MS) -> Trace:
    """A trace on which the judge, led by these guidelines, says pass, and ben the value."""
    verdict = replace(
        a_vote(True, "because", "memalign", ms=judged_ms, source_type="LLM_JUDGE"),
        guideline_ids=guideline_ids,
    )
    return a_trace(trace_id, a_vote(value, None, "ben", ms=judged_ms + 1), verdict)


async def taught(store: FakeStore | None = None, judge_model: FakeJudgeModel | None = None) -> JudgeMemory:
    """A memory with one guideline, which rests on tr-1."""
    memory = await a_memory(store=store, judge_model=judge_model)
    await memory.learn([a_trace("tr-1", a_vote(False, RULE, "ana"))])
    return memory


async def doubted(memory: JudgeMemory) -> Lesson:
    rule_id = only_rule(memory).id
    await memory.learn([voted("case-0", True, rule_id)])
    await memory.learn([voted(f"case-{number}", False, rule_id) for number in range(1, 6)])
    return await memory.learn([voted("case-6", False, rule_id)])


def only_rule(memory: JudgeMemory) -> Guideline:
    (rule,) = memory.guidelines
    return rule


async def test_a_rule_that_people_disagree_with_is_not_shown_to_the_judge_and_told_once() -> None:
    store, judge_model = FakeStore(), FakeJudgeModel()
    memory = await taught(store, judge_model)

    lesson = await doubted(memory)

    rule = only_rule(memory)
    assert (rule.state, rule.doubtful, rule.record) == ("pending", True, VOTES)
    assert lesson.doubted == (rule,)
    assert (await evidence_for(memory, judge_model, a_trace("tr-9"))).guidelines == ()
    assert (await memory.learn([voted("case-7", False, rule.id)])).doubted == ()
    reopened = only_rule(await a_memory(store=store))
    assert (reopened, reopened.record) == (only_rule(memory), GuidelineRecord(up=1, down=7))


@pytest.mark.parametrize("decision", ["approve", "pin", "edit", "restore"])
async def test_a_decision_uses_the_rule_again_with_a_record_that_starts_anew_and_undo_takes_that_back(
    decision: str,
) -> None:
    memory = await taught()
    await doubted(memory)
    rule_id, editor = only_rule(memory).id, memory.editor
    if decision == "edit":
        await editor.edit(rule_id, "Rude answers are curt.", "zoe")
    elif decision == "restore":
        await editor.retire(rule_id, "zoe")
        await editor.restore(rule_id, "zoe")
    else:
        await (editor.approve if decision == "approve" else editor.pin)(rule_id, "zoe")

    rule = only_rule(memory)
    assert (rule.state, rule.doubtful, rule.record) == ("used", False, GuidelineRecord())
    await memory.learn([voted("case-8", False, rule_id), voted("case-9", False, rule_id, judged_ms=LATE_MS)])
    assert only_rule(memory).record == GuidelineRecord(down=1)

    await editor.undo(rule_id, "zoe")
    assert only_rule(memory).record == GuidelineRecord(up=1, down=8)
    assert only_rule(memory).doubtful


async def test_a_rule_that_was_approved_before_it_was_in_doubt_can_be_approved_again() -> None:
    memory = await taught()
    await memory.editor.approve(only_rule(memory).id, "zoe")
    await doubted(memory)

    assert (await memory.editor.approve(only_rule(memory).id, "zoe")).state == "used"


async def test_a_pinned_rule_is_only_marked_and_one_in_doubt_that_is_retired_is_retired() -> None:
    memory = await taught()
    await memory.editor.pin(only_rule(memory).id, "zoe")
    lesson = await doubted(memory)

    assert [(rule.state, rule.doubtful) for rule in lesson.doubted] == [("used", True)]
    assert (await memory.editor.retire(only_rule(memory).id, "zoe")).state == "retired"
    with pytest.raises(InputError):
        await memory.editor.approve(only_rule(memory).id, "zoe")


async def test_votes_that_are_changed_taken_back_or_forgotten_leave_the_record() -> None:
    memory = await taught()
    await doubted(memory)
    rule_id = only_rule(memory).id

    await memory.learn([voted("case-1", True, rule_id)])
    assert only_rule(memory).record == GuidelineRecord(up=2, down=5)
    await memory.forget(["case-2"])
    await memory.forget_person("ben", ["case-3"])
    assert only_rule(memory).record == GuidelineRecord(up=2, down=3)
    assert only_rule(memory).state == "used"
    await memory.learn([replace(voted("case-4", True, rule_id), assessments=())])
    assert only_rule(memory).record == GuidelineRecord(up=2, down=2)


async def test_each_person_has_one_vote_on_a_verdict_and_outvoted_ones_count() -> None:
    memory = await taught()
    case = voted("case-1", True, only_rule(memory).id)
    people: list[Assessment] = [a_vote(value, None, name) for name, value in (("cem", True), ("dan", False))]

    await memory.learn([replace(case, assessments=(*case.assessments, *people, people[0]))])

    assert only_rule(memory).record == GuidelineRecord(up=2, down=1)


async def test_a_verdict_that_was_given_again_after_the_labels_earns_no_rule_their_votes() -> None:
    memory = await taught()
    rule_id = only_rule(memory).id
    trace = voted("case-1", False)
    again = voted("case-1", True, rule_id, judged_ms=LATE_MS).assessments[1]

    await memory.learn([replace(trace, assessments=(*trace.assessments, again))])

    assert only_rule(memory).record == GuidelineRecord()
    assert memory.episodes["case-1"].is_overruled
