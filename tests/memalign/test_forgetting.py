import asyncio
import json
import random
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memalign.judge_memory import JudgeMemory
from memalign.memory.semantic import WAITING_TEXT
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Completion, Embeddings, Prompt
from memalign.records import Forgotten, Guideline, Json, PersonTarget, Trace, TraceTarget, Usage
from tests.factories import a_memory, a_trace, a_vote, evidence_for
from tests.fakes import DOWN, FakeEmbedder, FakeJudgeModel, FakeModel, FakeStore

Vote = tuple[int, str, bool, str]


def shown(memory: JudgeMemory) -> Json:
    return (
        list(memory.episodes.values()),
        [
            (rule.id, rule.text, rule.sources, rule.waiting, rule.overruled, rule.labels)
            for rule in memory.guidelines
        ],
        dict(memory.pending),
    )


class SlowModel(FakeModel):
    """Answers once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.opened = asyncio.Event(), asyncio.Event()

    async def complete(self, prompt: Prompt, schema: Json) -> Completion:
        self.started.set()
        await self.opened.wait()
        return await super().complete(prompt, schema)


@pytest.fixture
async def memory_of_two() -> JudgeMemory:
    memory = await a_memory()
    await memory.learn(
        [
            a_trace("tr-1", a_vote(False, "rude", "ana")),
            a_trace("tr-2", a_vote(False, "rude", "ben"), a_vote(False, None, "ana")),
            a_trace("tr-3", a_vote(False, "curt", "ana")),
            a_trace("tr-4", a_vote(True, "kind", "ben")),
        ]
    )
    return memory


async def forget(memory: JudgeMemory, trace_ids: Collection[str]) -> Forgotten:
    return await memory.distil_again(await memory.forget(trace_ids))


async def test_a_rule_that_rested_on_the_trace_alone_goes_with_it() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "rude")), a_trace("tr-2", a_vote(True, "kind"))])

    forgotten = await forget(memory, ["tr-1"])

    assert forgotten.trace_ids == ("tr-1",)
    assert [rule.text for rule in forgotten.retired] == ["rude"]
    assert forgotten.waiting == ()
    assert forgotten.people == ("ana",)
    assert [rule.text for rule in memory.guidelines] == ["kind"]
    assert list(memory.episodes) == ["tr-2"]


async def test_a_rule_with_other_sources_is_distilled_again_from_those_alone() -> None:
    model = FakeModel(
        {"guidelines": [{"text": "A secret rule.", "records": [0, 1]}], "supports": [], "contradicts": []}
    )
    memory = await a_memory(distiller=LLMDistiller(model))
    await memory.learn([a_trace("tr-1", a_vote(False, "secret")), a_trace("tr-2", a_vote(False, "public"))])

    forgotten = await forget(memory, ["tr-1"])

    assert [rule.text for rule in forgotten.waiting] == ["A secret rule."]
    assert [rule.text for rule in forgotten.distilled] == ["public"]
    assert [(rule.text, rule.source_trace_ids) for rule in memory.guidelines] == [("public", ("tr-2",))]
    prompt = model.prompts[-1]
    assert "ecret" not in prompt.stable + prompt.changing
    assert "tr-1" not in prompt.stable + prompt.changing


async def test_retracting_one_after_the_other_is_the_same_as_together() -> None:
    together, apart = await a_memory(), await a_memory()
    for memory in (together, apart):
        await memory.learn([a_trace(t, a_vote(False, "rude", t)) for t in ("tr-1", "tr-2", "tr-3")])

    await forget(together, ["tr-1", "tr-2"])
    await forget(apart, ["tr-2"])
    await forget(apart, ["tr-1"])

    assert shown(together) == shown(apart)
    assert [rule.source_trace_ids for rule in together.guidelines] == [("tr-3",)]
    await forget(together, ["tr-3"])
    assert together.guidelines == ()


PLAIN = ["rude", "Not: rude", "kind", "greet first", ""]
EQUAL = [*PLAIN, 'Cite "a source"', "Cite “a source”!"]
"""Two of them are one sentence in other signs."""


def votes(reasons: list[str]) -> st.SearchStrategy[list[Vote]]:
    vote = st.tuples(
        st.integers(0, 5), st.sampled_from(["ana", "ben", "cem"]), st.booleans(), st.sampled_from(reasons)
    )
    return st.lists(vote, min_size=1, max_size=12)


def traces_of(feedback: list[Vote]) -> list[Trace]:
    return [
        a_trace(f"tr-{n}", *(a_vote(v, r, p, ms=1) for t, p, v, r in feedback if t == n)) for n in range(6)
    ]


async def taught(traces: list[Trace]) -> JudgeMemory:
    memory = await a_memory()
    for trace in traces:
        await memory.learn([trace])
    return memory


@pytest.mark.parametrize("order", [(("tr-x", "tr-y"),), (("tr-x",), ("tr-y",)), (("tr-y",), ("tr-x",))])
async def test_the_words_that_two_like_rules_end_up_with_do_not_depend_on_the_order(
    order: tuple[tuple[str, ...], ...],
) -> None:
    short, long = 'Cite "a source"', "Cite “a source”!"
    memory = await taught(
        [
            a_trace("tr-x", a_vote(True, short, "ana")),
            a_trace("tr-y", a_vote(False, long, "ben")),
            a_trace("tr-1", a_vote(False, long, "ben"), a_vote(False, short, "ana")),
        ]
    )

    for names in order:
        await forget(memory, names)

    assert [(rule.text, rule.people) for rule in memory.guidelines] == [(short, ("ana", "ben"))]


@given(
    feedback=votes(EQUAL),
    numbers=st.lists(st.integers(0, 5), unique=True, min_size=1),
    cut=st.integers(0, 6),
    order=st.randoms(),
)
@settings(max_examples=100)
def test_forgetting_in_any_order_and_grouping_gives_the_same_memory(
    feedback: list[Vote], numbers: list[int], cut: int, order: random.Random
) -> None:
    async def scenario() -> None:
        first, second = await taught(traces_of(feedback)), await taught(traces_of(feedback))
        names = [f"tr-{n}" for n in numbers]
        await forget(first, names)
        shuffled = order.sample(names, len(names))
        for part in (shuffled[:cut], *([name] for name in shuffled[cut:])):
            await forget(second, part)
        assert shown(first) == shown(second)

    asyncio.run(scenario())


@given(feedback=votes(PLAIN), numbers=st.lists(st.integers(0, 5), unique=True, min_size=1))
@settings(max_examples=100)
def test_forgetting_leaves_what_there_would_be_had_it_never_been_known(
    feedback: list[Vote], numbers: list[int]
) -> None:
    async def scenario() -> None:
        names = {f"tr-{n}" for n in numbers}
        memory = await taught(traces_of(feedback))
        await forget(memory, names)
        never = await taught([trace for trace in traces_of(feedback) if trace.trace_id not in names])
        assert dict(memory.episodes) == dict(never.episodes)
        assert [(rule.text, rule.sources, rule.overruled) for rule in memory.guidelines] == [
            (rule.text, rule.sources, rule.overruled) for rule in never.guidelines
        ]

    asyncio.run(scenario())


async def test_forgetting_all_and_learning_again_restores() -> None:
    memory, fresh = await a_memory(), await a_memory()
    traces = [a_trace(f"tr-{n}", a_vote(False, f"reason {n}")) for n in range(5)]
    await memory.learn(traces)
    await forget(memory, [trace.trace_id for trace in traces])
    assert (dict(memory.episodes), memory.guidelines) == ({}, ())

    await memory.learn(traces)
    await fresh.learn(traces)

    assert shown(memory) == shown(fresh)
    assert (
        await memory.judge(a_trace("new", inputs="question tr-1", outputs="answer tr-1"))
    ).retrieved_trace_ids


async def test_the_last_episode_can_be_forgotten_and_judging_goes_on() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote())])

    await forget(memory, ["tr-1"])

    assert (await memory.judge(a_trace("tr-2"))).retrieved_trace_ids == ()
    assert (await memory.learn([a_trace("tr-3", a_vote())])).learned == ("tr-3",)


async def test_a_preview_changes_nothing_and_says_what_will_go() -> None:
    memory = await a_memory()
    await memory.learn(
        [
            a_trace(
                "tr-1",
                a_vote(False, "rude", "ana"),
                a_vote(True, "fine", "ben"),
                a_vote(False, "curt", "cem"),
            ),
            a_trace("tr-2", a_vote(False, "rude", "ana")),
        ]
    )
    before = shown(memory)

    preview = memory.what_rests_on(TraceTarget(trace_id="tr-1"))

    assert preview.trace_ids == ("tr-1",)
    assert [rule.text for rule in preview.retired] == ["curt"]
    assert [rule.text for rule in preview.waiting] == ["rude"]
    assert set(preview.people) == {"ana", "ben", "cem"}
    assert preview.distilled == ()
    assert shown(memory) == before


def test_an_unknown_trace_or_person_takes_nothing(memory_of_two: JudgeMemory) -> None:
    assert memory_of_two.what_rests_on(TraceTarget(trace_id="unknown")) == Forgotten()
    assert memory_of_two.what_rests_on(PersonTarget(person="nobody")) == Forgotten()


async def test_of_a_person_go_their_cases_their_own_rules_and_their_part_in_those_of_others(
    memory_of_two: JudgeMemory,
) -> None:
    resting = memory_of_two.what_rests_on(PersonTarget(person="ana"))

    assert resting.trace_ids == ("tr-1", "tr-2", "tr-3")
    assert [rule.text for rule in resting.retired] == ["curt"]
    assert [rule.text for rule in resting.waiting] == ["rude"]
    assert resting.people == ("ana",)


async def test_a_person_outvoted_has_a_part_in_the_case() -> None:
    memory = await a_memory()
    votes = (a_vote(True, "fine", "ana"), a_vote(False, "rude", "ben"), a_vote(False, "curt", "cem"))
    await memory.learn([a_trace("tr-1", *votes)])

    resting = memory.what_rests_on(PersonTarget(person="ana"))

    assert (resting.trace_ids, resting.retired, resting.waiting) == (("tr-1",), (), ())


async def test_a_rule_that_a_person_spoke_against_is_learned_again() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "Emoji are fine.", "ben"))])
    await memory.learn([a_trace("tr-2", a_vote(False, "Not: Emoji are fine.", "ana"))])

    resting = memory.what_rests_on(PersonTarget(person="ana"))

    assert [rule.text for rule in resting.retired] == ["Not: Emoji are fine."]
    assert [rule.text for rule in resting.waiting] == ["Emoji are fine."]


async def test_forgetting_waits_for_no_slow_model_and_the_next_round_distils_again() -> None:
    model = SlowModel()
    memory = await a_memory(distiller=LLMDistiller(model))
    model.opened.set()
    await memory.learn(
        [a_trace("tr-1", a_vote(False, "rude", "a")), a_trace("tr-2", a_vote(False, "rude", "b"))]
    )
    model.opened.clear()

    forgotten = await memory.distil_again(await memory.forget(["tr-1"]), seconds=0.01)

    assert (forgotten.distilled, [rule.text for rule in forgotten.left]) == ((), ["rude"])
    model.opened.set()
    await memory.learn()
    assert [(rule.text, rule.source_trace_ids) for rule in memory.guidelines] == [("rude", ("tr-2",))]


async def test_a_round_of_learning_that_runs_holds_nobody_up_who_forgets() -> None:
    model = SlowModel()
    memory = await a_memory(distiller=LLMDistiller(model))
    model.opened.set()
    await memory.learn(
        [a_trace("tr-1", a_vote(False, "rude", "a")), a_trace("tr-2", a_vote(False, "rude", "b"))]
    )
    model.opened.clear()
    model.started.clear()
    learning = asyncio.create_task(memory.learn([a_trace("tr-3", a_vote(True, "kind"))]))
    await model.started.wait()

    forgotten = await memory.distil_again(await memory.forget(["tr-1"]), seconds=0.01)

    assert [rule.text for rule in forgotten.left] == ["rude"]
    model.opened.set()
    await learning
    await memory.learn()
    assert {rule.text for rule in memory.guidelines} == {"rude", "kind"}


async def test_what_is_unknown_is_forgotten_without_a_model_call_and_its_vector_goes_too() -> None:
    model, store = FakeModel(), FakeStore()
    memory = await a_memory(distiller=LLMDistiller(model), store=store)
    await memory.judge(a_trace("judged-only"))
    assert len(store.rows) == 2

    forgotten = await forget(memory, ["judged-only", "never-seen"])

    assert forgotten.trace_ids == ()
    assert store.rows == {}
    assert store.episodes == {}
    assert model.prompts == []


async def test_forgetting_works_with_the_models_down_and_the_rule_waits() -> None:
    judge_model = FakeJudgeModel()
    model, embedder, store = FakeModel(), FakeEmbedder(), FakeStore()
    memory = await a_memory(
        judge_model=judge_model, distiller=LLMDistiller(model), embedder=embedder, store=store
    )
    await memory.learn(
        [a_trace("tr-1", a_vote(False, "rude", "a")), a_trace("tr-2", a_vote(False, "rude", "b"))]
    )
    model.down = embedder.down = True

    forgotten = await forget(memory, ["tr-1"])

    assert [rule.text for rule in forgotten.waiting] == ["rude"]
    assert forgotten.distilled == ()
    (rule,) = memory.guidelines
    assert rule.waiting
    assert (rule.text, rule.source_trace_ids) == (WAITING_TEXT, ("tr-2",))
    assert (await evidence_for(memory, judge_model, a_trace("new"))).guidelines == ()
    assert list(memory.pending) == ["tr-2"]

    memory = await a_memory(judge_model=judge_model, distiller=LLMDistiller(model), store=store)
    model.down = False
    lesson = await memory.learn(())
    assert [(rule.text, rule.source_trace_ids) for rule in lesson.added] == [("rude", ("tr-2",))]
    assert memory.pending == {}


async def test_forgetting_does_not_wait_for_learning_and_what_was_forgotten_meanwhile_stays_so() -> None:
    started, opened = asyncio.Event(), asyncio.Event()

    class Slow(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            started.set()
            await opened.wait()
            return await super().complete(prompt, schema)

    store = FakeStore()
    memory = await a_memory(distiller=LLMDistiller(Slow()), store=store)
    learning = asyncio.create_task(
        memory.learn([a_trace("tr-1", a_vote(False, "rude")), a_trace("tr-2", a_vote(True, "kind"))])
    )
    await started.wait()

    async with asyncio.timeout(60):
        await forget(memory, ["tr-1"])
    opened.set()
    lesson = await learning

    assert lesson.learned == ("tr-2",)
    assert list(memory.episodes) == ["tr-2"]
    assert [rule.text for rule in memory.guidelines] == ["kind"]
    assert "tr-1" not in store.owners
    assert "rude" not in json.dumps([rule.text for rule in store.guidelines.values()])


async def test_what_is_forgotten_while_it_waits_its_turn_to_be_learned_is_not_learned() -> None:
    started, opened = asyncio.Event(), asyncio.Event()

    class Slow(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            started.set()
            await opened.wait()
            return await super().complete(prompt, schema)

    model = Slow()
    memory = await a_memory(distiller=LLMDistiller(model))
    first = asyncio.create_task(memory.learn([a_trace("tr-1", a_vote(False, "rude"))]))
    await started.wait()
    second = asyncio.create_task(memory.learn([a_trace("tr-2", a_vote(True, "kind"))]))
    await asyncio.sleep(0)

    await forget(memory, ["tr-2"])
    opened.set()

    assert (await first).learned == ("tr-1",)
    assert (await second).learned == ()
    assert len(model.prompts) == 1
    assert list(memory.episodes) == ["tr-1"]
    assert (await memory.learn([a_trace("tr-2", a_vote(True, "kind"))])).learned == ("tr-2",)


async def test_a_trace_forgotten_while_it_is_judged_leaves_no_vector() -> None:
    started, opened = asyncio.Event(), asyncio.Event()

    class Slow(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            started.set()
            await opened.wait()
            return await super().embed(texts)

    store = FakeStore()
    memory = await a_memory(embedder=Slow(), store=store)
    judging = asyncio.create_task(memory.judge(a_trace("tr-1")))
    await started.wait()

    await forget(memory, ["tr-1"])
    opened.set()
    await judging

    assert store.rows == {}


async def test_a_rule_shared_with_a_trace_forgotten_while_learning_is_distilled_again() -> None:
    started, opened = asyncio.Event(), asyncio.Event()

    class Slow(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            started.set()
            await opened.wait()
            return await super().complete(prompt, schema)

    memory = await a_memory(distiller=LLMDistiller(Slow()))
    learning = asyncio.create_task(
        memory.learn([a_trace("tr-1", a_vote(False, "rude")), a_trace("tr-2", a_vote(False, "rude", "ben"))])
    )
    await started.wait()
    await forget(memory, ["tr-1"])
    opened.set()
    await learning

    await memory.learn(())

    assert [(rule.text, rule.source_trace_ids) for rule in memory.guidelines] == [("rude", ("tr-2",))]


async def test_nothing_of_the_forgotten_is_left_in_the_store() -> None:
    store = FakeStore()
    memory = await a_memory(store=store)
    await memory.learn(
        [a_trace(f"tr-{n}", a_vote(False, "Xyzzy words.", f"p{n}"), inputs=f"text {n}") for n in range(60)]
    )
    await memory.judge(a_trace("tr-0", inputs="text 0"))
    assert any(owner.startswith("tr-0") for owner in store.owners)

    await forget(memory, [f"tr-{n}" for n in range(60)])

    assert (store.episodes, store.guidelines, store.rows, store.undistilled) == ({}, {}, {}, frozenset())


async def test_pending_reasons_of_the_forgotten_go_too() -> None:
    memory = await a_memory(distiller=LLMDistiller(FakeModel(DOWN)))
    await memory.learn([a_trace("tr-1", a_vote())])

    await forget(memory, ["tr-1"])

    assert memory.pending == {}


async def test_a_source_that_only_confirmed_counts_like_any_other() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "rude", "ana"))])
    await memory.learn([a_trace("tr-2", a_vote(False, "rude", "ben"))])

    await forget(memory, ["tr-1"])

    assert [(rule.text, rule.people) for rule in memory.guidelines] == [("rude", ("ben",))]


@pytest.mark.parametrize("known", [20, 300])
async def test_forgetting_one_with_nothing_to_distil_again_asks_no_model(known: int) -> None:
    model, embedder = FakeModel(), FakeEmbedder()
    memory = await a_memory(distiller=LLMDistiller(model), embedder=embedder)
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, f"reason {n}")) for n in range(known)])
    prompts, texts = len(model.prompts), len(embedder.texts)

    forgotten = await forget(memory, ["tr-7"])

    assert (len(model.prompts), len(embedder.texts)) == (prompts, texts)
    assert forgotten.usage == Usage()
    assert [rule.text for rule in forgotten.retired] == ["reason 7"]


async def test_a_rule_that_its_person_turned_against_stays_out_of_use_when_it_is_distilled_again() -> None:
    memory = await a_memory()
    await memory.learn([a_trace(t, a_vote(False, "Emoji are fine.", "ana", ms=1)) for t in ("tr-1", "tr-2")])
    await memory.learn([a_trace("tr-3", a_vote(False, "Not: Emoji are fine.", "ana", ms=2))])

    await forget(memory, ["tr-1"])

    assert [(rule.text, rule.in_use) for rule in memory.guidelines] == [
        ("Emoji are fine.", False),
        ("Not: Emoji are fine.", True),
    ]


async def test_conflicts_end_with_the_rule_they_were_with() -> None:
    memory = await a_memory()
    await memory.learn(
        [
            a_trace("tr-1", a_vote(False, "Short answers are polite.", "ana")),
            a_trace("tr-2", a_vote(False, "Short answers are not polite.", "ben")),
        ]
    )

    await forget(memory, ["tr-2"])

    def conflicts(rules: tuple[Guideline, ...]) -> list[tuple[str, ...]]:
        return [rule.conflicts_with for rule in rules]

    assert conflicts(memory.guidelines) == [()]
