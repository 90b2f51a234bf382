import json
from dataclasses import replace

import pytest

from memalign.errors import MalformedAnswerError, ModelUnavailableError
from memalign.models.llm_judge import LLMJudge
from memalign.records import Json, Label, Usage
from memalign.value_types import value_type_of
from tests.factories import a_guideline
from tests.fakes import DOWN, FakeModel, section
from tests.memalign.models.test_prompts import a_request, retrieved


@pytest.mark.parametrize(
    ("word", "answer", "label"),
    [
        ("bool", "yes", True),
        ("int", "3", 3),
        ("float", 1, 1.0),
        ("str", "fine", "fine"),
        ('["Good", "Bad"]', "good", "Good"),
    ],
)
async def test_the_models_answer_becomes_a_label_of_the_judges_type(
    word: str, answer: Json, label: Label
) -> None:
    model = FakeModel({"rationale": " so ", "value": answer})
    request = replace(a_request(None, (a_guideline("Greet."),)), value_type=value_type_of(word))

    response = await LLMJudge(model).decide(request)

    assert response.value == label
    assert type(response.value) is type(label)
    assert response.rationale == "so"
    assert response.shown_guideline_ids == ("g-Greet.",)
    assert response.retrieved_trace_ids == ()
    assert response.usage == Usage(calls=1, input_tokens=10, output_tokens=5)


@pytest.mark.parametrize(
    ("lists", "guidelines", "cases"),
    [
        ({"guidelines": [3, 1], "cases": [2]}, ("g-C", "g-A"), ("tr-2",)),
        ({"guidelines": ["G2", 9, 0, 2], "cases": "[1, 2, 3]"}, ("g-B",), ("tr-1", "tr-2")),
        ({"guidelines": None, "cases": []}, (), ()),
        ({"cases": {"1": "so"}}, (), ("tr-1",)),
        ({}, (), ()),
    ],
)
async def test_the_model_names_what_led_it_by_number_and_all_it_was_shown_stays_known(
    lists: dict[str, Json], guidelines: tuple[str, ...], cases: tuple[str, ...]
) -> None:
    rules = tuple(a_guideline(name, guideline_id=f"g-{name}") for name in "ABC")
    request = a_request(None, rules, (retrieved("one"), retrieved("two")))
    first, second = request.evidence.retrieved
    shown = (first, replace(second, episode=replace(second.episode, trace_id="tr-2")))
    shown = (replace(first, episode=replace(first.episode, trace_id="tr-1")), shown[1])
    # the last guideline is chosen for this record: it stands elsewhere in the prompt, in the same numbering
    request = replace(request, evidence=replace(request.evidence, chosen=1, retrieved=shown))
    model = FakeModel({"rationale": "so", **lists, "value": True})

    response = await LLMJudge(model).decide(request)

    assert (response.value, response.guideline_ids, response.cited_trace_ids) == (True, guidelines, cases)
    assert response.shown_guideline_ids == ("g-A", "g-B", "g-C")
    assert response.retrieved_trace_ids == ("tr-1", "tr-2")
    (prompt,) = model.prompts
    numbers = {
        each["text"]: each["guideline"]
        for text in (prompt.stable, prompt.changing)
        for each in map(json.loads, section(text, "guidelines"))
    }
    assert numbers == {"A": 1, "B": 2, "C": 3}
    assert [json.loads(line)["case"] for line in section(prompt.changing, "cases")] == [2, 1]


@pytest.mark.parametrize("answer", [{"value": "maybe", "rationale": ""}, {"rationale": "no value"}])
async def test_an_answer_that_is_no_value_is_told(answer: Json) -> None:
    with pytest.raises(MalformedAnswerError, match="fake:/model gave no usable verdict"):
        await LLMJudge(FakeModel(answer)).decide(a_request())


async def test_a_model_that_is_down_is_told() -> None:
    with pytest.raises(ModelUnavailableError):
        await LLMJudge(FakeModel(DOWN)).decide(a_request())


async def test_without_memory_a_decision_names_no_evidence() -> None:
    assert (await LLMJudge(FakeModel()).decide(a_request())).shown_guideline_ids == ()
