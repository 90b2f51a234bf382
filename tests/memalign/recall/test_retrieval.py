import asyncio

import pytest

from memalign.errors import InputError, ModelUnavailableError
from memalign.memory.case_vectors import CaseVectors
from memalign.memory.embedding_cache import VectorCache
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import Completion, JudgeRequest, JudgeResponse, Prompt
from memalign.recall.retrieval import Retriever
from memalign.records import Json, Trace
from tests.factories import a_judge, a_memory, a_trace, a_vote, evidence_for
from tests.fakes import DOWN, FakeEmbedder, FakeJudgeModel, FakeModel, FakeStore, direction


def twin_of(trace_id: str, new_id: str = "new") -> Trace:
    return a_trace(new_id, inputs=f"question {trace_id}", outputs=f"answer {trace_id}")


async def test_what_is_embedded_is_what_is_asked_on_both_sides() -> None:
    judge_model = FakeJudgeModel()
    embedder = FakeEmbedder()
    memory = await a_memory(judge_model=judge_model, embedder=embedder)
    reason = "Curt answers are rude."

    await memory.learn(
        [a_trace("tr-1", a_vote(False, reason), inputs={"question": "why"}, outputs="go away")]
    )
    await evidence_for(memory, judge_model, a_trace("tr-2", inputs={"question": "how"}, outputs="like this"))

    assert embedder.texts == ["why", "go away", "how", "like this"]


async def test_only_the_fields_the_judge_uses_are_embedded() -> None:
    embedder = FakeEmbedder()
    memory = await a_memory(a_judge("Is it polite? {{ outputs }}"), embedder=embedder)

    await memory.learn([a_trace("tr-1", a_vote(), inputs="question", outputs="answer")])

    assert embedder.texts == ["answer"]


async def test_an_identical_case_comes_before_one_whose_reason_repeats_the_words() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, retrieval_k=1)
    await memory.learn(
        [
            a_trace(
                "decoy",
                a_vote(False, "refund my broken order refund my broken order"),
                inputs="hello there",
                outputs="x",
            ),
            a_trace("same", a_vote(True, "fine"), inputs="refund my broken order", outputs="x"),
        ]
    )

    (case,) = (
        await evidence_for(memory, judge_model, a_trace("new", inputs="refund my broken order", outputs="x"))
    ).retrieved

    assert case.episode.trace_id == "same"
    assert case.similarity == pytest.approx(1.0)


async def test_a_trace_is_never_shown_its_own_episode() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, min_similarity=-1.0)
    await memory.learn([a_trace(f"tr-{n}", a_vote()) for n in range(3)])

    verdict = await memory.judge(a_trace("tr-1"))

    assert sorted(verdict.retrieved_trace_ids) == ["tr-0", "tr-2"]
    assert {episode.trace_id for episode in judge_model.requests[0].episodes} == {"tr-0", "tr-2"}


async def test_a_model_that_reads_guidelines_is_handed_the_similar_cases_alone() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(
        a_judge(model="openai:/gpt-5-mini"), judge_model=judge_model, min_similarity=-1.0, retrieval_k=2
    )
    await memory.learn([a_trace(f"tr-{n}", a_vote()) for n in range(5)])

    await memory.judge(a_trace("new"))

    (request,) = judge_model.requests
    assert (len(request.evidence.retrieved), len(request.episodes)) == (2, 0)


async def test_irrelevant_cases_are_kept_out() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model)
    await memory.learn([a_trace("tr-1", a_vote(), inputs="alpha beta gamma", outputs="delta")])

    assert (
        await evidence_for(memory, judge_model, a_trace("new", inputs="zulu yankee", outputs="xray whiskey"))
    ).retrieved == ()


async def test_as_many_cases_as_asked_for_best_first() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, retrieval_k=2)
    await memory.learn(
        [a_trace(f"tr-{n}", a_vote(), inputs="a b c d " + "x " * n, outputs="e") for n in range(5)]
    )

    cases = (await evidence_for(memory, judge_model, a_trace("new", inputs="a b c d", outputs="e"))).retrieved

    assert [case.episode.trace_id for case in cases] == ["tr-0", "tr-1"]
    assert cases[0].similarity > cases[1].similarity


async def test_a_verdict_explains_itself() -> None:
    memory = await a_memory()
    await memory.learn([a_trace("tr-1", a_vote(False, "rude"))])

    verdict = await memory.judge(twin_of("tr-1"))

    assert (verdict.judge, verdict.trace_id, verdict.value, verdict.rationale) == (
        "politeness",
        "new",
        True,
        "because",
    )
    assert verdict.shown_guideline_ids == tuple(rule.id for rule in memory.guidelines)
    assert verdict.retrieved_trace_ids == ("tr-1",)
    assert list(verdict.similarities) == pytest.approx([1.0])
    assert verdict.usage.calls == 1
    assert verdict.seconds > 0
    assert verdict.note is None


async def test_cases_that_the_decider_names_come_with_their_similarity() -> None:
    class Naming(FakeJudgeModel):
        async def decide(self, question: JudgeRequest) -> JudgeResponse:
            del question
            return JudgeResponse(value=True, rationale="", retrieved_trace_ids=("tr-2", "tr-1"))

    memory = await a_memory(judge_model=Naming())
    await memory.learn([a_trace("tr-1", a_vote()), a_trace("tr-2", a_vote())])

    verdict = await memory.judge(twin_of("tr-1"))

    assert verdict.retrieved_trace_ids == ("tr-2", "tr-1")
    cosines = [
        float(direction(f"{part} tr-2") @ direction(f"{part} tr-1")) for part in ("question", "answer")
    ]
    expected = sum(cosines) / 2
    assert list(verdict.similarities) == pytest.approx([expected, 1.0], abs=1e-6)


async def test_with_the_embedder_down_the_guidelines_judge_and_the_verdict_says_so() -> None:
    embedder, judge_model = FakeEmbedder(), FakeJudgeModel()
    memory = await a_memory(embedder=embedder, judge_model=judge_model)
    await memory.learn([a_trace("tr-1", a_vote(False, "rude"))])
    embedder.down = True

    verdict = await memory.judge(a_trace("tr-2"))

    assert verdict.retrieved_trace_ids == ()
    assert [rule.text for rule in judge_model.requests[0].evidence.guidelines] == ["rude"]
    assert verdict.note is not None
    assert str(DOWN) in verdict.note


async def test_without_a_verdict_the_models_error_is_raised() -> None:
    memory = await a_memory(judge_model=FakeJudgeModel(error=DOWN))

    with pytest.raises(ModelUnavailableError):
        await memory.judge(a_trace())


async def test_judging_learns_nothing() -> None:
    store = FakeStore()
    memory = await a_memory(store=store)

    await memory.judge(a_trace("tr-1", a_vote()))

    assert dict(memory.episodes) == {}
    assert store.changes == []
    assert memory.pending == {}


async def test_a_trace_that_lacks_what_is_asked_cannot_be_judged() -> None:
    memory = await a_memory(a_judge("{{ conversation }} {{ outputs }}"))

    with pytest.raises(InputError, match="tr-1 has no conversation"):
        await memory.judge(a_trace("tr-1"))


async def test_a_verdict_on_a_text_already_embedded_embeds_nothing() -> None:
    embedder = FakeEmbedder()
    memory = await a_memory(embedder=embedder)
    await memory.learn([a_trace("tr-1", a_vote())])

    await memory.judge(twin_of("tr-1"))
    await memory.judge(twin_of("tr-1", "newer"))

    assert len(embedder.texts) == 2


async def test_judging_and_recalling_do_not_wait_for_learning() -> None:
    judge_model = FakeJudgeModel()
    opened = asyncio.Event()

    class Slow(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            await opened.wait()
            return await super().complete(prompt, schema)

    memory = await a_memory(judge_model=judge_model, distiller=LLMDistiller(Slow()))
    learning = asyncio.create_task(memory.learn([a_trace("tr-1", a_vote())]))

    async with asyncio.timeout(60):
        assert (await memory.judge(a_trace("tr-2"))).value is True
        assert (await evidence_for(memory, judge_model, a_trace("tr-2"))).guidelines == ()
    opened.set()
    assert (await learning).learned == ("tr-1",)


async def test_questions_asked_at_once_never_see_each_others_cases() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, retrieval_k=1)
    await memory.learn(
        [a_trace(f"tr-{n}", a_vote(), inputs=f"topic{n}", outputs=f"word{n}") for n in range(8)]
    )

    verdicts = await asyncio.gather(
        *(memory.judge(a_trace(f"new-{n}", inputs=f"topic{n}", outputs=f"word{n}")) for n in range(8))
    )

    assert [verdict.retrieved_trace_ids[0] for verdict in verdicts] == [f"tr-{n}" for n in range(8)]


async def test_the_version_grows_with_every_change_and_names_one_memory_only() -> None:
    memory, other = await a_memory(), await a_memory()
    versions = [memory.version, other.version]
    await memory.learn([a_trace("tr-1", a_vote())])
    versions.append(memory.version)
    await other.learn([a_trace("tr-1", a_vote())])
    versions.append(other.version)
    await memory.distil_again(await memory.forget(["tr-1"]))
    versions.append(memory.version)

    assert len(set(versions)) == len(versions)
    assert versions[0] < versions[2] < versions[4]


async def test_all_guidelines_are_shown_while_they_fit_in_the_same_order_for_every_trace() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model)
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, f"rule about topic{n}")) for n in range(8)])

    first = await evidence_for(memory, judge_model, a_trace("new", inputs="topic3"))
    second = await evidence_for(memory, judge_model, a_trace("new", inputs="topic5"))

    assert first.guidelines == second.guidelines
    assert len(first.guidelines) == 8
    assert first.left_out == 0


async def test_when_guidelines_do_not_fit_the_best_supported_and_the_relevant_ones_stay() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, guideline_tokens=120)
    traces = [
        a_trace(f"tr-{n}", a_vote(False, f"Mention topic{n} clearly in every reply.")) for n in range(30)
    ]
    supported = [
        a_trace(f"more-{p}", a_vote(False, "Mention topic7 clearly in every reply.", p))
        for p in ("b", "c", "d")
    ]
    await memory.learn([*traces, *supported])

    evidence = await evidence_for(
        memory, judge_model, a_trace("new", inputs="something about topic23", outputs="x")
    )

    texts = [rule.text for rule in evidence.guidelines]
    assert texts[0] == "Mention topic7 clearly in every reply."
    assert texts[-1] == "Mention topic23 clearly in every reply."
    assert evidence.chosen == len(texts) - 1
    assert evidence.left_out == 30 - len(texts)
    assert len(texts) < 10


async def test_an_answer_is_found_again_beside_a_long_request_that_is_the_same_everywhere() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model, retrieval_k=1)
    context = " ".join(f"word{n}" for n in range(2_000))
    await memory.learn(
        [
            a_trace(f"tr-{n}", a_vote(), inputs={"context": context, "question": f"q{n}"}, outputs=answer)
            for n, answer in enumerate(["we cannot refund that", "the parcel is late", "please call us"])
        ]
    )

    evidence = await evidence_for(
        memory, judge_model, a_trace("new", inputs={"context": context}, outputs="your parcel is late")
    )

    assert evidence.retrieved[0].episode.trace_id == "tr-1"


async def test_the_order_of_guidelines_does_not_change_with_votes() -> None:
    judge_model = FakeJudgeModel()
    memory = await a_memory(judge_model=judge_model)
    rules = [f"Mention topic{n} clearly in every reply." for n in range(5)]
    await memory.learn([a_trace(f"tr-{n}", a_vote(False, rule)) for n, rule in enumerate(rules)])
    await memory.learn([a_trace("more", a_vote(False, rules[3], "b"))])

    evidence = await evidence_for(memory, judge_model, a_trace("new"))

    assert [rule.text for rule in evidence.guidelines] == rules
    assert evidence.chosen == 0


async def test_a_copy_of_a_retriever_chooses_cases_as_the_first_one_does() -> None:
    memory = await a_memory(min_similarity=-1.0)
    await memory.learn(
        [a_trace(f"tr-{number}", a_vote(), inputs=f"Question {number}?") for number in range(3)]
    )
    state = memory.state
    first = Retriever(
        CaseVectors(VectorCache(FakeEmbedder(), None)),
        max_cases=3,
        min_similarity=-1.0,
        guideline_tokens=100,
        durable=False,
        choose_cases=lambda ranked, count: tuple(ranked)[1:count],
    )

    found, again = (
        retriever.recall(
            state.episodes["tr-0"].case_text,
            state.episodic.vectors["tr-0"],
            state,
            exclude_trace_id=None,
        ).retrieved
        for retriever in (first, first.copy())
    )

    assert found == again
    assert len(found) == 2
