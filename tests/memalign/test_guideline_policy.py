import pytest

from memalign.errors import UnknownGuidelineError
from memalign.judge_memory import JudgeMemory
from memalign.models.judging_prompt import judging_prompt
from memalign.ports import JudgeRequest, PromptRoom
from memalign.records import Evidence, Guideline, GuidelinePolicy
from memalign.value_types import value_type_of
from tests.factories import a_guideline, a_memory, a_source, a_trace, a_vote, evidence_for
from tests.fakes import FakeJudgeModel, FakeStore

MANUAL = GuidelinePolicy(approval="manual")
TWO_PEOPLE = GuidelinePolicy(min_people=2)


async def learned(policy: GuidelinePolicy, *people: str, store: FakeStore | None = None) -> JudgeMemory:
    memory = await a_memory(policy=policy, store=store)
    for number, person in enumerate(people):
        await memory.learn([a_trace(f"tr-{number}", a_vote(False, "Curt is rude.", person))])
    return memory


def only_rule(memory: JudgeMemory) -> Guideline:
    (rule,) = memory.guidelines
    return rule


async def test_a_guideline_is_used_once_enough_people_support_it() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(policy=TWO_PEOPLE, judge_model=judge_model)
    for number, person in enumerate(("ana", "ana")):
        lesson = await memory.learn([a_trace(f"tr-{number}", a_vote(False, "Curt is rude.", person))])
        assert lesson.added == ()
    assert (only_rule(memory).state, only_rule(memory).lacks) == ("pending", ("people",))
    assert (await evidence_for(memory, judge_model, a_trace("tr-9"))).guidelines == ()

    lesson = await memory.learn([a_trace("tr-8", a_vote(False, "Curt is rude.", "ben"))])

    assert only_rule(memory).state == "used"
    assert lesson.added == memory.guidelines
    assert (await evidence_for(memory, judge_model, a_trace("tr-9"))).guidelines == memory.guidelines
    await memory.forget(["tr-8"])
    assert only_rule(memory).state == "pending"


async def test_a_guideline_is_used_once_somebody_approves_it_and_stays_so_after_a_restart() -> None:
    store = FakeStore()
    memory = await learned(MANUAL, "ana", store=store)
    assert (only_rule(memory).state, only_rule(memory).lacks) == ("pending", ("approval",))

    rule = await memory.editor.approve(only_rule(memory).id, "zoe")

    assert (rule.state, rule.approved_by) == ("used", "zoe")
    again = await a_memory(policy=MANUAL, store=store)
    assert only_rule(again).state == "used"


async def test_what_was_learned_before_approval_was_asked_for_stays_in_use() -> None:
    store = FakeStore()
    await learned(GuidelinePolicy(), "ana", store=store)

    memory = await a_memory(policy=MANUAL, store=store)
    await memory.learn([a_trace("tr-7", a_vote(True, "Thanks are kind.", "ben"))])

    assert [(rule.text, rule.state) for rule in memory.guidelines] == [
        ("Curt is rude.", "used"),
        ("Thanks are kind.", "pending"),
    ]


async def test_an_approval_outlives_distilling_again_and_goes_with_all_it_rests_on() -> None:
    memory = await a_memory(policy=MANUAL)
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, "Curt is rude.", f"p{n}")) for n in range(2)])
    await memory.editor.approve(only_rule(memory).id, "zoe")

    await memory.distil_again(await memory.forget(["tr-0"]))
    assert (only_rule(memory).source_trace_ids, only_rule(memory).state) == (("tr-1",), "used")

    await memory.forget(["tr-1"])
    await memory.learn([a_trace("tr-2", a_vote(False, "Curt is rude.", "p2"))])
    assert only_rule(memory).state == "pending"


async def test_approving_what_is_not_there_is_told() -> None:
    memory = await learned(MANUAL, "ana")

    with pytest.raises(UnknownGuidelineError, match="has no guideline g-1"):
        await memory.editor.approve("g-1", "zoe")


def test_the_prompt_marks_the_word_of_one_person() -> None:
    alone = a_guideline("Be kind.", a_source("tr-1"), a_source("tr-2"))
    shared = a_guideline("Be brief.", a_source("tr-1"), a_source("tr-2", "ben"))
    request = JudgeRequest(
        judge="j",
        instructions="Is it polite? {{ inputs }}",
        value_type=value_type_of("bool"),
        fields={"inputs": "x"},
        trace_id=None,
        evidence=Evidence(guidelines=(alone, shared)),
        episodes=[],
        version=1,
    )

    stable = judging_prompt(request, PromptRoom(prompt_tokens=100_000, answer_tokens=1_000)).prompt.stable

    assert '{"guideline": 1, "text": "Be kind.", "from": "one person"}' in stable
    assert '{"guideline": 2, "text": "Be brief."}' in stable
