"""Cases whose labels no longer fit the judge's value type: judging, learning and forgetting go on."""

import json
from collections.abc import Callable, Mapping
from itertools import permutations

import pytest

from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.models import connect_judge_model
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.llm_judge import LLMJudge
from memalign.ports import Completion, JudgeModel, MemoryStore, Prompt
from memalign.records import GuidelinePolicy, Json, Label
from memalign.trial.call_budget import FixedBudget
from memalign.value_types import value_type_of, value_type_of_schema
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeJudgeModel, FakeModel, FakeStore, section

LABELS: dict[str, tuple[object, tuple[Label, ...]]] = {
    "bool": (bool, (True, False, True)),
    "int": (int, (1, 3, 5)),
    "float": (float, (0.5, 2.25, 3.0)),
    "str": (str, ("curt", "kind", "a bit cold")),
    "categories": (["curt", "kind", "warm"], ("curt", "kind", "warm")),
    "other categories": (["cold", "Kind"], ("cold", "Kind", "cold")),
    "numbers": ([1, 2, 3], (1, 2, 3)),
}


class SchemaModel(FakeModel):
    """Gives a value that the schema allows, and is shown cases with such labels only."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        value = schema["properties"]["value"]
        kinds = {"boolean": True, "integer": 1, "number": 0.5, "string": "curt"}
        answer = value["enum"][0] if "enum" in value else kinds[value["type"]]
        self.answers.append({"value": answer, "rationale": "It reads so."})
        shown = section(prompt.changing, "cases") if "<cases>\n" in prompt.changing else []
        accepts = value_type_of_schema(value).accepts
        assert [label for line in shown if not accepts(label := json.loads(line)["label"])] == []
        return await super().complete(prompt, schema)


MODELS: Mapping[str, Callable[[], JudgeModel]] = {
    "a language model": lambda: LLMJudge(SchemaModel()),
    "the local model": lambda: connect_judge_model("local:/cases"),
}


async def opened(kind: object, store: MemoryStore, model: JudgeModel) -> JudgeMemory:
    judge = a_judge(value_type=kind)  # type: ignore[arg-type]
    return await a_memory(judge, store=store, judge_model=model, distiller=LLMDistiller(FakeModel()))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("before", "after"), [*permutations(LABELS, 2)], ids=" to ".join)
async def test_a_judge_goes_on_beside_labels_of_another_type(before: str, after: str, model: str) -> None:
    store = FakeStore()
    kind, labels = LABELS[before]
    earlier = await opened(kind, store, MODELS[model]())
    for number in range(9):
        vote = a_vote(labels[number % 3], "Curt answers are rude.", f"p{number}")
        await earlier.learn([a_trace(f"old-{number}", vote)])

    kind, labels = LABELS[after]
    memory = await opened(kind, store, MODELS[model]())
    accepts = value_type_of(kind).accepts
    assert accepts((await memory.judge(a_trace("new-0"))).value)
    new = (
        a_trace(f"new-{number}", a_vote(labels[number % 3], "Greet people.", "ana")) for number in range(6)
    )
    assert (await memory.learn(new)).rejected == {}
    assert accepts((await memory.judge(a_trace("new-9"))).value)
    await memory.learn([a_trace("old-1", a_vote(labels[0], "Now otherwise.", "p1"))])
    assert memory.episodes["old-1"].label == labels[0]
    await memory.distil_again(await memory.forget([f"old-{number}" for number in range(9)]))
    assert all(accepts(each.label) for each in memory.episodes.values())


@pytest.mark.parametrize(
    ("before", "after", "spelled"),
    [("bool", "int", "pass"), ("str", "categories", '"a bit cold"'), ("numbers", "bool", "1")],
)
async def test_a_roll_back_does_not_bring_back_labels_of_another_type(
    before: str, after: str, spelled: str
) -> None:
    store = FakeStore()
    kind, labels = LABELS[before]
    earlier = await opened(kind, store, FakeJudgeModel())
    odd = labels[0] if before != "str" else labels[2]
    await earlier.learn([a_trace("tr-1", a_vote(odd, "Curt answers are rude.", ms=1))])
    await earlier.withdraw(["tr-1"])
    memory = await opened(LABELS[after][0], store, FakeJudgeModel())
    known = len(store.changes)

    for call in (memory.versions.preview(1), memory.versions.roll_back(1, "ana")):
        with pytest.raises(
            InputError, match=f"Version 1 has cases with {spelled}, which politeness does not"
        ):
            await call

    assert len(store.changes) == known
    assert dict(memory.episodes) == {}


@pytest.mark.parametrize(("before", "after"), [*permutations(LABELS, 2)], ids=" to ".join)
async def test_rules_are_tried_on_cases_of_the_present_type_alone(before: str, after: str) -> None:
    store = FakeStore()
    kind, labels = LABELS[before]
    earlier = await opened(kind, store, FakeJudgeModel())
    for number in range(6):
        vote = a_vote(labels[number % 3], "Curt answers are rude.", f"p{number}")
        await earlier.learn([a_trace(f"old-{number}", vote, inputs="hello", outputs="hello")])
    kind, labels = LABELS[after]
    model = FakeJudgeModel(labels[0])
    memory = await a_memory(
        a_judge(value_type=kind, model="openai:/gpt-5-mini"),  # type: ignore[arg-type]
        store=store,
        judge_model=model,
        policy=GuidelinePolicy(trials=True),
    )
    new = (
        a_trace(f"new-{number}", a_vote(labels[0], "Greet people."), inputs="hello") for number in range(3)
    )
    await memory.learn(new)

    report = await memory.trials.run(FixedBudget(99))

    assert report.left == {}
    accepts = value_type_of(kind).accepts
    shown = [case.episode for request in model.requests for case in request.evidence.retrieved]
    tried = [memory.episodes[str(request.trace_id)] for request in model.requests]
    assert [each for each in (*shown, *tried) if not accepts(each.label)] == []


async def test_near_copies_with_labels_of_another_type_give_no_votes() -> None:
    store, model = FakeStore(), FakeJudgeModel()
    texts = {"inputs": "May I return it?", "outputs": "You may, within a month."}
    earlier = await opened(["curt", "kind"], store, FakeJudgeModel())
    await earlier.learn([a_trace("old", a_vote("curt", None, "ana"), **texts)])
    memory = await opened(bool, store, model)
    await memory.learn([a_trace("twin", a_vote(True, None, "ana"), a_vote(True, None, "ben"), **texts)])

    await memory.judge(a_trace("new", **texts))

    (case,) = model.requests[-1].evidence.retrieved
    assert (case.episode.trace_id, case.copies) == ("twin", ())
