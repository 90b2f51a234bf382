"""Traces beside the labelled cases, before they are judged: near copies, votes, and an opinion from the cases alone."""

from pathlib import Path

import pytest

from memalign.trace_neighbourhoods import MIN_CASES_FOR_OPINION, Neighbourhood
from storage.database import Database
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeEmbedder, FakeJudgeModel

LLM = "openai:/gpt-5-mini"


async def test_a_trace_is_embedded_once_for_comparing_and_judging() -> None:
    embedder = FakeEmbedder()
    memory = await a_memory(embedder=embedder)
    await memory.learn([a_trace("old", a_vote())])
    before = len(embedder.texts)
    await memory.neighbourhoods.embed([a_trace("new")])
    await memory.neighbourhoods.find(a_trace("new"))
    await memory.judge_candidate(a_trace("new"))
    assert len(embedder.texts) == before + 2, "question and answer, each once"


async def test_the_nearest_case_is_found_whatever_its_label_and_the_traces_own_is_none() -> None:
    memory = await a_memory()
    copy, other = (a_trace(name, a_vote(), inputs="where is it", outputs="on its way") for name in "ab")
    await memory.learn([copy, a_trace("far", a_vote(True), inputs="refund", outputs="no money back")])
    await memory.neighbourhoods.embed([copy, other])
    assert (await memory.neighbourhoods.find(other)).has_copy
    assert not (await memory.neighbourhoods.find(copy)).has_copy
    assert [await memory.neighbourhoods.has_copy(each) for each in (other, copy)] == [True, False]


async def test_votes_on_similar_cases_are_counted_by_person() -> None:
    memory = await a_memory()
    disputed = a_trace("old", a_vote(False), a_vote(True, person="ben"), a_vote(False, person="eve"))
    await memory.learn([disputed])
    again = a_trace("new", inputs="question old", outputs="answer old")
    await memory.neighbourhoods.embed([again])
    assert dict((await memory.neighbourhoods.find(again)).votes) == {False: 2, True: 1}


async def test_nothing_is_near_a_trace_that_could_not_be_embedded() -> None:
    embedder = FakeEmbedder()
    memory = await a_memory(embedder=embedder)
    await memory.learn([a_trace("old", a_vote())])
    embedder.down = True
    assert await memory.neighbourhoods.embed([a_trace("new")]) == {}
    assert await memory.neighbourhoods.find(a_trace("new")) == Neighbourhood()


async def test_nothing_is_near_a_trace_while_nothing_is_learned() -> None:
    memory = await a_memory()
    await memory.neighbourhoods.embed([a_trace("new")])
    assert await memory.neighbourhoods.find(a_trace("new")) == Neighbourhood()


async def test_a_candidate_leaves_no_vector_in_the_store_unless_it_is_shown(tmp_path: Path) -> None:
    trace = a_trace("new")
    async with await Database.open(tmp_path) as database:
        memory = await a_memory(store=database.memories)
        await memory.judge_candidate(trace)
        later = await a_memory(store=database.memories)
        assert await later.neighbourhoods.known_vectors([trace]) == {}
        await memory.keep_vector(trace)
        assert set(await later.neighbourhoods.known_vectors([trace])) == {"new"}


@pytest.mark.parametrize(
    ("model", "cases", "asked"),
    [
        (LLM, MIN_CASES_FOR_OPINION, 1),
        (LLM, MIN_CASES_FOR_OPINION - 1, 0),
        ("local:/cases", MIN_CASES_FOR_OPINION, 0),
    ],
)
async def test_the_cases_alone_are_asked_once_there_are_enough_of_them(
    model: str, cases: int, asked: int
) -> None:
    memory = await a_memory(a_judge(model=model))
    await memory.learn([a_trace(f"tr-{number}", a_vote(number % 2 == 0, None)) for number in range(cases)])
    opinion = FakeJudgeModel(False)
    value = await memory.neighbourhoods.value_by_cases(a_trace("new"), opinion)
    assert (len(opinion.requests), value) == (asked, False if asked else None)
    assert all(len(request.episodes) == cases for request in opinion.requests)
