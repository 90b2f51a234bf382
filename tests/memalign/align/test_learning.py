import asyncio

import pytest

from memalign.errors import StorageError
from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Completion, Prompt
from memalign.records import Assessment, Guideline, Json, Trace, Usage
from memalign.value_types import FeedbackValueType
from tests.factories import a_judge, a_memory, a_trace, a_vote, evidence_for
from tests.fakes import DOWN, FakeEmbedder, FakeJudgeModel, FakeModel, FakeStore, section


def rules(memory: JudgeMemory) -> dict[str, tuple[str, ...]]:
    return {rule.text: rule.source_trace_ids for rule in memory.guidelines if rule.in_use}


def only_rule(memory: JudgeMemory) -> Guideline:
    (rule,) = memory.guidelines
    return rule


async def test_one_trace_teaches_an_episode_and_a_guideline_with_its_source() -> None:
    memory = await a_memory()

    lesson = await memory.learn([a_trace("tr-1", a_vote(False, "Curt is rude.", "ana", ms=5))])

    assert lesson.learned == ("tr-1",)
    assert lesson.pending == {}
    assert [rule.text for rule in lesson.added] == ["Curt is rude."]
    (source,) = only_rule(memory).sources
    assert (source.trace_id, source.person, source.quote, source.time_ms) == (
        "tr-1",
        "ana",
        "Curt is rude.",
        5,
    )
    assert memory.episodes["tr-1"].label is False
    assert lesson.usage.calls == 2


async def test_everything_is_kept_in_the_store_and_comes_back_as_it_was() -> None:
    judge_model = FakeJudgeModel()
    store = FakeStore()
    memory = await a_memory(judge_model=judge_model, store=store)
    await memory.learn([a_trace("tr-1", a_vote(True, "a")), a_trace("tr-2", a_vote(False, "b"))])
    embedder = FakeEmbedder()

    again = await a_memory(judge_model=judge_model, store=store, embedder=embedder)

    assert again.guidelines == memory.guidelines
    assert dict(again.episodes) == dict(memory.episodes)
    assert again.pending == {}
    assert embedder.batches == []
    evidence = await evidence_for(
        again, judge_model, a_trace("tr-9", inputs="question tr-1", outputs="answer tr-1")
    )
    assert evidence.retrieved[0].episode.trace_id == "tr-1"


async def test_the_same_feedback_again_changes_nothing_and_asks_no_model() -> None:
    model, embedder, store = FakeModel(), FakeEmbedder(), FakeStore()
    memory = await a_memory(distiller=LLMDistiller(model), embedder=embedder, store=store)
    traces = [a_trace("tr-1", a_vote()), a_trace("tr-2", a_vote(True, "Thanks are kind."))]
    await memory.learn(traces)
    before = memory.guidelines, list(memory.episodes), len(store.changes)

    lesson = await memory.learn(traces)

    assert lesson.unchanged == ("tr-1", "tr-2")
    assert lesson.learned == ()
    assert (memory.guidelines, list(memory.episodes), len(store.changes)) == before
    assert len(model.prompts) == 1
    assert len(embedder.texts) == 4


async def test_new_changed_and_unchanged_traces_are_told_apart_and_the_others_stay() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model))
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, f"reason {n}")) for n in range(3)])

    lesson = await memory.learn(
        [
            a_trace("tr-0", a_vote(False, "reason 0")),
            a_trace("tr-1", a_vote(True, "changed")),
            a_trace("tr-9", a_vote()),
        ]
    )

    assert (lesson.unchanged, lesson.learned) == (("tr-0",), ("tr-1", "tr-9"))
    assert list(memory.episodes) == ["tr-0", "tr-2", "tr-1", "tr-9"]
    assert "reason 1" not in rules(memory)
    assert rules(memory)["changed"] == ("tr-1",)
    assert len(section(model.prompts[-1].changing, "records")) == 2


async def test_a_trace_given_twice_counts_once_and_the_last_one_counts() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model))

    await memory.learn([a_trace("tr-1", a_vote(True, "first")), a_trace("tr-1", a_vote(False, "second"))])

    assert memory.episodes["tr-1"].label is False
    assert rules(memory) == {"second": ("tr-1",)}
    assert len(model.prompts) == 1


@pytest.mark.parametrize(
    ("trace", "why"),
    [
        (a_trace("bad"), "Nobody's feedback"),
        (a_trace("bad", a_vote(name="tone")), "Nobody's feedback"),
        (a_trace("bad", a_vote(source_type="LLM_JUDGE")), "Nobody's feedback"),
        (a_trace("bad", a_vote("meh")), "“meh” is not a value"),
        (a_trace("bad", a_vote(), inputs="", outputs=" "), "has no inputs or outputs"),
    ],
)
async def test_a_bad_trace_is_rejected_with_its_reason_and_blocks_no_other(trace: Trace, why: str) -> None:
    memory = await a_memory()

    lesson = await memory.learn([trace, a_trace("good", a_vote())])

    assert lesson.learned == ("good",)
    assert list(lesson.rejected) == ["bad"]
    assert why in lesson.rejected["bad"]


async def test_a_thumb_without_a_reason_is_an_episode_and_asks_no_language_model() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model))

    lesson = await memory.learn([a_trace("tr-1", a_vote(True, None))])

    assert lesson.learned == ("tr-1",)
    assert "tr-1" in memory.episodes
    assert model.prompts == []


async def test_the_minority_is_kept_and_not_taught() -> None:
    memory = await a_memory()

    await memory.learn(
        [a_trace("tr-1", a_vote(False, "rude", "a"), a_vote(False, "curt", "b"), a_vote(True, "fine", "c"))]
    )

    minority = memory.episodes["tr-1"].minority
    assert [(opinion.person, opinion.rationale) for opinion in minority] == [("c", "fine")]
    assert set(rules(memory)) == {"rude", "curt"}


async def test_feedback_taken_back_takes_its_episode_and_rule_along() -> None:
    store = FakeStore()
    memory = await a_memory(store=store)
    await memory.learn([a_trace("tr-1", a_vote(False, "rude"))])

    lesson = await memory.learn([a_trace("tr-1", a_vote(False, "rude", valid=False))])

    assert lesson.retracted == ("tr-1",)
    assert lesson.learned == ("tr-1",)
    assert [rule.text for rule in lesson.retired] == ["rude"]
    assert memory.guidelines == ()
    assert dict(memory.episodes) == {}
    assert store.episodes == {}
    assert store.guidelines == {}


async def test_the_same_sentence_from_several_traces_is_one_rule_with_all_its_sources() -> None:
    memory = await a_memory()

    await memory.learn([a_trace(f"tr-{n}", a_vote(False, "Curt is rude.", f"p{n}")) for n in range(60)])
    await memory.learn([a_trace("tr-60", a_vote(False, "Curt is rude.", "p60"))])

    assert only_rule(memory).source_trace_ids == tuple(f"tr-{n}" for n in range(61))
    assert len(only_rule(memory).people) == 61


async def test_a_rule_that_gains_a_source_is_not_added_again() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote())])

    lesson = await memory.learn([a_trace("tr-2", a_vote())])

    assert lesson.added == ()
    assert [rule.source_trace_ids for rule in memory.guidelines] == [("tr-1", "tr-2")]


async def test_the_same_sentence_in_other_signs_is_one_rule_and_a_paraphrase_is_another() -> None:
    memory = await a_memory()

    await memory.learn(
        [
            a_trace("tr-1", a_vote(False, "Answers mustn't cite a source.")),
            a_trace("tr-2", a_vote(False, "Answers mustn’t cite a source!")),
            a_trace("tr-3", a_vote(False, "Never cite sources in an answer.")),
        ]
    )

    assert list(rules(memory).values()) == [("tr-1", "tr-2"), ("tr-3",)]


@pytest.mark.parametrize("labels", [(False, False), (False, True)])
@pytest.mark.parametrize("rule", ["Short answers are polite.", "Kurze Antworten sind höflich."])
async def test_a_rule_and_its_opposite_stay_apart_and_are_marked(
    rule: str, labels: tuple[bool, bool]
) -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model)

    await memory.learn([a_trace("tr-1", a_vote(labels[0], rule, "ana"))])
    await memory.learn([a_trace("tr-2", a_vote(labels[1], f"Not: {rule}", "ben"))])

    first, opposite = memory.guidelines
    assert first.conflicts_with == (opposite.id,)
    assert opposite.conflicts_with == (first.id,)
    assert len((await evidence_for(memory, judge_model, a_trace("tr-9"))).guidelines) == 1


async def test_numbers_keep_rules_apart() -> None:
    memory = await a_memory()

    await memory.learn(
        [
            a_trace("tr-1", a_vote(False, "Answers must cite 2 sources.")),
            a_trace("tr-2", a_vote(False, "Answers must cite 3 sources.")),
        ]
    )

    assert len(rules(memory)) == 2


async def test_a_changed_opinion_takes_its_support_from_a_rule_with_another_source() -> None:
    memory = await a_memory()
    await memory.learn(
        [a_trace(t, a_vote(False, "Curt is rude.", p)) for t, p in (("tr-3", "ana"), ("tr-4", "ben"))]
    )

    await memory.learn([a_trace("tr-4", a_vote(True, "This is fine.", "ben"))])

    assert rules(memory) == {"Curt is rude.": ("tr-3",), "This is fine.": ("tr-4",)}


async def test_a_changed_opinion_leaves_what_there_would_be_without_the_old_one() -> None:
    changed, fresh = await a_memory(), await a_memory()
    others = [a_trace("tr-1", a_vote(False, "rude", "a")), a_trace("tr-2", a_vote(False, "rude", "b"))]
    await changed.learn([*others, a_trace("tr-3", a_vote(False, "rude", "c"), a_vote(False, "curt", "d"))])

    now = a_trace("tr-3", a_vote(True, "kind", "c", ms=9), a_vote(True, "nice", "d", ms=9))
    await changed.learn([now])
    await fresh.learn([*others, now])

    assert [(rule.text, rule.sources) for rule in changed.guidelines] == [
        (rule.text, rule.sources) for rule in fresh.guidelines
    ]
    assert dict(changed.episodes) == dict(fresh.episodes)


async def test_another_persons_vote_distils_only_what_is_new() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model))
    await memory.learn([a_trace("tr-1", a_vote(False, "rude", "a"))])
    rule = only_rule(memory)

    await memory.learn([a_trace("tr-1", a_vote(False, "rude", "a"), a_vote(False, "curt", "b"))])

    (line,) = section(model.prompts[-1].changing, "records")
    assert '"reason": "curt"' in line
    assert rule in memory.guidelines
    assert rules(memory)["curt"] == ("tr-1",)


async def test_a_person_who_says_the_opposite_elsewhere_overrules_their_own_rule() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "Emoji are fine.", "ana", ms=1))])

    lesson = await memory.learn([a_trace("tr-2", a_vote(True, "Not: Emoji are fine.", "ana", ms=2))])

    assert rules(memory) == {"Not: Emoji are fine.": ("tr-2",)}
    assert [rule.text for rule in lesson.retired] == ["Emoji are fine."]
    await memory.distil_again(await memory.forget(["tr-2"]))
    assert rules(memory) == {"Emoji are fine.": ("tr-1",)}


async def test_a_rule_stands_while_one_of_its_people_stands_by_it() -> None:
    memory = await a_memory()
    await memory.learn(
        [a_trace(f"tr-{p}", a_vote(False, "Emoji are fine.", p, ms=1)) for p in ("ana", "ben")]
    )

    await memory.learn([a_trace("tr-9", a_vote(False, "Not: Emoji are fine.", "ana", ms=2))])

    first, second = (rule for rule in memory.guidelines)
    assert not first.overruled
    assert first.conflicts_with == (second.id,)


async def test_a_person_who_comes_back_to_their_rule_makes_it_stand_again() -> None:
    memory = await a_memory()
    for n, reason in enumerate(("Emoji are fine.", "Not: Emoji are fine.", "Emoji are fine.")):
        await memory.learn([a_trace(f"tr-{n}", a_vote(False, reason, "ana"))])

    assert "Emoji are fine." in rules(memory)


async def test_labels_without_time_are_weighed_in_order_of_learning() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "Emoji are fine.", "ana"))])
    await memory.learn([a_trace("tr-2", a_vote(False, "Not: Emoji are fine.", "ana"))])

    assert set(rules(memory)) == {"Not: Emoji are fine."}


async def test_failed_distilling_stays_pending_over_a_restart_and_is_learned_later() -> None:
    model, store = FakeModel(), FakeStore()
    model.down = True
    memory = await a_memory(distiller=LLMDistiller(model), store=store)

    lesson = await memory.learn([a_trace("tr-1", a_vote(False, "rude"))])

    assert lesson.learned == ()
    assert lesson.pending == {"tr-1": str(DOWN)}
    assert "tr-1" in memory.episodes
    memory = await a_memory(distiller=LLMDistiller(model), store=store)
    assert list(memory.pending) == ["tr-1"]
    model.down = False
    lesson = await memory.learn(())
    assert lesson.learned == ("tr-1",)
    assert memory.pending == {}
    assert rules(memory) == {"rude": ("tr-1",)}


async def test_one_failing_batch_of_many_leaves_only_its_own_pending() -> None:
    memory = await a_memory(distiller=LLMDistiller(FakeModel(DOWN)))

    lesson = await memory.learn([a_trace(f"tr-{n}", a_vote(False, f"reason {n}")) for n in range(60)])

    assert len(lesson.pending) == 50
    assert len(lesson.learned) == 10
    assert len((await memory.learn(())).learned) == 50
    assert len(rules(memory)) == 60


async def test_with_the_embedder_down_the_trace_is_pending_and_found_later() -> None:
    judge_model = FakeJudgeModel()
    embedder, store = FakeEmbedder(), FakeStore()
    embedder.down = True
    memory = await a_memory(judge_model=judge_model, embedder=embedder, store=store)

    lesson = await memory.learn([a_trace("tr-1", a_vote(False, "rude"))])

    assert lesson.pending == {"tr-1": str(DOWN)}
    memory = await a_memory(judge_model=judge_model, embedder=embedder, store=store)
    assert list(memory.pending) == ["tr-1"]
    embedder.down = False
    assert (await memory.learn(())).learned == ("tr-1",)
    twin = a_trace("tr-2", inputs="question tr-1", outputs="answer tr-1")
    (case,) = (await evidence_for(memory, judge_model, twin)).retrieved
    assert case.episode.trace_id == "tr-1"


async def test_a_changed_embedding_model_is_noticed_and_the_cases_are_embedded_anew() -> None:
    store = FakeStore()
    await (await a_memory(store=store)).learn([a_trace("tr-1", a_vote())])

    class Another(FakeEmbedder):
        name = "fake:/another"

    memory = await a_memory(store=store, embedder=Another())
    assert list(memory.pending) == ["tr-1"]
    await memory.learn(())
    assert memory.pending == {}


async def test_a_store_that_fails_leaves_everything_as_it_was() -> None:
    judge_model = FakeJudgeModel()
    store = FakeStore()
    memory = await a_memory(judge_model=judge_model, store=store)
    await memory.learn([a_trace("tr-1", a_vote())])
    before, version = memory.guidelines, memory.version
    store.full = True

    with pytest.raises(StorageError):
        await memory.learn([a_trace("tr-2", a_vote(True, "kind"))])
    with pytest.raises(StorageError):
        await memory.distil_again(await memory.forget(["tr-1"]))

    assert (memory.guidelines, list(memory.episodes), memory.version) == (before, ["tr-1"], version)
    assert (
        await evidence_for(
            memory, judge_model, a_trace("tr-9", inputs="question tr-1", outputs="answer tr-1")
        )
    ).retrieved
    store.full = False
    assert (await memory.learn([a_trace("tr-2", a_vote(True, "kind"))])).learned == ("tr-2",)


async def test_embedding_and_distilling_go_on_at_the_same_time() -> None:
    both = asyncio.Barrier(2)

    class Embedder(FakeEmbedder):
        async def embed(self, texts: Json) -> Json:
            await both.wait()
            return await super().embed(texts)

    class Model(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            await both.wait()
            return await super().complete(prompt, schema)

    memory = await a_memory(embedder=Embedder(), distiller=LLMDistiller(Model()))

    async with asyncio.timeout(60):
        assert (await memory.learn([a_trace("tr-1", a_vote())])).learned == ("tr-1",)


@pytest.mark.parametrize("known", [0, 10, 200])
async def test_one_more_feedback_costs_the_same_however_much_is_known(known: int) -> None:
    model, embedder, store = FakeModel(), FakeEmbedder(), FakeStore()
    memory = await a_memory(distiller=LLMDistiller(model), embedder=embedder, store=store)
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, f"reason {n}")) for n in range(known)])
    texts, prompts, changes = len(embedder.texts), len(model.prompts), len(store.changes)

    await memory.learn([a_trace("one-more", a_vote(True, "Thanks are kind."))])

    assert embedder.texts[texts:] == ["question one-more", "answer one-more"]
    assert len(model.prompts) - prompts == 1
    case, rule = store.changes[changes:]
    assert [episode.trace_id for episode in case.put_episodes] == ["one-more"]
    assert (len(rule.put_episodes), len(rule.put_guidelines)) == (0, 1)


async def test_the_text_embedded_when_judging_is_not_embedded_again_when_learning() -> None:
    embedder, store = FakeEmbedder(), FakeStore()
    await (await a_memory(embedder=embedder, store=store)).judge(a_trace("tr-1"))
    memory = await a_memory(embedder=embedder, store=store)

    lesson = await memory.learn([a_trace("tr-1", a_vote(True, None))])

    assert len(embedder.texts) == 2
    assert lesson.usage == Usage()


@pytest.mark.parametrize(
    ("value_type", "value", "label"),
    [(["Great", "Poor"], "great", "Great"), (int, "4", 4), (float, 4, 4.0), (str, "odd", "odd")],
)
async def test_labels_keep_their_own_spelling_and_type(
    value_type: FeedbackValueType, value: Json, label: Json
) -> None:
    memory = await a_memory(a_judge(value_type=value_type))

    await memory.learn([a_trace("tr-1", a_vote(value, "reason"))])

    learned = memory.episodes["tr-1"].label
    assert learned == label
    assert type(learned) is type(label)
    assert only_rule(memory).labels == (label,)


async def test_only_feedback_under_the_judges_name_teaches() -> None:
    memory = await a_memory()
    other = Assessment(name="tone", value=True, rationale="other", source_id="x")

    await memory.learn([a_trace("tr-1", a_vote(False, "ours", name=" POLITENESS "), other)])

    assert set(rules(memory)) == {"ours"}
