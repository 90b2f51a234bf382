"""Texts and rationales that a service fails at are found and wait alone; a service that is down is left alone."""

import json
from collections.abc import Sequence

import pytest

from memalign import Assessment, MemAlignOptimizer, Trace, make_judge
from memalign.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.fault_search import FaultSearch
from memalign.judge_memory import JudgeMemory
from memalign.judges import AlignableJudge
from memalign.memory.embedding_cache import VectorCache
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.openai import OpenAIEmbedder, OpenAIModel
from memalign.ports import Embeddings
from tests.factories import a_memory, a_trace, a_vote
from tests.fakes import FakeEmbedder, FakeModel, FakeStore
from tests.model_server import Fault, ModelServer

AT_ONCE = {"retry-after-ms": "1"}
FAULTS = {
    "500": Fault(status=500, body='{"error": {"message": "decode failed"}}', headers=AT_ONCE),
    "502 page": Fault(status=502, body="<html>Bad gateway</html>", headers=AT_ONCE),
    "503": Fault(status=503, body="{}", headers=AT_ONCE),
    "507": Fault(status=507, body="", headers=AT_ONCE),
    "400": Fault(status=400, body='{"error": {"message": "no", "type": "invalid_request_error"}}'),
    "content filter": Fault(status=400, body='{"error": {"message": "no", "code": "content_filter"}}'),
    "no vectors": Fault(body='{"data": [], "choices": []}'),
}
TOO_LARGE = Fault(status=500, body='{"error": {"message": "input is too large"}}', headers=AT_ONCE)
EACH_FAULT = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
FAILED = RequestFailedError("down", blame="at fault")


def a_judge() -> AlignableJudge:
    return make_judge(
        name="p",
        instructions="Polite? {{ inputs }} {{ outputs }}",
        feedback_value_type=bool,
        model="openai:/m",
    )


def traces(*names: str) -> list[Trace]:
    return [
        Trace(
            trace_id=name,
            inputs="Help?",
            outputs=f"Go {name}",
            assessments=[Assessment(name="p", value=False, rationale=f"Reason {name}.", source_id="ana")],
        )
        for name in names
    ]


@pytest.mark.parametrize("fault", [*FAULTS.values(), TOO_LARGE], ids=[*FAULTS, "500 too large"])
def test_a_text_that_cannot_be_embedded_waits_alone_and_later_ones_are_learned(
    server: ModelServer, fault: Fault
) -> None:
    server.spoiled["Go poison"] = fault
    optimizer = MemAlignOptimizer(
        reflection_lm="local:/extract", embedding_model="openai:/e", embedding_dim=8
    )

    aligned = a_judge().align(traces("t0", "t1", "t2", "t3", "poison", "t5"), optimizer)
    calls = len(server.calls)
    aligned = aligned.align(traces("u0", "u1", "u2"), optimizer)

    assert list(aligned.pending) == ["poison"]
    assert len(aligned.episodes) == 9
    # found once, it is not searched for again: one call for the new ones, and what it takes to try it alone
    assert sum("Go u0" in text for call in server.calls[calls:] for text in call.body["input"]) == 1
    assert len(server.calls) - calls <= 8
    server.spoiled.clear()
    assert aligned.align(traces("u0"), optimizer).pending == {}


@EACH_FAULT
def test_a_rationale_that_cannot_be_distilled_waits_alone(server: ModelServer, fault: Fault) -> None:
    if fault.status == 200:
        fault = Fault(body='{"choices": [{"message": {"content": "no JSON"}}]}')
    server.spoiled["Reason poison"] = fault
    optimizer = MemAlignOptimizer(reflection_lm="openai:/r", embedding_model="local:/wordllama")

    aligned = a_judge().align(traces("t0", "t1", "t2", "t3", "poison", "t5"), optimizer)

    assert list(aligned.pending) == ["poison"]
    assert {rule.text for rule in aligned.guidelines} == {f"Reason t{n}." for n in (0, 1, 2, 3, 5)}
    calls = len(server.calls)
    again = aligned.align(traces("u0"), optimizer)
    assert "Reason u0." in {rule.text for rule in again.guidelines}
    distilled = [json.dumps(call.body).partition("<records>")[2] for call in server.calls[calls:]]
    assert sum("Reason u0" in records for records in distilled) == 1


@pytest.mark.parametrize("count", [1, 6, 200])
@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_service_that_is_down_is_asked_for_the_batch_and_one_probe(
    server: ModelServer, status: int, count: int
) -> None:
    fault = Fault(status=status, body="{}", headers=AT_ONCE)
    server.embedding_faults.extend([fault] * 1000)
    optimizer = MemAlignOptimizer(
        reflection_lm="local:/extract", embedding_model="openai:/e", embedding_dim=8
    )

    aligned = a_judge().align(traces(*(f"t{n}" for n in range(count))), optimizer)

    assert len(aligned.pending) == count
    assert set(aligned.report.pending.values()) == {f"openai:/e is overloaded or down ({status})."}
    assert len(server.calls) <= 6


async def test_a_known_fault_is_told_from_a_service_that_is_down_by_its_sentence(
    server: ModelServer,
) -> None:
    cache = VectorCache(OpenAIEmbedder("e", 8), None)
    server.spoiled["poison"] = FAULTS["500"]
    lookup = await cache.find(["good", "poison"])
    assert lookup.failed == {"poison": "openai:/e fails on this request (500), while it answers others."}

    server.embedding_faults.extend([FAULTS["500"]] * 20)
    assert (await cache.find(["poison", "new"])).failed["new"] == "openai:/e is overloaded or down (500)."


async def test_many_texts_at_fault_are_tried_again_in_turn() -> None:
    class Choosy(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Embeddings:
            self.batches.append(list(texts))
            if any("poison" in text for text in texts):
                raise FAILED
            self.batches.pop()
            return await super().embed(texts)

    embedder = Choosy()
    cache = VectorCache(embedder, None)
    poisons = [f"poison {n}" for n in range(20)]
    for _ in range(10):
        await cache.find([*poisons, "good"])
    before = len(embedder.batches)
    tried: set[str] = set()
    for _ in range(5):
        await cache.find(poisons)
    tried.update(text for batch in embedder.batches[before:] for text in batch if "poison" in text)
    assert tried == set(poisons)
    assert len(embedder.batches) - before <= 5 * 11


class Service:
    """Answers all items but those that it fails at."""

    def __init__(self, errors: dict[int, ModelError], probe: ModelError | None = None) -> None:
        self.errors = errors
        self.probe_error = probe
        self.calls: list[Sequence[int]] = []
        self.probes = 0

    async def ask(self, items: Sequence[int]) -> int:
        self.calls.append(items)
        for item in items:
            if item in self.errors:
                raise self.errors[item]
        return len(items)

    async def probe(self) -> None:
        self.probes += 1
        if self.probe_error:
            raise self.probe_error


@pytest.mark.parametrize(
    ("error", "at_fault"),
    [
        (FAILED, True),
        (RequestRefusedError("refused"), True),
        (ContentRefusedError("refused"), True),
        (MalformedAnswerError("nonsense"), True),
        (ModelUnavailableError("busy"), False),
        (ModelRefusedError("wrong key"), False),
    ],
)
async def test_the_item_at_fault_is_found_where_another_batch_may_pass(
    error: ModelError, at_fault: bool
) -> None:
    service = Service({17: error})
    search: FaultSearch[int] = FaultSearch(service.probe)

    parts = await search.call(range(50), service.ask)

    assert set(search.faulty) == ({17} if at_fault else set())
    assert sum(result for _, result in parts if isinstance(result, int)) == (49 if at_fault else 0)
    assert [item for items, _ in parts for item in items] == list(range(50))


async def test_a_single_item_is_at_fault_only_where_a_probe_is_answered() -> None:
    for probe, faulty in ((None, {0}), (ModelUnavailableError("down"), set()), (FAILED, set())):
        search: FaultSearch[int] = FaultSearch((service := Service({0: FAILED}, probe)).probe)
        await search.call([0], service.ask)
        assert (set(search.faulty), service.probes) == (faulty, 1)


async def test_an_option_that_is_refused_in_every_request_is_no_items_fault() -> None:
    refused = RequestRefusedError("temperature is not accepted")
    service = Service(dict.fromkeys(range(64), refused), probe=refused)
    search: FaultSearch[int] = FaultSearch(service.probe)

    parts = await search.call(range(64), service.ask)

    assert search.faulty == {}
    assert all(result is refused for _, result in parts)
    assert len(service.calls) <= 10


async def test_a_service_that_goes_down_during_the_search_is_noticed() -> None:
    service = Service(dict.fromkeys(range(1, 4096), FAILED), probe=ModelUnavailableError("down"))
    search: FaultSearch[int] = FaultSearch(service.probe)

    await search.call([0], service.ask)
    await search.call(range(1, 2048), service.ask)
    await search.call(range(2048, 4096), service.ask)

    assert len(service.calls) <= 8
    assert search.faulty == {}


# --- what a memory makes of it


async def learned(*answers: Exception) -> tuple[JudgeMemory, FakeModel, FakeStore]:
    model, store = FakeModel(*answers), FakeStore()
    memory = await a_memory(distiller=LLMDistiller(model), store=store)
    await memory.learn([a_trace("tr-1", a_vote(False, "Curt is rude."))])
    return memory, model, store


async def test_reasons_whose_content_is_refused_are_asked_about_twice_and_then_no_more() -> None:
    refused = ContentRefusedError("fake:/model refuses what this request says.")
    memory, model, store = await learned(*[refused] * 10)
    assert memory.pending == {"tr-1": str(refused)}

    lesson = await memory.learn(())
    assert (lesson.pending, lesson.declined) == ({}, {"tr-1": str(refused)})
    for _ in range(3):
        await memory.learn(())

    assert len(model.prompts) == 2
    assert "tr-1" in memory.episodes
    # other reasons are read; new words of the same trace as well; a restart tries again
    model.answers.clear()
    await memory.learn([a_trace("tr-2", a_vote(False, "Name the next step."))])
    assert [rule.text for rule in memory.guidelines] == ["Name the next step."]
    await memory.learn([a_trace("tr-1", a_vote(False, "Be kind."))])
    assert memory.declined == {}
    assert [rule.text for rule in memory.guidelines] == ["Name the next step.", "Be kind."]
    assert store.undistilled == frozenset()


async def test_a_restart_asks_again_about_reasons_that_were_refused() -> None:
    memory, _, store = await learned(*[ContentRefusedError("refused")] * 2)
    await memory.learn(())
    assert memory.declined

    again = await a_memory(store=store)
    await again.learn(())

    assert [rule.text for rule in again.guidelines] == ["Curt is rude."]


async def test_reasons_that_wait_for_a_model_that_is_down_are_asked_about_until_it_is_back() -> None:
    memory, _, _ = await learned(*[FAILED] * 20)
    for _ in range(5):
        await memory.learn(())
    assert memory.pending == {"tr-1": "down"}
    assert memory.declined == {}


async def test_the_pause_that_a_service_asks_for_is_in_the_lesson(server: ModelServer) -> None:
    server.faults.append(Fault(status=429, body="{}", headers={"retry-after": "1800"}))
    memory = await a_memory(distiller=LLMDistiller(OpenAIModel("m")), store=FakeStore())

    lesson = await memory.learn([a_trace("tr-1", a_vote(False, "Curt is rude."))])

    assert (lesson.retry_after, list(lesson.pending)) == (1800, ["tr-1"])


async def test_a_case_is_stored_before_its_reasons_are_distilled() -> None:
    stored: list[tuple[list[str], frozenset[str]]] = []

    class Watching(FakeModel):
        async def complete(self, prompt, schema):  # type: ignore[no-untyped-def]
            stored.append((list(store.episodes), store.undistilled))
            return await super().complete(prompt, schema)

    store = FakeStore()
    memory = await a_memory(distiller=LLMDistiller(Watching()), store=store)
    await memory.learn([a_trace("tr-1", a_vote(False, "Curt is rude."))])

    assert stored == [(["tr-1"], frozenset({"tr-1"}))]
    assert store.undistilled == frozenset()


async def test_cases_can_be_remembered_while_a_model_hangs_and_are_distilled_later() -> None:
    model = FakeModel()
    memory = await a_memory(distiller=LLMDistiller(model), store=FakeStore())

    lesson = await memory.remember([a_trace("tr-1", a_vote(False, "Curt is rude."))])

    assert list(lesson.pending) == ["tr-1"]
    assert "tr-1" in memory.episodes
    assert model.prompts == []
    await memory.learn(())
    assert [rule.text for rule in memory.guidelines] == ["Curt is rude."]
