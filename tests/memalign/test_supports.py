"""Guidelines that a person says cover a case: the person becomes a source of them, for as long as they say so."""

from dataclasses import replace

import pytest

from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.records import Assessment
from tests.factories import a_memory, a_trace, a_vote
from tests.fakes import FakeModel, FakeStore


def covering(guideline_id: str, person: str = "ben", *, rationale: str | None = None) -> Assessment:
    return replace(a_vote(False, rationale, person), supports=(guideline_id,))


async def opened(store: FakeStore) -> JudgeMemory:
    return await a_memory(store=store, distiller=LLMDistiller(FakeModel()))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def memory(store: FakeStore) -> JudgeMemory:
    """One rule of ana's, which ben says covers another case."""
    memory = await opened(store)
    await memory.learn([a_trace("tr-1", a_vote(False, "rude", "ana"))])
    [rule] = memory.guidelines
    await memory.learn([a_trace("tr-2", covering(rule.id))])
    return memory


def sources(memory: JudgeMemory) -> dict[str, list[tuple[str, str]]]:
    return {
        rule.text: [(source.trace_id, source.person) for source in rule.sources] for rule in memory.guidelines
    }


BOTH = {"rude": [("tr-1", "ana"), ("tr-2", "ben")]}


async def test_a_ticked_guideline_rests_on_that_person_as_well_and_no_model_is_asked() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model))
    await memory.learn([a_trace("tr-1", a_vote(False, "rude", "ana"))])
    asked = len(model.prompts)
    [rule] = memory.guidelines

    await memory.learn([a_trace("tr-2", covering(rule.id))])

    assert sources(memory) == BOTH
    assert memory.guidelines[0].people == ("ana", "ben")
    assert len(model.prompts) == asked


async def test_it_survives_a_restart(memory: JudgeMemory, store: FakeStore) -> None:
    assert sources(memory) == BOTH
    assert sources(await opened(store)) == BOTH


async def test_learned_twice_it_counts_once(memory: JudgeMemory) -> None:
    await memory.learn([a_trace("tr-2", covering(memory.guidelines[0].id))])
    assert sources(memory) == BOTH


async def test_it_goes_with_the_persons_vote(memory: JudgeMemory, store: FakeStore) -> None:
    await memory.learn([a_trace("tr-2")])
    assert sources(memory) == {"rude": [("tr-1", "ana")]}
    assert sources(await opened(store)) == {"rude": [("tr-1", "ana")]}


async def test_it_goes_when_the_box_is_no_longer_ticked(memory: JudgeMemory) -> None:
    await memory.learn([a_trace("tr-2", a_vote(False, None, "ben"))])
    assert sources(memory) == {"rude": [("tr-1", "ana")]}


async def test_it_goes_with_the_trace(memory: JudgeMemory) -> None:
    await memory.distil_again(await memory.forget(["tr-2"]))
    assert [each for places in sources(memory).values() for each in places] == [("tr-1", "ana")]


async def test_it_goes_with_the_person(memory: JudgeMemory) -> None:
    await memory.forget_person("ben", ["tr-2"])
    await memory.learn()
    assert "ben" not in str(memory.guidelines)
    assert [each for places in sources(memory).values() for each in places] == [("tr-1", "ana")]


async def test_of_a_guideline_that_is_gone_nothing_follows(memory: JudgeMemory) -> None:
    await memory.learn([a_trace("tr-3", covering("g-unknown", "cleo"))])
    assert sources(memory) == BOTH


async def test_the_most_relevant_guidelines_come_first_and_unrelated_ones_not_at_all() -> None:
    memory = await a_memory()
    for number, rule in enumerate(("Name the bus stop.", "Never mention refunds.")):
        await memory.learn([a_trace(f"tr-{number}", a_vote(False, rule, "ana"), inputs=rule, outputs=rule)])
    trace = a_trace("tr-9", inputs="Which bus stop is it?", outputs="The stop at the bus station.")
    found = await memory.relevant_guidelines(trace)
    assert found[0].text == "Name the bus stop."
    assert len(await memory.relevant_guidelines(trace, 1)) == 1
