"""Proof before use: new guidelines are tried on earlier cases, and held back where they break more than they fix."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import JudgeRequest
from memalign.records import Guideline, GuidelinePolicy, GuidelineTrial, Label, Trace
from memalign.trial.call_budget import FixedBudget
from memalign.value_types import FeedbackValueType
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import DOWN, FakeEmbedder, FakeModel, FakeStore, FollowingJudge

TRIALS = GuidelinePolicy(trials=True)
PLENTY = 1_000
RUDE = "Curt answers fail."
"""A rule that the judges of these tests can be made to follow."""


async def opened(
    judge_model: FollowingJudge,
    store: FakeStore | None = None,
    policy: GuidelinePolicy = TRIALS,
    value_type: FeedbackValueType = bool,
    embedder: FakeEmbedder | None = None,
) -> JudgeMemory:
    return await a_memory(
        a_judge(value_type=value_type, model="openai:/judge"),
        embedder=embedder,
        judge_model=judge_model,
        distiller=LLMDistiller(FakeModel()),
        store=store,
        policy=policy,
    )


def cases(*labels: Label) -> list[Trace]:
    """Labelled cases without a reason: old-0, old-1, …"""
    return [
        a_trace(f"old-{number}", a_vote(label, None, "ana"), outputs=f"Reply {number} to the question.")
        for number, label in enumerate(labels)
    ]


async def taught(memory: JudgeMemory, *labels: Label, rule: str = RUDE) -> Guideline:
    """Teach cases with these labels, then a rule on a case of its own."""
    await memory.learn(cases(*labels))
    await memory.learn([a_trace("new", a_vote(False, rule, "ana"), outputs="Reply new to the question.")])
    return memory.guidelines[-1]


def outcome(rule: Guideline) -> tuple[int, int, int]:
    assert rule.trial is not None
    return rule.trial.fixed, rule.trial.broke, rule.trial.tried


async def test_a_rule_waits_for_its_trial_and_is_used_where_it_fixes_more_than_it_breaks() -> None:
    model = FollowingJudge({RUDE: {"old-0": False, "old-1": False, "old-2": False}})
    memory = await opened(model)
    rule = await taught(memory, False, False, True, True)
    assert (rule.state, rule.lacks) == ("pending", ("trial",))
    assert model.requests == []

    report = await memory.trials.run(FixedBudget(PLENTY))

    (rule,) = memory.guidelines
    assert outcome(rule) == (2, 1, 4)
    assert (rule.state, memory.trials.due) == ("used", ())
    assert (report.settled, report.left) == ((rule,), {})
    assert len(model.requests) == 8


async def test_a_rule_that_breaks_more_than_it_fixes_is_held_back_and_never_shown_to_the_judge() -> None:
    model = FollowingJudge({RUDE: {"old-1": False, "old-2": False}})
    store = FakeStore()
    memory = await opened(model, store)
    await taught(memory, False, True, True)
    await memory.trials.run(FixedBudget(PLENTY))
    (rule,) = memory.guidelines
    assert (outcome(rule), rule.state, rule.is_held_back) == ((0, 2, 3), "pending", True)

    again = await opened(model, store)
    model.requests.clear()
    await again.judge(a_trace("next"))
    assert again.guidelines[0].is_held_back
    assert (model.shown, again.trials.due) == (set(), ())

    # a person's decision stands above the trial
    assert (await again.editor.approve(rule.id, "zoe")).state == "used"
    assert (await again.editor.undo(rule.id, "zoe")) == again.guidelines[0]
    assert again.guidelines[0].is_held_back


async def test_as_many_fixed_as_broken_is_no_reason_to_hold_it_back() -> None:
    memory = await opened(FollowingJudge({RUDE: {"old-0": False, "old-1": False}}))
    await taught(memory, False, True, True)

    await memory.trials.run(FixedBudget(PLENTY))

    assert (outcome(memory.guidelines[0]), memory.guidelines[0].state) == ((1, 1, 3), "used")


async def test_the_only_source_and_its_near_copies_are_left_out() -> None:
    model = FollowingJudge()
    memory = await opened(model)
    await memory.learn(cases(True, True))
    twins = [
        a_trace(name, a_vote(False, reason, "ana"), inputs="Help?", outputs="No. Go away and stay away.")
        for name, reason in (("twin", None), ("new", RUDE))
    ]
    await memory.learn(twins)

    await memory.trials.run(FixedBudget(PLENTY))

    assert {request.trace_id for request in model.requests} == {"old-0", "old-1"}


async def test_a_source_is_tried_where_the_rule_has_another_one() -> None:
    model = FollowingJudge({RUDE: {"a": False, "b": False}})
    memory = await opened(model)
    await memory.learn([a_trace(name, a_vote(False, RUDE, "ana")) for name in ("a", "b")])

    await memory.trials.run(FixedBudget(PLENTY))

    assert outcome(memory.guidelines[0]) == (2, 0, 2)


async def test_a_case_is_not_judged_by_a_rule_that_was_learned_from_it_alone() -> None:
    model = FollowingJudge()
    memory = await opened(model, policy=GuidelinePolicy())
    await memory.learn([a_trace("a", a_vote(False, "Lists belong into tables.", "ana"))])
    await memory.learn([a_trace("b", a_vote(False, "Prices include tax.", "ana"))])
    tried = await opened(model, store_of(memory))
    await tried.learn([a_trace("new", a_vote(False, RUDE, "ben"))])

    await tried.trials.run(FixedBudget(PLENTY))

    shown = {
        str(request.trace_id): {rule.text for rule in request.evidence.guidelines} - {RUDE}
        for request in model.requests
    }
    assert shown == {"a": {"Prices include tax."}, "b": {"Lists belong into tables."}}
    assert all(case.episode.trace_id != r.trace_id for r in model.requests for case in r.evidence.retrieved)


def store_of(memory: JudgeMemory) -> FakeStore:
    """A store that holds what a memory knows."""
    store = FakeStore()
    store.episodes, store.version = dict(memory.episodes), 1
    store.guidelines = {rule.id: rule for rule in memory.guidelines}
    return store


async def test_verdicts_without_the_rules_of_one_lesson_are_asked_for_once() -> None:
    model = FollowingJudge()
    memory = await opened(model)
    await memory.learn(cases(True, True, False))
    reasons = ("Prices include tax.", "Lists belong into tables.", RUDE)
    await memory.learn([a_trace("new", *(a_vote(False, each, f"p{n}") for n, each in enumerate(reasons)))])
    assert len(memory.trials.due) == 3

    await memory.trials.run(FixedBudget(PLENTY))

    asked = [(r.trace_id, tuple(rule.text for rule in r.evidence.guidelines)) for r in model.requests]
    assert len(asked) == len(set(asked)) == 3 * (1 + 3)
    assert all(len(texts) < 2 for _, texts in asked)


@pytest.mark.parametrize(("calls", "tried"), [(PLENTY, 20), (40, 20), (11, 5), (2, 1)])
async def test_it_is_tried_on_at_most_20_cases_and_on_no_more_than_there_are_calls_for(
    calls: int, tried: int
) -> None:
    model = FollowingJudge()
    memory = await opened(model)
    await taught(memory, *(number % 2 == 0 for number in range(30)))

    await memory.trials.run(FixedBudget(calls))

    assert outcome(memory.guidelines[0]) == (0, 0, tried)
    assert len(model.requests) == 2 * tried <= calls


@pytest.mark.parametrize("calls", [0, 1])
async def test_without_calls_left_it_is_used_at_once_and_stays_untried(calls: int) -> None:
    model = FollowingJudge()
    memory = await opened(model)
    await taught(memory, True, False)

    await memory.trials.run(FixedBudget(calls))

    (rule,) = memory.guidelines
    assert (rule.state, rule.trial, memory.trials.due, model.requests) == ("used", None, (), [])


async def test_without_another_case_it_is_used_at_once() -> None:
    memory = await opened(FollowingJudge())

    lesson = await memory.learn([a_trace("new", a_vote(False, RUDE, "ana"))])

    assert lesson.added == memory.guidelines
    assert (memory.guidelines[0].state, memory.trials.due) == ("used", ())


async def test_a_change_that_the_model_does_not_repeat_was_chance_and_holds_nothing_back() -> None:
    model = FollowingJudge({RUDE: {"old-0": False, "old-1": False}})
    memory = await opened(model)
    await taught(memory, True, True, True, True)

    def waver(request: JudgeRequest) -> None:
        del request
        if len(model.requests) > 2 * 4:
            model.verdicts = {}

    model.before = waver
    await memory.trials.run(FixedBudget(PLENTY))

    assert (outcome(memory.guidelines[0]), memory.guidelines[0].state) == ((0, 0, 4), "used")
    assert len(model.requests) == 2 * 4 + 2 * 2


async def test_what_cannot_be_confirmed_for_want_of_calls_stands() -> None:
    model = FollowingJudge({RUDE: {"old-0": False, "old-1": False}})
    memory = await opened(model)
    await taught(memory, True, True, True)

    await memory.trials.run(FixedBudget(7))

    assert (outcome(memory.guidelines[0]), len(model.requests)) == ((0, 2, 3), 6)


async def test_a_case_at_which_the_model_fails_is_left_out() -> None:
    model = FollowingJudge({RUDE: {"old-0": False, "old-1": False, "old-2": False}})
    model.errors.extend([DOWN, None, None, None, None, DOWN])
    memory = await opened(model)
    await taught(memory, False, False, False)

    await memory.trials.run(FixedBudget(PLENTY))

    assert outcome(memory.guidelines[0]) in {(1, 0, 1), (2, 0, 2)}
    assert memory.guidelines[0].state == "used"


async def test_while_the_model_is_down_the_rule_waits_and_few_calls_are_spent() -> None:
    model = FollowingJudge({RUDE: {"old-0": False}})
    model.down = True
    memory = await opened(model)
    await taught(memory, False, *([True] * 19))

    report = await memory.trials.run(FixedBudget(PLENTY))

    assert list(report.left.values()) == [str(DOWN)]
    assert len(model.requests) <= 6
    assert memory.guidelines[0].state == "pending"

    model.down = False
    await memory.trials.run(FixedBudget(PLENTY))
    assert outcome(memory.guidelines[0])[:2] == (1, 0)


async def test_a_crash_in_the_middle_loses_nothing_and_costs_one_trial_more_at_most() -> None:
    store, model = FakeStore(), FollowingJudge()
    memory = await opened(model, store)
    await memory.learn(cases(True, True, False, False))
    reasons = ("Prices include tax.", "Lists belong into tables.", RUDE)
    await memory.learn([a_trace("new", *(a_vote(False, each, f"p{n}") for n, each in enumerate(reasons)))])
    due = {rule.id for rule in memory.trials.due}
    one_trial = 2 * 4

    def crash(request: JudgeRequest) -> None:
        del request
        if len(model.requests) == 10:
            raise asyncio.CancelledError

    model.before = crash
    with pytest.raises(asyncio.CancelledError):
        await memory.trials.run(FixedBudget(PLENTY))
    model.before = None

    again = await opened(model, store)
    assert {rule.id for rule in again.trials.due} < due
    await again.trials.run(FixedBudget(PLENTY))
    assert [outcome(rule)[2] for rule in again.guidelines] == [4, 4, 4]
    assert len(model.requests) <= 4 * (1 + 3) + one_trial


async def test_a_rule_held_back_is_tried_again_once_another_case_supports_it() -> None:
    model = FollowingJudge({RUDE: {"old-0": False}})
    memory = await opened(model)
    await taught(memory, True, True)
    await memory.trials.run(FixedBudget(PLENTY))
    assert memory.guidelines[0].is_held_back

    # another person on the same case proves nothing new
    votes = (a_vote(False, RUDE, "ana"), a_vote(False, RUDE, "ben"))
    await memory.learn([a_trace("new", *votes, outputs="Reply new to the question.")])
    assert (memory.guidelines[0].people, memory.trials.due) == (("ana", "ben"), ())
    model.verdicts = {RUDE: {"new": False, "more": False}}
    await memory.learn([a_trace("more", a_vote(False, RUDE, "cem"))])
    assert (len(memory.trials.due), memory.guidelines[0].state) == (1, "pending")
    await memory.trials.run(FixedBudget(0))
    assert (len(memory.trials.due), memory.guidelines[0].state) == (1, "pending")

    await memory.trials.run(FixedBudget(PLENTY))
    assert (outcome(memory.guidelines[0]), memory.guidelines[0].state) == ((2, 0, 4), "used")


async def test_rules_made_by_hand_are_used_at_once_and_an_edit_ends_the_wait() -> None:
    memory = await opened(FollowingJudge({RUDE: {"old-0": False}}))
    rule = await taught(memory, True, True)
    added = await memory.editor.add("Dates are written out.", "zoe")
    assert added.state == "used"

    edited = await memory.editor.edit(rule.id, "Curt answers fail, unless asked for.", "zoe")
    assert (edited.state, memory.trials.due) == ("used", ())
    # in its own words again, it has still to be tried
    assert await memory.editor.undo(rule.id, "zoe") in memory.trials.due


async def test_a_case_forgotten_during_the_trial_does_not_count_and_is_shown_to_the_model_no_more() -> None:
    model = FollowingJudge({RUDE: {"old-0": False, "old-1": False}})
    memory = await opened(model)
    await taught(memory, *([True] * 6))
    tasks: list[asyncio.Future[object]] = []
    shown_later = []

    def forget(request: JudgeRequest) -> None:
        if not tasks:
            tasks.append(asyncio.ensure_future(memory.forget(["old-0"])))
        if "old-0" not in memory.episodes:
            cases = {case.episode.trace_id for case in request.evidence.retrieved}
            shown_later.append({str(request.trace_id), *cases})

    model.before = forget
    await memory.trials.run(FixedBudget(PLENTY))
    await asyncio.gather(*tasks)
    await memory.trials.run(FixedBudget(PLENTY))

    assert outcome(memory.guidelines[0])[1] <= 1
    assert shown_later
    assert all("old-0" not in names for names in shown_later)


async def test_it_is_tried_on_what_it_is_about_where_that_is_unlike_its_own_case() -> None:
    model = FollowingJudge()
    memory = await opened(model)
    noise = ("when the parcel comes", "whom to call on Monday", "where the office is")
    others = [
        a_trace(f"far-{n}", a_vote(True, None), inputs=noise[n % 3], outputs=f"No {n}.") for n in range(40)
    ]
    about = a_trace(
        "about", a_vote(True, None), inputs="Anything new?", outputs="Vouchers are promised to you."
    )
    await memory.learn([*others, about])
    rule = "Never promise vouchers."
    await memory.learn([a_trace("new", a_vote(False, rule), inputs=noise[0], outputs="No 0, vouchers.")])

    await memory.trials.run(FixedBudget(PLENTY))

    assert "about" in {request.trace_id for request in model.requests}
    assert {str(request.trace_id)[:4] for request in model.requests} == {"abou", "far-"}


async def test_without_a_vector_of_its_text_it_is_tried_on_cases_like_its_own() -> None:
    embedder = FakeEmbedder()
    memory = await opened(FollowingJudge(), embedder=embedder)
    await taught(memory, True, False)

    embedder.down = True
    await memory.trials.run(FixedBudget(PLENTY))

    assert outcome(memory.guidelines[0]) == (0, 0, 2)


async def test_the_outcome_is_dropped_where_somebody_decides_meanwhile() -> None:
    model = FollowingJudge({RUDE: {"old-0": False}})
    memory = await opened(model)
    rule = await taught(memory, True, True)
    tasks: list[asyncio.Future[object]] = []

    def approve(request: JudgeRequest) -> None:
        del request
        if not tasks:
            tasks.append(asyncio.ensure_future(memory.editor.approve(rule.id, "zoe")))

    model.before = approve
    await memory.trials.run(FixedBudget(PLENTY))
    await asyncio.gather(*tasks)

    assert (memory.guidelines[0].state, memory.guidelines[0].trial) == ("used", None)


async def on_two_cases(model: FollowingJudge) -> JudgeMemory:
    """A memory that has tried a rule of two cases."""
    memory = await opened(model)
    await memory.learn(cases(True, False))
    await memory.learn([a_trace("a", a_vote(False, RUDE, "ana")), a_trace("b", a_vote(False, RUDE, "ben"))])
    await memory.trials.run(FixedBudget(PLENTY))
    assert outcome(memory.guidelines[0])[2] == 4
    return memory


async def test_a_rule_in_use_that_is_distilled_again_from_what_remains_is_in_use_again() -> None:
    memory = await on_two_cases(FollowingJudge())

    forgotten = await memory.distil_again(await memory.forget(["a"]))

    (rule,) = memory.guidelines
    assert (rule.source_trace_ids, rule.state, rule.trial) == (("b",), "used", None)
    assert (forgotten.distilled, forgotten.left) == ((rule,), ())


async def test_a_rule_held_back_that_is_distilled_again_from_what_remains_is_tried_anew() -> None:
    memory = await on_two_cases(FollowingJudge({RUDE: {"old-0": False}}, default=True))
    assert memory.guidelines[0].is_held_back

    await memory.distil_again(await memory.forget(["a"]))

    (rule,) = memory.guidelines
    assert (rule.source_trace_ids, rule.state, rule.trial) == (("b",), "pending", None)
    assert memory.trials.due == (rule,)


async def test_forgetting_a_tried_case_leaves_the_numbers() -> None:
    memory = await opened(FollowingJudge())
    await taught(memory, True, False)
    await memory.trials.run(FixedBudget(PLENTY))

    await memory.forget(["old-0"])

    assert outcome(memory.guidelines[0]) == (0, 0, 2)


async def test_while_trials_are_off_rules_are_used_at_once_and_one_held_back_stays_so() -> None:
    store, model = FakeStore(), FollowingJudge({RUDE: {"old-0": False}})
    memory = await opened(model, store)
    await taught(memory, True, True)
    await memory.trials.run(FixedBudget(PLENTY))
    await memory.learn([a_trace("late", a_vote(False, "Prices include tax.", "ana"))])

    off = await opened(model, store, GuidelinePolicy())

    assert {rule.text: rule.state for rule in off.guidelines} == {
        RUDE: "pending",
        "Prices include tax.": "used",
    }
    assert off.trials.due == ()


@pytest.mark.parametrize(("value_type", "model"), [(str, "openai:/judge"), (bool, "local:/cases")])
async def test_nothing_is_tried_where_verdicts_cannot_be_compared_or_no_rule_is_read(
    value_type: FeedbackValueType, model: str
) -> None:
    judge = a_judge(value_type=value_type, model=model)
    memory = await a_memory(judge, distiller=LLMDistiller(FakeModel()), policy=TRIALS)
    label: Label = "kind" if value_type is str else True
    await memory.learn([a_trace("a", a_vote(label, None))])
    await memory.learn([a_trace("b", a_vote(label, RUDE))])

    assert [rule.state for rule in memory.guidelines] == ["used"]


@pytest.mark.parametrize(
    ("value_type", "labels", "verdicts", "expected"),
    [
        (int, (2, 5, 5), {"old-0": 3, "old-1": 4, "old-2": 5}, (1, 1, 3)),
        (float, (0.5, 5.0, 4.5), {"old-0": 1.5, "old-1": 5.0, "old-2": 4.75}, (2, 0, 3)),
        (["good", "fair"], ("fair", "good", "good"), {"old-0": "fair", "old-1": "fair"}, (1, 1, 3)),
    ],
)
async def test_numbers_count_by_their_distance_and_categories_by_equality(
    value_type: FeedbackValueType,
    labels: Sequence[Label],
    verdicts: Mapping[str, Label],
    expected: tuple[int, int, int],
) -> None:
    default: Label = "good" if isinstance(value_type, list) else 5
    memory = await opened(FollowingJudge({RUDE: verdicts}, default), value_type=value_type)
    await memory.learn(cases(*labels))
    await memory.learn([a_trace("new", a_vote(labels[0], RUDE, "ana"))])

    await memory.trials.run(FixedBudget(PLENTY))

    assert outcome(memory.guidelines[0]) == expected


def test_a_trial_is_harmful_where_it_broke_more_than_it_fixed() -> None:
    assert GuidelineTrial(fixed=1, broke=2, tried=5).is_harmful
    assert not GuidelineTrial(fixed=2, broke=2, tried=5).is_harmful
